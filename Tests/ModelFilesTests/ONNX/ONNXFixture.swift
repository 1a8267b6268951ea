/// Writes fields of protocol buffers.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    mutating func varint(_ field: Int, _ value: Int) {
        bytes += Self.varint(UInt64(field) << 3) + Self.varint(UInt64(bitPattern: Int64(value)))
    }

    mutating func fixed32(_ field: Int, _ bits: UInt32) {
        bytes += Self.varint(UInt64(field) << 3 | 5) + withUnsafeBytes(of: bits.littleEndian) { Array($0) }
    }

    mutating func fixed64(_ field: Int, _ bits: UInt64) {
        bytes += Self.varint(UInt64(field) << 3 | 1) + withUnsafeBytes(of: bits.littleEndian) { Array($0) }
    }

    mutating func bytes(_ field: Int, _ content: [UInt8]) {
        bytes += Self.varint(UInt64(field) << 3 | 2) + Self.varint(UInt64(content.count)) + content
    }

    mutating func text(_ field: Int, _ text: String) { bytes(field, Array(text.utf8)) }

    mutating func message(_ field: Int, _ write: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        write(&inner)
        bytes(field, inner.bytes)
    }
}

/// An ONNX model as nodes and tensors, so that tests can break it.
struct ONNXFixture {
    /// Where a tensor's numbers go: `raw_data`, the packed field of their type, or that field number by number.
    enum Placement: CaseIterable { case raw, packed, unpacked }

    struct Tensor {
        var name: String
        var shape: [Int]
        var values: [Float]
        /// 1 FLOAT, 10 FLOAT16, 11 DOUBLE, 16 BFLOAT16.
        var type = 1
        var placement = Placement.raw
        var isExternal = false
    }

    enum Attribute {
        case integers([Int])
        case integer(Int)
        case number(Float)
        case text(String)
        case tensor(Tensor)
    }

    struct Node {
        var operation: String
        var inputs: [String]
        var outputs: [String]
        var attributes: [String: Attribute] = [:]
        var domain = ""
    }

    var nodes: [Node] = []
    var tensors: [Tensor] = []
    var inputs = ["image"]
    var outputs: [String] = []
    var properties: [(String, String)] = []

    /// Appends a node that works on the last one's first output, after which it is named.
    mutating func append(_ operation: String, _ constants: [String] = [], _ attributes: [String: Attribute] = [:]) {
        let value = nodes.last?.outputs[0] ?? "image"
        nodes.append(
            Node(
                operation: operation,
                inputs: [value] + constants,
                outputs: ["\(operation)\(nodes.count)"],
                attributes: attributes
            )
        )
    }

    /// Appends a convolution with small whole numbers; its weights are called `name.w` and `name.b`.
    mutating func appendConvolution(_ name: String, _ inputChannels: Int, _ outputChannels: Int) {
        tensors.append(
            Tensor(
                name: "\(name).w",
                shape: [outputChannels, inputChannels, 3, 3],
                values: Self.weights(inputChannels, outputChannels)
            )
        )
        tensors.append(Tensor(name: "\(name).b", shape: [outputChannels], values: Self.biases(outputChannels)))
        append(
            "Conv",
            ["\(name).w", "\(name).b"],
            ["kernel_shape": .integers([3, 3]), "pads": .integers([1, 1, 1, 1])]
        )
    }

    static func weights(_ inputChannels: Int, _ outputChannels: Int) -> [Float] {
        (0..<9 * inputChannels * outputChannels).map { Float($0 % 7 - 3) }
    }

    static func biases(_ count: Int) -> [Float] { (0..<count).map { Float($0 % 5 - 2) } }

    static let pool: [String: Attribute] = ["kernel_shape": .integers([2, 2]), "strides": .integers([2, 2])]

    /// Two convolutions, `a` from 3 to 2 and `b` from 2 to 4 channels, with a pool between them and a head behind.
    static var valid: ONNXFixture {
        var model = ONNXFixture()
        model.appendConvolution("a", 3, 2)
        model.append("Relu")
        model.append("MaxPool", [], pool)
        model.appendConvolution("b", 2, 4)
        model.append("Relu")
        model.append("GlobalMaxPool")
        model.outputs = ["GlobalMaxPool5"]
        return model
    }

