internal import Inference

/// A 3x3 convolution of stride 1 with one pixel of zeros around its input, and the batch normalisation behind it if any.
struct ONNXConvolution {
    /// For errors.
    let label: String
    private let file: String
    private let weight: ONNXTensor
    private let bias: ONNXTensor?
    private var normalisation: Normalisation?

    /// The constants of a `BatchNormalization`, not read yet.
    private struct Normalisation {
        let tensors: [ONNXTensor]
        let epsilon: Float
    }

    var outputChannels: Int { weight.shape[0] }
    var isNormalised: Bool { normalisation != nil }
    /// Tells constants apart.
    var weightPlace: Int { weight.message.range.lowerBound }

    /// Checks a `Conv` node's settings and shapes.
    ///
    /// - Parameters:
    ///   - node: the node.
    ///   - graph: where its constants are.
    ///   - inputChannels: what its input has.
    /// - Throws: `.unsupportedNetwork` naming the node and what is different.
    init(_ node: ONNXNode, in graph: ONNXGraph, inputChannels: Int) throws(ModelFileError) {
        label = node.label
        file = graph.file
        let attributes = try node.attributes()
        let padding = try attributes.text("auto_pad", default: "NOTSET")
        let settings: [(String, [Int64])] = [("kernel_shape", [3, 3]), ("strides", [1, 1]), ("dilations", [1, 1])]
        for (name, wanted) in settings {
            if let found = attributes.integers(name), found != wanted {
                throw graph.unsupported("\(label) has \(name) \(found), expected \(wanted)")
            }
        }
        let groups = try attributes.integer("group", default: 1)
        guard groups == 1 else { throw graph.unsupported("\(label) works in \(groups) groups") }
        // With stride 1, either SAME puts one pixel on each side of a 3x3 window.
        if padding == "NOTSET" || padding.isEmpty {
            let pads = attributes.integers("pads") ?? [0, 0, 0, 0]
            guard pads == [1, 1, 1, 1] else {
                throw graph.unsupported("\(label) has pads \(pads), expected [1, 1, 1, 1]")
            }
        } else if padding != "SAME_UPPER" && padding != "SAME_LOWER" {
            throw graph.unsupported("\(label) has auto_pad \(padding), expected SAME_UPPER")
        }
        guard let name = node.input(1), let weight = try graph.constant(name) else {
            throw graph.unsupported("\(label) has weights that are no constant")
        }
        guard weight.shape.count == 4, Array(weight.shape[1...]) == [inputChannels, 3, 3] else {
            throw graph.unsupported(
                "\(label) has weights of shape \(weight.shape), expected [*, \(inputChannels), 3, 3]"
            )
        }
        self.weight = weight
        bias = try node.input(2).map { name throws(ModelFileError) in
            try Self.vector(name, of: node, count: weight.shape[0], in: graph)
        }
    }

    /// Takes the `BatchNormalization` behind this convolution.
    mutating func normalise(_ node: ONNXNode, in graph: ONNXGraph) throws(ModelFileError) {
        let attributes = try node.attributes()
        guard try attributes.integer("training_mode", default: 0) == 0 else {
            throw graph.unsupported("\(node.label) is in training mode; export the network for inference")
        }
        guard try attributes.integer("spatial", default: 1) == 1 else {
            throw graph.unsupported("\(node.label) normalises every pixel by itself")
        }
        let epsilon = try attributes.number("epsilon", default: 1e-5)
        guard epsilon.isFinite, epsilon >= 0 else { throw graph.unsupported("\(node.label) has epsilon \(epsilon)") }
        var tensors: [ONNXTensor] = []
        for index in 1...4 {
            guard let name = node.input(index) else { throw graph.unsupported("\(node.label) lacks input \(index)") }
            tensors.append(try Self.vector(name, of: node, count: outputChannels, in: graph))
        }
        normalisation = Normalisation(tensors: tensors, epsilon: epsilon)
    }

    /// A constant of one number a channel.
    private static func vector(
        _ name: String,
        of node: ONNXNode,
        count: Int,
        in graph: ONNXGraph
    ) throws(ModelFileError) -> ONNXTensor {
        guard let tensor = try graph.constant(name) else {
            throw graph.unsupported("\(node.label) takes \(name), which is no constant")
        }
        guard tensor.shape == [count] else {
            throw graph.unsupported("\(tensor.label) of \(node.label) has shape \(tensor.shape), expected [\(count)]")
        }
        return tensor
    }

    /// Reads the numbers, normalisation folded in.
    ///
    /// - Parameter inputScale: factors of the input's channels, which go into the weights, or nil.
    /// - Returns: weights `[output, input, 3, 3]` and bias `[output]`, all finite.
    /// - Throws: `.malformedWeights` naming the tensor or the node.
    func numbers(inputScale: [Double]?) throws(ModelFileError) -> (weight: [Float], bias: [Float]) {
        var weights = try weight.floats()
        var biases = try bias?.floats() ?? [Float](repeating: 0, count: outputChannels)
        if let inputScale {
            for index in weights.indices {
                weights[index] = Float(Double(weights[index]) * inputScale[index / 9 % inputScale.count])
            }
        }
        if let normalisation {
            let batch = BatchNormalisation(
                gamma: try normalisation.tensors[0].floats(),
                beta: try normalisation.tensors[1].floats(),
                mean: try normalisation.tensors[2].floats(),
                variance: try normalisation.tensors[3].floats(),
                epsilon: Double(normalisation.epsilon)
            )
            if let channel = batch.fold(into: &weights, &biases) {
                throw .malformedWeights(
                    file: file,
                    detail: "\(label): the normalisation of channel \(channel) divides by no positive number"
                )
            }
        }
        guard weights.allSatisfy(\.isFinite), biases.allSatisfy(\.isFinite) else {
            throw .malformedWeights(file: file, detail: "\(label): scaled, its weights are beyond fp32")
        }
        return (weights, biases)
    }
}

/// A `Mul` or `Div` of the image by a constant, which goes exactly into the first convolution: its padding stays zero.
enum ONNXScale {
    /// The factors of the image's three channels after this node.
    ///
    /// - Parameters:
    ///   - node: a `Mul` or `Div` node.
    ///   - value: which of its inputs is the image.
    ///   - graph: where its constant is.
    ///   - earlier: the factors before this node; nil for 1.
    /// - Returns: three finite factors.
    /// - Throws: `.unsupportedNetwork` when it is anything but a finite constant a channel.
    static func read(
        _ node: ONNXNode,
        _ value: String,
        in graph: ONNXGraph,
        after earlier: [Double]?
    ) throws(ModelFileError) -> [Double] {
        let isDivision = node.operation == "Div"
        guard node.inputs.count == 2, let place = node.inputs.firstIndex(of: value), place == 0 || !isDivision,
            let tensor = try graph.constant(node.inputs[1 - place])
        else { throw graph.unsupported("\(node.label) scales the image by no constant") }
        let channels = tensor.shape.drop { $0 == 1 }
        guard tensor.shape.count <= 4, channels.isEmpty || Array(channels) == [3, 1, 1] else {
            throw graph.unsupported("\(node.label) scales the image by a tensor of shape \(tensor.shape)")
        }
        let constants = try tensor.floats()
        let old = earlier ?? [1, 1, 1]
        var factors: [Double] = []
        for channel in 0..<3 {
            let constant = Double(constants[constants.count == 3 ? channel : 0])
            let factor = isDivision ? old[channel] / constant : old[channel] * constant
            guard factor.isFinite else { throw graph.unsupported("\(node.label) scales the image beyond all bounds") }
            factors.append(factor)
        }
        return factors
    }
}
