internal import Inference

/// An ONNX model (`ModelProto` of onnx.proto, a protocol buffer): its graph and its licence.
///
/// Names do not matter: the network is what the graph computes from its image input. Read strictly, because such files come
/// from anywhere; of numbers only those of the sequence's convolutions are read, so a classifier behind it costs nothing.
enum ONNXModel {
    private static let licenceLimit = 16 << 10

    /// Reads the sequence of convolutions.
    ///
    /// - Throws: `.malformedWeights`, `.unsupportedNetwork`, `.unreadableWeights`.
    static func read(_ bytes: WeightBytes) throws(ModelFileError) -> WeightFileContent {
        let message = ProtobufMessage(FileBlocks(bytes), 0..<bytes.count, label: "the file")
        var graph: ONNXGraph?
        var licences: [String: String] = [:]
        var fields = message
        while let field = try fields.next() {
            switch field.number {
            case 7:
                guard graph == nil else { throw message.malformed("has two graphs") }
                graph = try ONNXGraph(message.message(field, label: "the graph"))
            case 14:
                let (key, value) = try property(message.message(field, label: "a property of the model"))
                licences[key] = value
            default: break
            }
        }
        guard let graph else {
            throw .malformedWeights(file: bytes.file, detail: "as an ONNX model, it has no graph")
        }
        let licence = licences["licence"] ?? licences["license"] ?? ""
        return try content(ONNXLayerSequence(graph), licence: licence)
    }

    /// A `StringStringEntryProto`; its value is cut short.
    private static func property(_ message: ProtobufMessage) throws(ModelFileError) -> (key: String, value: String) {
        var key = ""
        var value = ""
        var fields = message
        while let field = try fields.next() {
            switch field.number {
            // Only two keys are of interest, so a long one is no error.
            case 1: if try message.place(field).count <= 7 { key = try message.text(field).lowercased() }
            case 2:
                let place = try message.place(field)
                let bytes = try message.blocks.bytes.read(place.prefix(licenceLimit))
                value = String(decoding: bytes, as: UTF8.self)
            default: break
            }
        }
        return (key, value)
    }

    /// Checks the shape of the whole sequence, then reads its numbers.
    private static func content(_ sequence: ONNXLayerSequence, licence: String) throws(ModelFileError)
        -> WeightFileContent
    {
        let file = sequence.file
        let widths = sequence.stages.map { $0.map(\.outputChannels) }
        guard let architecture = Architecture(stages: widths) else {
            let count = widths.joined().count
            throw .unsupportedNetwork(file: file, detail: "\(count) convolutions in \(widths.count) stages")
        }
        var weights = MemoryWeights(weights: [], biases: [])
        for (index, convolution) in sequence.stages.joined().enumerated() {
            let (weight, bias) = try convolution.numbers(inputScale: index == 0 ? sequence.imageScale : nil)
            weights.weights.append(weight)
            weights.biases.append(bias)
        }
        return WeightFileContent(architecture: architecture, weights: weights, licence: licence)
    }
}
