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
            guard raw.count == count * type.format.byteCount else {
                throw tensor.malformed(
                    "of shape \(tensor.shape) needs \(count * type.format.byteCount) bytes and has \(raw.count)"
                )
            }
            values += type.format.floats(try tensor.message.blocks.bytes.read(raw))
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
                    guard place.count.isMultiple(of: type.format.byteCount), place.count / type.format.byteCount <= limit else {
                        throw tensor.malformed("of shape \(tensor.shape) has \(place.count) bytes of numbers")
                    }
                    values += type.format.floats(try message.blocks.bytes.read(place))
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
        values.append(type == .bfloat16 ? FloatFormat.brainFloat(bits) : FloatFormat.half(bits))
    }
}
