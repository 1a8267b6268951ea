/// The numbers of a dataset: IEEE 754 binary16, binary32 or binary64 in either byte order; all become fp32.
struct HDF5FloatType: Equatable {
    let byteCount: Int
    let isBigEndian: Bool

    /// Reads a datatype message.
    init(_ fields: inout HDF5Fields) throws(ModelFileError) {
        let head = try fields.byte()
        guard (1...5).contains(head >> 4) else { throw fields.fault("has version \(head >> 4), which is not read") }
        let bits = try fields.unsigned(3)
        let byteCount = try fields.integer(4)
        guard head & 15 == 1 else {
            throw fields.fault("is of class \(head & 15) with \(byteCount) bytes: no floating-point numbers")
        }
        self.byteCount = byteCount
        isBigEndian = bits & 1 != 0
        // First bit and number of bits of the whole, of the exponent, of the mantissa; the exponent's bias.
        let found = [
            try fields.integer(2), try fields.integer(2), try fields.integer(1), try fields.integer(1),
            try fields.integer(1), try fields.integer(1), try fields.integer(4),
        ]
        let expected: [Int]? =
            switch byteCount {
            case 2: [0, 16, 10, 5, 0, 10, 15]
            case 4: [0, 32, 23, 8, 0, 23, 127]
            case 8: [0, 64, 52, 11, 0, 52, 1023]
            default: nil
            }
        // Besides the byte order: padding, a mantissa whose first bit is implied, the sign's place.
        guard found == expected, bits & 0x40 == 0, bits >> 4 & 3 == 2, bits >> 8 == UInt64(8 * byteCount - 1) else {
            throw fields.fault("describes no number format of 16, 32 or 64 bits of IEEE 754")
        }
    }

    /// Converts whole numbers' bytes; what fp32 cannot hold becomes infinity.
    func floats(_ bytes: [UInt8]) -> [Float] {
        let count = bytes.count / byteCount
        return bytes.withUnsafeBytes { raw in
            [Float](unsafeUninitializedCapacity: count) { values, initializedCount in
                for index in 0..<count {
                    let value: Float =
                        switch byteCount {
                        case 2: HalfPrecision.float(bits(raw, 2 &* index, as: UInt16.self))
                        case 4: Float(bitPattern: bits(raw, 4 &* index, as: UInt32.self))
                        default: Float(Double(bitPattern: bits(raw, 8 &* index, as: UInt64.self)))
                        }
                    values.initializeElement(at: index, to: value)
                }
                initializedCount = count
            }
        }
    }

    private func bits<T: FixedWidthInteger>(_ raw: UnsafeRawBufferPointer, _ offset: Int, as type: T.Type) -> T {
        let stored = raw.loadUnaligned(fromByteOffset: offset, as: T.self)
        return isBigEndian ? T(bigEndian: stored) : T(littleEndian: stored)
    }
}
