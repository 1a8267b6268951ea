import Inference
import Testing

@testable import ModelFiles

/// Sound models that are no plain sequence of 3x3 convolutions: refused, with the node and the reason.
struct ONNXRefusalTests {
    /// Expects `.unsupportedNetwork` with these words.
    private func expectUnsupported(_ model: ONNXFixture, _ words: [String]) throws {
        let error = try #require(throws: ModelFileError.self, "\(words)") { try readONNX(model.bytes) }
        guard case .unsupportedNetwork(let file, let detail) = error else {
            Issue.record("\(words): \(error)")
            return
        }
        #expect(file == "m.onnx")
        for word in words { #expect(detail.contains(word)) }
    }

    @Test(
        arguments: [
            ("kernel_shape", .integers([5, 5]), "kernel_shape"), ("strides", .integers([2, 2]), "strides"),
            ("dilations", .integers([2, 2]), "dilations"), ("pads", .integers([0, 0, 0, 0]), "pads"),
            ("pads", .integers([1, 1]), "pads"), ("auto_pad", .text("VALID"), "VALID"),
            ("group", .integer(2), "groups"),
            ("strides", .integers([]), "strides"),
        ] as [(String, ONNXFixture.Attribute, String)]
    )
    func `another convolution`(name: String, value: ONNXFixture.Attribute, word: String) throws {
        for position in [0, 3] {
            var model = ONNXFixture.valid
            model.nodes[position].attributes[name] = value
            try expectUnsupported(model, ["node number \(position) (Conv)", word])
        }
    }

    @Test(arguments: [[2, 3, 5, 5], [2, 4, 3, 3], [2, 3, 9], [54], [0, 3, 3, 3]])
    func `weights of another shape`(shape: [Int]) throws {
        var model = ONNXFixture.valid
        let count = shape.reduce(1, *)
        model.tensors[0] = ONNXFixture.Tensor(
            name: "a.w",
            shape: shape,
            values: (0..<count).map { Float($0) }
        )
        #expect(throws: ModelFileError.self) { try readONNX(model.bytes) }
    }

    @Test(
        arguments: [
            ("kernel_shape", .integers([3, 3])), ("strides", .integers([1, 1])), ("pads", .integers([0, 0, 1, 1])),
            ("dilations", .integers([2, 2])), ("ceil_mode", .integer(1)), ("auto_pad", .text("SAME_UPPER")),
        ] as [(String, ONNXFixture.Attribute)]
    )
    func `another pool`(name: String, value: ONNXFixture.Attribute) throws {
        var model = ONNXFixture.valid
        model.nodes[2].attributes[name] = value
        try expectUnsupported(model, ["node number 2 (MaxPool)"])
    }

    @Test(arguments: [
        ("LRN", -1, "before the first convolution"), ("MaxPool", -1, "before the first convolution"),
        ("Sub", -1, "shifts the image"), ("Add", -1, "shifts the image"), ("Mul", -1, "no constant"),
        ("Sigmoid", 0, "expected Relu"), ("Conv", 0, "expected Relu"), ("LRN", 1, "between convolutions"),
        ("MaxPool", 2, "between convolutions"), ("AveragePool", 2, "between convolutions"),
        ("Cast", 1, "between convolutions"), ("BatchNormalization", 1, "between convolutions"),
        ("LeakyRelu", 3, "expected Relu"), ("Transpose", -1, "axes"), ("GlobalMaxPool", 1, "between convolutions"),
    ])
    func `a node that does not belong`(operation: String, position: Int, words: String) throws {
        var model = ONNXFixture.valid
        model.insert(operation, after: position)
        try expectUnsupported(model, ["(\(operation))", words])
    }

    @Test func `a convolution without Relu`() throws {
        var middle = ONNXFixture.valid
        middle.nodes.remove(at: 1)
        middle.nodes[1].inputs[0] = "Conv0"
        try expectUnsupported(middle, ["(MaxPool) follows node number 0 (Conv), expected Relu"])
        var end = ONNXFixture.valid
        end.nodes.removeLast(2)
        end.outputs = ["Conv3"]
        try expectUnsupported(end, ["node number 3 (Conv) has no Relu"])
    }

    @Test(arguments: ["image", "Conv0", "Relu1", "MaxPool2", "Conv3"])
    func `a value with a second use before the end`(value: String) throws {
        var model = ONNXFixture.valid
        model.nodes.append(ONNXFixture.Node(operation: "Add", inputs: [value, value], outputs: ["sum"]))
        try expectUnsupported(model, [])
        model = .valid
        model.outputs.append(value)
        try expectUnsupported(model, [])
    }

    @Test func `a second output in use`() throws {
        var model = ONNXFixture.valid
        model.nodes[2].outputs.append("indices")
        model.outputs.append("indices")
        try expectUnsupported(model, ["(MaxPool)", "second output"])
    }

    @Test func `an operation of another domain`() throws {
        var model = ONNXFixture.valid
        model.nodes[1].domain = "com.example"
        try expectUnsupported(model, ["com.example.Relu"])
    }

    @Test func `weights that are computed, shared or the image`() throws {
        var computed = ONNXFixture.valid
        computed.nodes[3].inputs[1] = "sum"
        computed.nodes.append(ONNXFixture.Node(operation: "Add", inputs: ["b.w", "b.w"], outputs: ["sum"]))
        try expectUnsupported(computed, ["no constant"])
        var shared = ONNXFixture()
        shared.appendConvolution("a", 3, 3)
        shared.append("Relu")
        shared.append("Conv", ["a.w", "a.b"], ["pads": .integers([1, 1, 1, 1])])
        shared.append("Relu")
        try expectUnsupported(shared, ["weights of another convolution"])
        var image = ONNXFixture.valid
        image.nodes[0].inputs = ["a.w", "image"]
        try expectUnsupported(image, ["node number 0"])
    }

    @Test(arguments: [0, 2, 3])
    func `another number of inputs`(count: Int) throws {
        var model = ONNXFixture.valid
        model.inputs = ["image", "mask", "more"].suffix(count)
        try expectUnsupported(model, ["\(count) inputs"])
    }

    @Test(
        arguments: [
            ("training_mode", .integer(1), "training"), ("spatial", .integer(0), "pixel"),
            ("epsilon", .number(-1), "epsilon"),
            ("epsilon", .number(.nan), "epsilon"),
        ] as [(String, ONNXFixture.Attribute, String)]
    )
    func `another normalisation`(name: String, value: ONNXFixture.Attribute, word: String) throws {
        var model = ONNXFixture.normalised
        model.nodes[1].attributes[name] = value
        try expectUnsupported(model, ["(BatchNormalization)", word])
    }

    @Test func `normalisations that do not fit`() throws {
        var twice = ONNXFixture.normalised
        twice.nodes.insert(twice.nodes[1], at: 2)
        twice.nodes[2].inputs[0] = "normal"
        twice.nodes[2].outputs = ["again"]
        twice.nodes[3].inputs = ["again"]
        try expectUnsupported(twice, ["once more"])
        var short = ONNXFixture.normalised
        short.nodes[1].inputs.removeLast()
        try expectUnsupported(short, ["lacks input 4"])
        var narrow = ONNXFixture.normalised
        narrow.tensors[4].shape = [1]
        narrow.tensors[4].values = [1]
        try expectUnsupported(narrow, ["tensor gamma", "[1]", "[2]"])
        var negative = ONNXFixture.normalised
        negative.tensors[7].values = [1, -2]
        let error = try #require(throws: ModelFileError.self) { try readONNX(negative.bytes) }
        #expect(error.description.contains("channel 1"))
    }

    @Test func `a factor of the image that is none`() throws {
        for (operation, shape, values) in [
            ("Mul", [2], [1, 2]), ("Mul", [3], [1, 2, 3]), ("Mul", [1, 1, 1, 1, 1], [1]), ("Div", [], [0]),
        ] as [(String, [Int], [Float])] {
            var model = ONNXFixture.valid
            model.insert(operation, after: -1)
            model.nodes[0].inputs.append("factor")
            model.tensors.append(ONNXFixture.Tensor(name: "factor", shape: shape, values: values))
            try expectUnsupported(model, ["(\(operation)) scales the image"])
        }
        var inverse = ONNXFixture.valid
        inverse.insert("Div", after: -1)
        inverse.nodes[0].inputs = ["factor", "image"]
        inverse.tensors.append(ONNXFixture.Tensor(name: "factor", shape: [], values: [1]))
        try expectUnsupported(inverse, ["(Div)", "no constant"])
    }

    @Test func `numbers in another file`() throws {
        var model = ONNXFixture.valid
        model.tensors[2].isExternal = true
        try expectUnsupported(model, ["tensor b.w is in another file", "save the model as one file"])
    }

    @Test func `too many convolutions`() throws {
        var model = ONNXFixture()
        for index in 0..<65 {
            model.appendConvolution("c\(index)", index == 0 ? 3 : 1, 1)
            model.append("Relu")
        }
        try expectUnsupported(model, ["65 convolutions"])
    }
}
