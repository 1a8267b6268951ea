/// The numbers of a dataset: IEEE 754 binary16, binary32 or binary64 in either byte order; all become fp32.
struct HDF5FloatType: Equatable {
    private let format: FloatFormat
    private let isBigEndian: Bool

    var byteCount: Int { format.byteCount }

    /// Reads a datatype message.
    init(_ fields: inout HDF5Fields) throws(ModelFileError) {
        let head = try fields.byte()
        guard (1...5).contains(head >> 4) else { throw fields.fault("has version \(head >> 4), which is not read") }
        let bits = try fields.unsigned(3)
        let byteCount = try fields.integer(4)
        guard head & 15 == 1 else {
            throw fields.fault("is of class \(head & 15) with \(byteCount) bytes: no floating-point numbers")
        }
        isBigEndian = bits & 1 != 0
        // First bit and number of bits of the whole, of the exponent, of the mantissa; the exponent's bias.
        let found = [
            try fields.integer(2), try fields.integer(2), try fields.integer(1), try fields.integer(1),
            try fields.integer(1), try fields.integer(1), try fields.integer(4),
        ]
        let known: (format: FloatFormat, fields: [Int])? =
            switch byteCount {
            case 2: (.binary16, [0, 16, 10, 5, 0, 10, 15])
            case 4: (.binary32, [0, 32, 23, 8, 0, 23, 127])
            case 8: (.binary64, [0, 64, 52, 11, 0, 52, 1023])
            default: nil
            }
        // Besides the byte order: padding, a mantissa whose first bit is implied, the sign's place.
        guard let known, found == known.fields, bits & 0x40 == 0, bits >> 4 & 3 == 2, bits >> 8 == UInt64(8 * byteCount - 1) else {
            throw fields.fault("describes no number format of 16, 32 or 64 bits of IEEE 754")
        }
        format = known.format
    }

    /// Converts whole numbers' bytes; what fp32 cannot hold becomes infinity.
    func floats(_ bytes: [UInt8]) -> [Float] { format.floats(bytes, isBigEndian: isBigEndian) }
}