    /// `valid`, with a batch normalisation behind its first convolution.
    static var normalised: ONNXFixture {
        var model = valid
        for (name, values) in [("gamma", [2, 0.5]), ("beta", [1, -1]), ("mean", [3, 4]), ("variance", [3, 15])] {
            model.tensors.append(Tensor(name: name, shape: [2], values: values.map { Float($0) }))
        }
        let node = Node(
            operation: "BatchNormalization",
            inputs: ["Conv0", "gamma", "beta", "mean", "variance"],
            outputs: ["normal"],
            attributes: ["epsilon": .number(1)]
        )
        model.nodes.insert(node, at: 1)
        model.nodes[2].inputs = ["normal"]
        return model
    }

    /// Puts a node between node `position` and the one that uses its result, or the image at -1.
    mutating func insert(_ operation: String, after position: Int, _ attributes: [String: Attribute] = [:]) {
        let value = position < 0 ? "image" : nodes[position].outputs[0]
        let node = Node(operation: operation, inputs: [value], outputs: ["inserted"], attributes: attributes)
        nodes[position + 1].inputs[0] = "inserted"
        nodes.insert(node, at: position + 1)
    }

    var bytes: [UInt8] {
        var file = ProtobufWriter()
        file.varint(1, 8)
        file.text(2, "tests")
        file.bytes(7, graph)
        for (key, value) in properties {
            file.message(14) { property in
                property.text(1, key)
                property.text(2, value)
            }
        }
        return file.bytes
    }

    private var graph: [UInt8] {
        var graph = ProtobufWriter()
        for node in nodes { graph.message(1) { $0.write(node) } }
        graph.text(2, "graph")
        for tensor in tensors { graph.message(5) { $0.write(tensor) } }
        for input in inputs { graph.message(11) { $0.text(1, input) } }
        for output in outputs { graph.message(12) { $0.text(1, output) } }
        return graph.bytes
    }
}

extension ProtobufWriter {
    fileprivate mutating func write(_ node: ONNXFixture.Node) {
        for input in node.inputs { text(1, input) }
        for output in node.outputs { text(2, output) }
        text(4, node.operation)
        for (name, attribute) in node.attributes.sorted(by: { $0.key < $1.key }) {
            message(5) { $0.write(name, attribute) }
        }
        if !node.domain.isEmpty { text(7, node.domain) }
    }

    private mutating func write(_ name: String, _ attribute: ONNXFixture.Attribute) {
        text(1, name)
        switch attribute {
        case .integers(let values):
            for value in values { varint(8, value) }
            varint(20, 7)
        case .integer(let value):
            varint(3, value)
            varint(20, 2)
        case .number(let value):
            fixed32(2, value.bitPattern)
            varint(20, 1)
        case .text(let value):
            text(4, value)
            varint(20, 3)
        case .tensor(let tensor):
            message(5) { $0.write(tensor) }
            varint(20, 4)
        }
    }

    mutating func write(_ tensor: ONNXFixture.Tensor) {
        for length in tensor.shape { varint(1, length) }
        varint(2, tensor.type)
        text(8, tensor.name)
        if tensor.isExternal {
            message(13) { entry in
                entry.text(1, "location")
                entry.text(2, "weights.bin")
            }
            varint(14, 1)
            return
        }
        switch tensor.placement {
        case .raw: bytes(9, tensor.values.flatMap { Self.number($0, tensor.type) })
        case .packed:
            switch tensor.type {
            case 1: bytes(4, tensor.values.flatMap { Self.number($0, 1) })
            case 11: bytes(10, tensor.values.flatMap { Self.number($0, 11) })
            default: bytes(5, tensor.values.flatMap { Self.varint(UInt64(Self.half($0, tensor.type))) })
            }
        case .unpacked:
            for value in tensor.values {
                switch tensor.type {
                case 1: fixed32(4, value.bitPattern)
                case 11: fixed64(10, Double(value).bitPattern)
                default: varint(5, Int(Self.half(value, tensor.type)))
                }
            }
        }
    }

    private static func number(_ value: Float, _ type: Int) -> [UInt8] {
        switch type {
        case 1: withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        case 11: withUnsafeBytes(of: Double(value).bitPattern.littleEndian) { Array($0) }
        default: withUnsafeBytes(of: half(value, type).littleEndian) { Array($0) }
        }
    }

    /// FLOAT16 or BFLOAT16 of a small whole number, exactly.
    private static func half(_ value: Float, _ type: Int) -> UInt16 {
        if type == 16 { return UInt16(value.bitPattern >> 16) }
        guard value != 0 else { return 0 }
        let fraction = UInt16((value.significand - 1) * 1024)
        return (value < 0 ? 0x8000 : 0) | UInt16(Int(value.exponent) + 15) << 10 | fraction
    }
}
