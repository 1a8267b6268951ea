internal import Inference

/// The sequence of convolutions that an ONNX graph begins with, found by following the image through it.
///
/// `Conv` [`BatchNormalization`] `Relu`, again and again, a `MaxPool` between two stages; `Identity` and `Dropout` change
/// nothing. The sequence ends behind the last `Relu` that has no further convolution behind it: pools, classifiers and whatever
/// else follows are left out. What stands between two convolutions must be of this form, or the file is refused.
struct ONNXLayerSequence {
    /// Convolutions by stage; no stage is empty.
    private(set) var stages: [[ONNXConvolution]] = []
    /// What the graph multiplies the image's three channels by before the first convolution, or nil.
    private(set) var imageScale: [Double]?
    private let graph: ONNXGraph
    private var state = State.image
    private var weightPlaces: Set<Int> = []

    /// What the value followed so far is.
    private enum State {
        case image
        case convolved
        case activated
        case pooled
    }

    var file: String { graph.file }

    /// Follows the image.
    ///
    /// - Throws: `.unsupportedNetwork` naming the node that does not fit and why; `.malformedWeights`.
    init(_ graph: ONNXGraph) throws(ModelFileError) {
        self.graph = graph
        var value = try graph.imageInput()
        // Each value has one producer, and each node followed has one input that is no constant: no node is visited twice.
        while let index = try user(of: value) {
            let node = graph.nodes[index]
            guard try take(node, at: index, value) else { return }
            value = try result(of: node)
        }
    }

    /// The node that uses a value, or nil where the sequence ends.
    private func user(of value: String) throws(ModelFileError) -> Int? {
        let users = graph.users[value] ?? []
        if users.count == 1, !graph.outputs.contains(value) { return users[0] }
        let origin = graph.producers[value].map { graph.nodes[$0].label } ?? "the image"
        switch state {
        case .image: throw graph.unsupported("\(origin) has \(users.count) uses before the first convolution")
        case .convolved: throw graph.unsupported("\(origin) has no Relu of its own behind it")
        case .activated, .pooled:
            guard let convolution = graph.convolution(from: users) else { return nil }
            throw graph.unsupported("the result of \(origin) has other uses than \(convolution.label) behind it")
        }
    }

    /// The value a node hands on; others that it makes, such as the mask of a `Dropout`, must be unused.
    private func result(of node: ONNXNode) throws(ModelFileError) -> String {
        guard let result = node.outputs.first, !result.isEmpty else {
            throw .malformedWeights(file: file, detail: "\(node.label) has no output")
        }
        for other in node.outputs.dropFirst() where graph.users[other] != nil || graph.outputs.contains(other) {
            throw graph.unsupported("\(node.label) has a second output in use")
        }
        return result
    }

    /// Takes the next node.
    ///
    /// - Returns: whether it belongs to the sequence; otherwise the sequence has ended.
    private mutating func take(_ node: ONNXNode, at index: Int, _ value: String) throws(ModelFileError) -> Bool {
        let isFirstInput = node.inputs.first == value
        switch (node.operation, state) {
        case ("Identity", _), ("Dropout", _): break
        case ("Transpose", .image): try takeTranspose(node)
        case ("Mul", .image), ("Div", .image):
            imageScale = try ONNXScale.read(node, value, in: graph, after: imageScale)
            return true
        case ("Conv", .image), ("Conv", .activated), ("Conv", .pooled): try takeConvolution(node)
        case ("BatchNormalization", .convolved): try takeNormalisation(node)
        case ("Relu", .convolved): state = .activated
        case ("MaxPool", .activated):
            if let problem = try ONNXPool.problem(node) {
                try end(at: index, problem)
                return false
            }
            state = .pooled
        default:
            try end(at: index, nil)
            return false
        }
        guard isFirstInput else { throw graph.unsupported("\(node.label) does not take \(value) as its data") }
        return true
    }

    private mutating func takeConvolution(_ node: ONNXNode) throws(ModelFileError) {
        let inputChannels = stages.last?.last?.outputChannels ?? 3
        let convolution = try ONNXConvolution(node, in: graph, inputChannels: inputChannels)
        // Else a small file could ask for much memory.
        guard weightPlaces.insert(convolution.weightPlace).inserted else {
            throw graph.unsupported("\(node.label) has the weights of another convolution")
        }
        if state != .activated { stages.append([]) }
        stages[stages.count - 1].append(convolution)
        state = .convolved
    }

    private mutating func takeNormalisation(_ node: ONNXNode) throws(ModelFileError) {
        let last = stages[stages.count - 1].count - 1
        guard !stages[stages.count - 1][last].isNormalised else {
            throw graph.unsupported("\(node.label) normalises once more")
        }
        try stages[stages.count - 1][last].normalise(node, in: graph)
    }

    /// Exporters of TensorFlow let images in as `[n, h, w, c]`; here they come as `[n, c, h, w]` anyway.
    private func takeTranspose(_ node: ONNXNode) throws(ModelFileError) {
        let order = try node.attributes().integers("perm") ?? []
        guard order == [0, 3, 1, 2], graph.producers[node.input(0) ?? ""] == nil else {
            throw graph.unsupported("\(node.label) brings the image's axes into the order \(order)")
        }
    }

    /// Checks that a node which does not belong to the sequence has no convolution behind it.
    private func end(at index: Int, _ problem: String?) throws(ModelFileError) {
        let node = graph.nodes[index]
        switch state {
        case .image:
            let shifts = node.operation == "Sub" || node.operation == "Add"
            throw graph.unsupported(
                shifts
                    ? "\(node.label) shifts the image, which zero padding makes impossible to fold into a convolution; "
                        + "export the network without its preprocessing"
                    : "\(node.label) stands before the first convolution"
            )
        case .convolved:
            let convolution = stages.last?.last?.label ?? "a convolution"
            throw graph.unsupported("\(node.label) follows \(convolution), expected Relu")
        case .activated, .pooled:
            guard let convolution = graph.convolution(from: [index]) else { return }
            throw graph.unsupported(
                problem ?? "\(node.label) stands between convolutions, \(convolution.label) behind it"
            )
        }
    }
}

extension ONNXGraph {
    func unsupported(_ detail: String) -> ModelFileError { .unsupportedNetwork(file: file, detail: detail) }
}

/// The only pool between two stages: the maximum of 2x2 pixels, stride 2, odd edges dropped.
enum ONNXPool {
    /// What is different about a `MaxPool` node, or nil.
    static func problem(_ node: ONNXNode) throws(ModelFileError) -> String? {
        let attributes = try node.attributes()
        for (name, wanted, absent) in [
            ("kernel_shape", [2, 2], []), ("strides", [2, 2], [1, 1]), ("dilations", [1, 1], [1, 1]),
            ("pads", [0, 0, 0, 0], [0, 0, 0, 0]),
        ] as [(String, [Int64], [Int64])] {
            let found = attributes.integers(name) ?? absent
            if found != wanted { return "\(node.label) has \(name) \(found), expected \(wanted)" }
        }
        let padding = try attributes.text("auto_pad", default: "NOTSET")
        guard ["", "NOTSET", "VALID"].contains(padding) else { return "\(node.label) has auto_pad \(padding)" }
        guard try attributes.integer("ceil_mode", default: 0) == 0 else { return "\(node.label) rounds sizes up" }
        return nil
    }
}
