/// The number formats of weight files: three of IEEE 754, and bfloat16. All become fp32.
enum FloatFormat {
    case binary16
    case bfloat16
    case binary32
    case binary64

    /// Bytes of a number.
    var byteCount: Int {
        switch self {
        case .binary16, .bfloat16: 2
        case .binary32: 4
        case .binary64: 8
        }
    }

    /// Converts a whole count of numbers. binary64 is rounded, and what fp32 cannot hold becomes infinity; the others are exact.
    func floats(_ bytes: [UInt8], isBigEndian: Bool = false) -> [Float] {
        switch self {
        case .binary16: Self.convert(bytes, isBigEndian, UInt16.self) { Self.half($0) }
        case .bfloat16: Self.convert(bytes, isBigEndian, UInt16.self) { Self.brainFloat($0) }
        case .binary32: Self.convert(bytes, isBigEndian, UInt32.self) { Float(bitPattern: $0) }
        case .binary64: Self.convert(bytes, isBigEndian, UInt64.self) { Float(Double(bitPattern: $0)) }
        }
    }

    /// The exact value of a binary16, by integer arithmetic: Swift's `Float16` is absent on some platforms.
    static func half(_ bits: UInt16) -> Float {
        let sign: Float = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 0x1F)
        let fraction = Float(bits & 0x3FF)
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
        }
    }

    /// The exact value of a bfloat16: the upper half of a binary32.
    static func brainFloat(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    private static func convert<Bits: FixedWidthInteger>(
        _ bytes: [UInt8],
        _ isBigEndian: Bool,
        _ type: Bits.Type,
        _ value: (Bits) -> Float
    ) -> [Float] {
        let width = MemoryLayout<Bits>.size
        let count = bytes.count / width
        return bytes.withUnsafeBytes { raw in
            [Float](unsafeUninitializedCapacity: count) { values, initializedCount in
                for index in 0..<count {
                    let bits = raw.loadUnaligned(fromByteOffset: index &* width, as: Bits.self)
                    let ordered = isBigEndian ? Bits(bigEndian: bits) : Bits(littleEndian: bits)
                    values.initializeElement(at: index, to: value(ordered))
                }
                initializedCount = count
            }
        }
    }
}
