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
