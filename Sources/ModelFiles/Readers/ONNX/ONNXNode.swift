/// One operation of an ONNX graph (`NodeProto`): what it does, to which values, under which names.
struct ONNXNode {
    /// Values are named in SSA form; an empty name is an optional one left out.
    private(set) var inputs: [String] = []
    private(set) var outputs: [String] = []
    /// The operation, with its domain before it unless that is ONNX's own.
    let operation: String
    /// For errors, such as `node conv1_1 (Conv)`.
    let label: String
    private let message: ProtobufMessage

    /// - Parameters:
    ///   - message: the node's; its label stands in for an absent name.
    ///   - nameLimit: how many inputs and outputs it may have.
    /// - Throws: `.malformedWeights`.
    init(_ message: ProtobufMessage, nameLimit: Int) throws(ModelFileError) {
        var fields = message
        var name = ""
        var type = ""
        var domain = ""
        while let field = try fields.next() {
            switch field.number {
            case 1: inputs.append(try message.text(field))
            case 2: outputs.append(try message.text(field))
            case 3: name = try message.text(field)
            case 4: type = try message.text(field)
            case 7: domain = try message.text(field)
            default: break
            }
            guard inputs.count + outputs.count <= nameLimit else {
                throw message.malformed("has too many inputs or outputs")
            }
        }
        operation = domain.isEmpty || domain == "ai.onnx" ? type : "\(domain).\(type)"
        label = (name.isEmpty ? message.label : "node \(name)") + " (\(operation))"
        self.message = message
    }

    /// Input `index`, or nil when it is left out.
    func input(_ index: Int) -> String? {
        inputs.indices.contains(index) && !inputs[index].isEmpty ? inputs[index] : nil
    }

    /// Reads the node's settings.
    func attributes() throws(ModelFileError) -> ONNXAttributes { try ONNXAttributes(message, node: label) }
}

/// The settings of a node (`AttributeProto`), by name; each has the value ONNX defines when it is absent.
struct ONNXAttributes {
    private struct Attribute {
        var integer: Int64?
        var number: Float?
        var text: String?
        var integers: [Int64] = []
        var tensor: ProtobufMessage?
        /// 1 a float, 2 an integer, 3 text, 4 a tensor, 7 integers. Writers may leave out a value of zero, not this.
        var type: Int64 = 0
    }

    private var attributes: [String: Attribute] = [:]
    private let file: String
    private let node: String

    private static let countLimit = 64
    private static let listLimit = 64

    /// - Parameters:
    ///   - node: the message of the node.
    ///   - label: the node's, for errors.
    /// - Throws: `.malformedWeights`.
    init(_ node: ProtobufMessage, node label: String) throws(ModelFileError) {
        file = node.blocks.file
        self.node = label
        var fields = node
        while let field = try fields.next() {
            guard field.number == 5 else { continue }
            let (name, attribute) = try Self.read(node.message(field, label: "an attribute of \(label)"))
            guard attributes.updateValue(attribute, forKey: name) == nil, attributes.count <= Self.countLimit else {
                throw node.malformed("has the attribute \(name) twice, or too many")
            }
        }
    }

    private static func read(_ message: ProtobufMessage) throws(ModelFileError) -> (String, Attribute) {
        var name = ""
        var attribute = Attribute()
        var fields = message
        while let field = try fields.next() {
            switch field.number {
            case 1: name = try message.text(field)
            case 2:
                guard case .fixed32(let bits) = field.value else { throw message.wrongType(field) }
                attribute.number = Float(bitPattern: bits)
            case 3: attribute.integer = try message.integer(field)
            case 4: attribute.text = try message.text(field)
            case 5: attribute.tensor = try message.message(field, label: message.label)
            case 8: try message.append(field, to: &attribute.integers, limit: listLimit)
            case 20: attribute.type = try message.integer(field)
            default: break
            }
        }
        return (name, attribute)
    }

    func integer(_ name: String, default value: Int64) throws(ModelFileError) -> Int64 {
        guard let attribute = attributes[name] else { return value }
        if let integer = attribute.integer { return integer }
        guard attribute.type == 2 else { throw wrongType(name) }
        return 0
    }

    func number(_ name: String, default value: Float) throws(ModelFileError) -> Float {
        guard let attribute = attributes[name] else { return value }
        if let number = attribute.number { return number }
        guard attribute.type == 1 else { throw wrongType(name) }
        return 0
    }

    func text(_ name: String, default value: String) throws(ModelFileError) -> String {
        guard let attribute = attributes[name] else { return value }
        guard let text = attribute.text else { throw wrongType(name) }
        return text
    }

    /// A list, or nil when it is absent.
    func integers(_ name: String) -> [Int64]? { attributes[name]?.integers }

    /// The message of a constant tensor, or nil when it is absent.
    func tensor(_ name: String) -> ProtobufMessage? { attributes[name]?.tensor }

    private func wrongType(_ name: String) -> ModelFileError {
        .malformedWeights(file: file, detail: "\(node): the attribute \(name) is of another type than ONNX gives it")
    }
}
