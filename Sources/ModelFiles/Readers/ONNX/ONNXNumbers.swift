/// Reads a tensor's numbers from wherever the writer put them: `raw_data`, or the field of their type.
///
/// `FLOAT` is in `float_data`, `DOUBLE` in `double_data`; the 16-bit formats are varints in `int32_data`. Each of these may be
/// packed or not, and may come in pieces.
struct ONNXNumbers {
    private(set) var values: [Float] = []
    private let tensor: ONNXTensor
    private let type: ONNXTensor.ElementType

    /// Reads exactly `count` numbers.
    ///
    /// - Throws: `.malformedWeights` naming the tensor when there are more or fewer.
    init(_ tensor: ONNXTensor, _ type: ONNXTensor.ElementType, count: Int) throws(ModelFileError) {
        self.tensor = tensor
        self.type = type
        values.reserveCapacity(count)
        if let raw = tensor.raw {
            // `count` is at most the message's bytes, so the product fits.
            guard raw.count == count * type.byteCount else {
                throw tensor.malformed(
                    "of shape \(tensor.shape) needs \(count * type.byteCount) bytes and has \(raw.count)"
                )
            }
            append(try tensor.message.blocks.bytes.read(raw))
        }
        try readTypedFields(limit: count)
        guard values.count == count else {
            throw tensor.malformed("of shape \(tensor.shape) has \(values.count) numbers")
        }
    }

    /// - Throws: `.malformedWeights` as soon as there are more numbers than `limit`.
    private mutating func readTypedFields(limit: Int) throws(ModelFileError) {
        let message = tensor.message
        var fields = message
        while let field = try fields.next() {
            switch (field.number, type) {
            case (ONNXTensor.Field.floats, .float32), (ONNXTensor.Field.doubles, .float64):
                switch field.value {
                case .bytes(let place):
                    guard place.count.isMultiple(of: type.byteCount), place.count / type.byteCount <= limit else {
                        throw tensor.malformed("of shape \(tensor.shape) has \(place.count) bytes of numbers")
                    }
                    append(try message.blocks.bytes.read(place))
                case .fixed32(let bits) where type == .float32: values.append(Float(bitPattern: bits))
                case .fixed64(let bits) where type == .float64: values.append(Float(Double(bitPattern: bits)))
                default: throw message.wrongType(field)
                }
            case (ONNXTensor.Field.halves, .float16), (ONNXTensor.Field.halves, .bfloat16):
                switch field.value {
                case .bytes(let place):
                    var numbers = ProtobufMessage(message.blocks, place, label: message.label)
                    while let bits = try numbers.nextPackedVarint(), values.count <= limit { try append(bits) }
                case .varint(let bits): try append(bits)
                default: throw message.wrongType(field)
                }
            default: break
            }
            guard values.count <= limit else {
                throw tensor.malformed("of shape \(tensor.shape) has more than \(limit) numbers")
            }
        }
    }

    /// One number of 16 bits that was written as a varint.
    private mutating func append(_ bits: UInt64) throws(ModelFileError) {
        guard let bits = UInt16(exactly: bits) else { throw tensor.malformed("has \(bits) among numbers of 16 bits") }
        values.append(type == .bfloat16 ? Float(bitPattern: UInt32(bits) << 16) : HalfPrecision.float(bits))
    }

    /// Little-endian numbers of the tensor's format, a whole number of them.
    private mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { raw in
            for offset in stride(from: 0, to: raw.count, by: type.byteCount) {
                let value: Float
                switch type {
                case .float32:
                    let bits = raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                    value = Float(bitPattern: UInt32(littleEndian: bits))
                case .float64:
                    let bits = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    value = Float(Double(bitPattern: UInt64(littleEndian: bits)))
                case .float16, .bfloat16:
                    let bits = UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
                    value =
                        type == .bfloat16 ? Float(bitPattern: UInt32(bits) << 16) : HalfPrecision.float(bits)
                }
                values.append(value)
            }
        }
    }
}
