/// A constant tensor of an ONNX model (`TensorProto`): its head, and its numbers once they are asked for.
struct ONNXTensor {
    /// Number formats that are read, by their `TensorProto.DataType`; all become fp32.
    enum ElementType: Int64 {
        case float32 = 1
        case float16 = 10
        case float64 = 11
        case bfloat16 = 16

        /// How its numbers lie in `raw_data`.
        var format: FloatFormat {
            switch self {
            case .float32: .binary32
            case .float16: .binary16
            case .float64: .binary64
            case .bfloat16: .bfloat16
            }
        }
    }

    /// Fields of `TensorProto` in onnx.proto.
    enum Field {
        static let dimensions = 1
        static let elementType = 2
        static let segment = 3
        static let floats = 4
        static let halves = 5
        static let name = 8
        static let raw = 9
        static let doubles = 10
        static let externalData = 13
        static let location = 14
    }

    /// Lengths of the axes, none negative.
    let shape: [Int]
    let name: String
    let message: ProtobufMessage
    private(set) var elementType: Int64 = 0
    private(set) var isExternal = false
    /// Where the numbers lie when they are not in fields of their type.
    private(set) var raw: Range<Int>?

    private static let rankLimit = 16

    /// For errors.
    var label: String { "tensor \(name)" }

    /// Reads the head; the numbers are skipped.
    ///
    /// - Parameters:
    ///   - message: the tensor's.
    ///   - name: what it is called when it has no name itself, as the value of a `Constant` node.
    /// - Throws: `.malformedWeights`.
    init(_ message: ProtobufMessage, name: String = "") throws(ModelFileError) {
        var fields = message
        var name = name
        var dimensions: [Int64] = []
        while let field = try fields.next() {
            switch field.number {
            case Field.dimensions: try message.append(field, to: &dimensions, limit: Self.rankLimit)
            case Field.elementType: elementType = try message.integer(field)
            case Field.name:
                let text = try message.text(field)
                if !text.isEmpty { name = text }
            case Field.raw:
                guard raw == nil else { throw message.malformed("has its numbers twice") }
                raw = try message.place(field)
            case Field.segment: throw message.malformed("is a segment of a tensor")
            case Field.externalData: isExternal = true
            case Field.location: isExternal = try message.integer(field) != 0 || isExternal
            default: break
            }
        }
        var shape: [Int] = []
        for dimension in dimensions {
            guard dimension >= 0, let length = Int(exactly: dimension) else {
                throw message.malformed("(\(name)) has the impossible shape \(dimensions)")
            }
            shape.append(length)
        }
        self.shape = shape
        self.name = name
        self.message = message
    }

    /// The numbers, the last axis fastest.
    ///
    /// - Throws: `.malformedWeights` naming the tensor when they do not fit the shape, are of another format, or hold NaN or
    ///   infinity; `.unsupportedNetwork` when they are in another file.
    func floats() throws(ModelFileError) -> [Float] {
        let file = message.blocks.file
        guard !isExternal else {
            throw .unsupportedNetwork(
                file: file,
                detail: "\(label) is in another file (ONNX external data); save the model as one file"
            )
        }
        guard let type = ElementType(rawValue: elementType) else {
            throw malformed("has numbers of type \(elementType), not FLOAT, FLOAT16, BFLOAT16 or DOUBLE")
        }
        var count = 1
        for dimension in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard !overflow else { throw malformed("has the impossible shape \(shape)") }
            count = product
        }
        // A number takes at least one byte: an absurd shape ends here, before memory is set aside for it.
        guard count <= message.range.count else {
            throw malformed("of shape \(shape) has \(message.range.count) bytes in all")
        }
        let values = try ONNXNumbers(self, type, count: count).values
        guard values.allSatisfy(\.isFinite) else { throw malformed("holds NaN or infinity") }
        return values
    }

    func malformed(_ detail: String) -> ModelFileError {
        .malformedWeights(file: message.blocks.file, detail: "\(label) \(detail)")
    }
}

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
                    guard place.count.isMultiple(of: type.format.byteCount),
                        place.count / type.format.byteCount <= limit
                    else {
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
