/// The graph of an ONNX model (`GraphProto`): operations, constants, and which operation makes and uses which value.
struct ONNXGraph {
    let file: String
    private(set) var nodes: [ONNXNode] = []
    private(set) var constants: [String: ONNXTensor] = [:]
    /// In order, constants among them: until version 4 of the format they were listed as inputs too.
    private(set) var inputs: [String] = []
    private(set) var outputs: Set<String> = []
    /// The node that makes a value.
    private(set) var producers: [String: Int] = [:]
    /// The nodes that use a value, one entry a use.
    private(set) var users: [String: [Int]] = [:]

    /// Networks of this kind have fewer than 100 nodes and constants; with others around them, some thousands.
    private static let countLimit = 1 << 16
    private static let nameLimit = 1 << 18
    /// Exporters put at most one `Identity` before a constant.
    private static let identityLimit = 8

    /// Reads all but the numbers.
    ///
    /// - Throws: `.malformedWeights`.
    /// - Complexity: linear in the file's bytes but for those of constants, which are skipped.
    init(_ message: ProtobufMessage) throws(ModelFileError) {
        file = message.blocks.file
        var names = 0
        var fields = message
        while let field = try fields.next() {
            switch field.number {
            case 1:
                let part = try message.message(field, label: "node number \(nodes.count)")
                let node = try ONNXNode(part, nameLimit: Self.nameLimit - names)
                names += node.inputs.count + node.outputs.count
                nodes.append(node)
            case 5:
                let part = try message.message(field, label: "initializer number \(constants.count)")
                let tensor = try ONNXTensor(part)
                guard constants.updateValue(tensor, forKey: tensor.name) == nil else {
                    throw message.malformed("has two initializers \(tensor.name)")
                }
            case 11: inputs.append(try Self.valueName(message.message(field, label: "an input")))
            case 12: outputs.insert(try Self.valueName(message.message(field, label: "an output")))
            default: break
            }
            guard max(nodes.count, constants.count, inputs.count, outputs.count) <= Self.countLimit else {
                throw message.malformed("has more than \(Self.countLimit) nodes, initializers, inputs or outputs")
            }
        }
        try connect()
    }

    /// The name in a `ValueInfoProto`.
    private static func valueName(_ message: ProtobufMessage) throws(ModelFileError) -> String {
        var fields = message
        while let field = try fields.next() {
            if field.number == 1 { return try message.text(field) }
        }
        throw message.malformed("of the graph has no name")
    }

    /// Finds who makes and who uses each value; each has one origin.
    private mutating func connect() throws(ModelFileError) {
        let inputNames = Set(inputs)
        for (index, node) in nodes.enumerated() {
            for output in node.outputs where !output.isEmpty {
                guard constants[output] == nil, !inputNames.contains(output),
                    producers.updateValue(index, forKey: output) == nil
                else {
                    throw .malformedWeights(file: file, detail: "\(node.label) makes the value \(output) once more")
                }
            }
            for input in node.inputs where !input.isEmpty { users[input, default: []].append(index) }
        }
    }

    /// The value the images come in: the only input that is no constant.
    func imageInput() throws(ModelFileError) -> String {
        let images = inputs.filter { constants[$0] == nil }
        guard let image = images.first, images.count == 1 else {
            throw .unsupportedNetwork(file: file, detail: "the graph has \(images.count) inputs, expected one")
        }
        return image
    }

    /// A constant by its name: an initializer, the value of a `Constant` node, or what an `Identity` hands on.
    ///
    /// - Returns: nil when the value depends on the image or on an operation.
    func constant(_ name: String) throws(ModelFileError) -> ONNXTensor? {
        var name = name
        // Identities may stand in a cycle.
        for _ in 0...Self.identityLimit {
            if let tensor = constants[name] { return tensor }
            guard let index = producers[name] else { return nil }
            let node = nodes[index]
            switch node.operation {
            case "Constant":
                guard let value = try node.attributes().tensor("value") else { return nil }
                return try ONNXTensor(value, name: name)
            case "Identity":
                guard let input = node.input(0) else { return nil }
                name = input
            default: return nil
            }
        }
        return nil
    }

    /// A convolution of any kind among some nodes and all that their results reach, or nil.
    func convolution(from starts: [Int]) -> ONNXNode? {
        var seen = Set(starts)
        var waiting = starts
        while let index = waiting.popLast() {
            if nodes[index].operation.contains("Conv") { return nodes[index] }
            for output in nodes[index].outputs {
                for user in users[output] ?? [] where seen.insert(user).inserted { waiting.append(user) }
            }
        }
        return nil
    }
}
