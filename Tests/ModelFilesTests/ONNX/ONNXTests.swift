import Foundation
import Inference
import TestSupport
import Testing

@testable import ModelFiles

/// Reads a model from memory, as an import would.
func readONNX(_ bytes: [UInt8]) throws -> ImportedWeights {
    try ImportedWeights(WeightBytes(bytes, name: "m.onnx"), preprocessing: nil, defaultHead: .max)
}

/// Models that are read, and what they become.
struct ONNXTests {
    private let first = ONNXFixture.weights(3, 2)
    private let second = ONNXFixture.weights(2, 4)

    private func expectValid(_ model: ONNXFixture, _ what: String = "") throws {
        let read = try readONNX(model.bytes)
        #expect(read.description.architecture.stages == [[2], [4]], "\(what)")
        #expect(read.weights.weights == [first, second], "\(what)")
        #expect(read.weights.biases == [ONNXFixture.biases(2), ONNXFixture.biases(4)], "\(what)")
    }

    @Test func `a sequence of layers becomes a network with its weights`() throws {
        try expectValid(.valid)
        let description = try readONNX(ONNXFixture.valid.bytes).description
        #expect(description.preprocessing == .torchvision)
        #expect(description.licence.isEmpty)
    }

    @Test(arguments: [1, 10, 11, 16], ONNXFixture.Placement.allCases)
    func `every number format is read from every place`(type: Int, placement: ONNXFixture.Placement) throws {
        var model = ONNXFixture.valid
        for index in model.tensors.indices {
            model.tensors[index].type = type
            model.tensors[index].placement = placement
        }
        try expectValid(model)
    }

    @Test func `a batch normalisation is folded with its own epsilon`() throws {
        let read = try readONNX(ONNXFixture.normalised.bytes)
        // gamma / sqrt(variance + 1) is 1 and 1/8.
        let folded = first.enumerated().map { index, weight -> Float in index < 27 ? weight : weight / 8 }
        #expect(read.weights.weights[0] == folded)
        #expect(read.weights.biases[0] == [-4, -1.625])
        #expect(read.weights.weights[1] == second)
    }

    @Test func `a convolution without bias has zeros`() throws {
        var model = ONNXFixture.valid
        model.nodes[0].inputs.removeLast()
        model.nodes[3].inputs[2] = ""
        #expect(try readONNX(model.bytes).weights.biases == [[0, 0], [0, 0, 0, 0]])
    }

    @Test(arguments: ["Identity", "Dropout"], [-1, 0, 1, 2, 3, 4])
    func `what changes nothing is passed through`(operation: String, position: Int) throws {
        var model = ONNXFixture.valid
        model.insert(operation, after: position)
        try expectValid(model)
    }

    @Test func `constants may come from nodes`() throws {
        var model = ONNXFixture.valid
        let weight = model.tensors.remove(at: 0)
        model.nodes.insert(
            ONNXFixture.Node(
                operation: "Constant",
                inputs: [],
                outputs: ["constant"],
                attributes: ["value": .tensor(weight)]
            ),
            at: 0
        )
        model.nodes.append(ONNXFixture.Node(operation: "Identity", inputs: ["constant"], outputs: ["a.w"]))
        try expectValid(model)
    }

    @Test(arguments: ["SAME_UPPER", "SAME_LOWER"])
    func `automatic padding of the same size is one pixel`(padding: String) throws {
        var model = ONNXFixture.valid
        model.nodes[0].attributes = ["auto_pad": .text(padding)]
        model.nodes[2].attributes["auto_pad"] = .text("VALID")
        try expectValid(model)
    }

    @Test func `settings that say what is so anyway are accepted`() throws {
        var model = ONNXFixture.valid
        model.nodes[0].attributes.merge(
            [
                "group": .integer(1), "dilations": .integers([1, 1]), "strides": .integers([1, 1]),
                "auto_pad": .text("NOTSET"),
            ]
        ) { $1 }
        model.nodes[2].attributes.merge(["ceil_mode": .integer(0), "pads": .integers([0, 0, 0, 0])]) { $1 }
        model.nodes[0].domain = "ai.onnx"
        // Until version 4 of the format, constants were listed as inputs too.
        model.inputs += model.tensors.map(\.name)
        try expectValid(model)
    }

