/// Turns the bytes of a storage into fp32.
struct FloatDecoder {
    private let element: TorchElement
    private let isBigEndian: Bool

    /// - Returns: nil for numbers that are no floating-point numbers.
    init?(_ element: TorchElement, isBigEndian: Bool) {
        guard [.float64, .float32, .float16, .bfloat16].contains(element) else { return nil }
        self.element = element
        self.isBigEndian = isBigEndian
    }

    /// Converts whole numbers; F64 is rounded, the others are exact.
    func callAsFunction(_ bytes: [UInt8]) -> [Float] {
        switch element {
        case .float64: convert(bytes, UInt64.self) { Float(Double(bitPattern: $0)) }
        case .float16: convert(bytes, UInt16.self, HalfPrecision.float)
        case .bfloat16: convert(bytes, UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
        default: convert(bytes, UInt32.self) { Float(bitPattern: $0) }
        }
    }

    private func convert<Bits: FixedWidthInteger>(
        _ bytes: [UInt8],
        _ type: Bits.Type,
        _ value: (Bits) -> Float
    ) -> [Float] {
        let width = MemoryLayout<Bits>.size
        return bytes.withUnsafeBytes { raw in
            (0..<raw.count / width).map { index in
                let bits = raw.loadUnaligned(fromByteOffset: index &* width, as: Bits.self)
                return value(isBigEndian ? Bits(bigEndian: bits) : Bits(littleEndian: bits))
            }
        }
    }
}
