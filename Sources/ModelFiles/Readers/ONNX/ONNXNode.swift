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