    @Test(arguments: [
        ["GlobalAveragePool", "Flatten", "Gemm"], ["MaxPool", "Reshape", "Gemm", "Relu", "Gemm"], ["AveragePool"],
        ["LRN", "GlobalMaxPool"], [],
    ])
    func `what is behind the last Relu is left out, unread`(tail: [String]) throws {
        var model = ONNXFixture.valid
        model.nodes.removeLast()
        for operation in tail {
            let constants = operation == "Gemm" ? ["classifier"] : []
            model.append(operation, constants, operation == "MaxPool" ? ONNXFixture.pool : [:])
        }
        model.outputs = [model.nodes[model.nodes.count - 1].outputs[0]]
        // Would be refused if it were read.
        model.tensors.append(ONNXFixture.Tensor(name: "classifier", shape: [7, 9], values: [.nan]))
        try expectValid(model, "\(tail)")
    }

    @Test func `several heads may share the last map`() throws {
        var model = ONNXFixture.valid
        model.nodes.append(ONNXFixture.Node(operation: "GlobalAveragePool", inputs: ["Relu4"], outputs: ["mean"]))
        model.outputs += ["mean", "Relu4"]
        try expectValid(model)
    }

    @Test func `a factor of the image goes into the first convolution`() throws {
        var model = ONNXFixture.valid
        model.insert("Mul", after: -1)
        model.nodes[0].inputs = ["factor", "image"]
        model.tensors.append(ONNXFixture.Tensor(name: "factor", shape: [1, 3, 1, 1], values: [4, 8, 16]))
        model.nodes.insert(ONNXFixture.Node(operation: "Div", inputs: ["inserted", "two"], outputs: ["half"]), at: 1)
        model.nodes[2].inputs[0] = "half"
        model.tensors.append(ONNXFixture.Tensor(name: "two", shape: [], values: [2]))
        let read = try readONNX(model.bytes)
        let factors: [Float] = [2, 4, 8]
        #expect(read.weights.weights[0] == first.enumerated().map { factors[$0 / 9 % 3] * $1 })
        #expect(read.weights.weights[1] == second)
    }

    @Test func `images that come with channels last are transposed first`() throws {
        var model = ONNXFixture.valid
        model.insert("Transpose", after: -1, ["perm": .integers([0, 3, 1, 2])])
        try expectValid(model)
    }

    @Test(arguments: ["licence", "License", "LICENSE"])
    func `the licence is taken from the properties`(key: String) throws {
        var model = ONNXFixture.valid
        model.properties = [("author", "someone"), (key, "CC BY 4.0\u{1B}[31m")]
        #expect(try readONNX(model.bytes).description.licence == "CC BY 4.0[31m")
    }

    @Test func `a file is read in blocks, wherever their borders fall`() throws {
        let folder = try TemporaryDirectory()
        var model = ONNXFixture.valid
        // Larger than a block; skipped.
        model.tensors.insert(
            ONNXFixture.Tensor(name: "classifier", shape: [1 << 13], values: [Float](repeating: .nan, count: 1 << 13)),
            at: 1
        )
        let bytes = model.bytes
        for padding in stride(from: 15_000, to: 16_500, by: 101) {
            var file = ProtobufWriter()
            file.bytes(900, [UInt8](repeating: 0xFF, count: padding))
            let path = folder.path + "/m.onnx"
            try Data(file.bytes + bytes).write(to: URL(filePath: path))
            let read = try ImportedWeights(path: path, preprocessing: nil, defaultHead: .max)
            #expect(read.weights.weights == [first, second], "\(padding)")
        }
    }

    @Test func `unknown fields are skipped`() throws {
        var file = ProtobufWriter()
        file.fixed64(900, 1)
        file.fixed32(901, 1)
        file.varint(902, -1)
        file.bytes(903, [1, 2, 3])
        let read = try readONNX(file.bytes + ONNXFixture.valid.bytes)
        #expect(read.weights.weights == [first, second])
    }
}
