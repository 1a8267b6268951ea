import Foundation
import Harness
import Inference
import TestSupport
import Testing

@testable import ModelFiles

/// Broken models: an error that says where, never a trap, a hang or much memory.
struct ONNXHostileTests {
    private func expectMalformed(_ bytes: [UInt8], _ words: [String]) throws {
        let error = try #require(throws: ModelFileError.self, "\(words)") { try readONNX(bytes) }
        guard case .malformedWeights("m.onnx", let detail) = error else {
            Issue.record("\(words): \(error)")
            return
        }
        for word in words { #expect(detail.contains(word)) }
    }

    @Test func `every truncation is refused`() throws {
        let bytes = ONNXFixture.normalised.bytes
        for count in bytes.indices {
            #expect(throws: ModelFileError.self, "\(count) bytes") { try readONNX(Array(bytes[..<count])) }
        }
    }

    @Test(arguments: [
        ([UInt8](repeating: 0xFF, count: 16), "more than 64 bits"),
        ([UInt8](repeating: 0x80, count: 10) + [0x01], "more than 64 bits"),
        ([0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], "more than 64 bits"),
        ([0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0], "tag"), ([0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0], "tag"),
        ([0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 0, 0, 0], "tag"), ([0x0B, 0x0C, 0, 0, 0, 0, 0, 0, 0, 0], "wire type 3"),
        ([0x0F, 0, 0, 0, 0, 0, 0, 0, 0, 0], "wire type 7"),
        ([0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], "are left"),
        ([0x3A, 0x09, 0, 0, 0, 0, 0, 0, 0, 0], "9 bytes, 8 are left"),
        ([0x38, 1, 0x08, 1, 8, 1, 8, 1, 8, 1], "wire type"),
        ([0x08, 8, 0x08, 8, 0x08, 8, 0x08, 8, 0x09, 8], "ends inside"), ([0x08, 8, 8, 8, 8, 8, 8, 8, 8, 0x88], "ends"),
        ([0x08, 8, 8, 8, 8, 8, 8, 8, 8, 8], "no graph"), ([0x3A, 0, 0x3A, 0, 8, 8, 8, 8, 8, 8], "two graphs"),
    ])
    func `a broken encoding is refused`(bytes: [UInt8], words: String) throws { try expectMalformed(bytes, [words]) }

    @Test func `deep nesting is not followed`() throws {
        var bytes: [UInt8] = []
        for _ in 0..<2000 {
            var outer = ProtobufWriter()
            outer.bytes(7, bytes)
            bytes = outer.bytes
        }
        let error = try #require(throws: ModelFileError.self) { try readONNX(bytes) }
        #expect(error.description.contains("0 inputs"))
    }

    @Test(arguments: [
        ([-1, 3, 3, 3], "impossible shape"), ([Int.min, 1], "impossible shape"), ([Int.max, 3], "impossible shape"),
        ([1 << 32, 1 << 32], "impossible shape"), ([1 << 40], "bytes in all"), ([60], "needs 240 bytes and has 216"),
        ([], "needs 4 bytes"), ([0], "needs 0 bytes"), ([Int](repeating: 1, count: 17), "16 numbers or more"),
    ])
    func `an impossible shape is refused`(shape: [Int], words: String) throws {
        var writer = ProtobufWriter()
        writer.write(ONNXFixture.Tensor(name: "t", shape: shape, values: ONNXFixture.weights(3, 2)))
        let blocks = FileBlocks(WeightBytes(writer.bytes, name: "m.onnx"))
        let message = ProtobufMessage(blocks, writer.bytes.indices, label: "a tensor")
        let error = try #require(throws: ModelFileError.self) { try ONNXTensor(message).floats() }
        #expect(error.description.contains(words))
    }

    @Test(arguments: ONNXFixture.Placement.allCases, [1, 10, 11, 16])
    func `too few and too many numbers are refused by the tensor's name`(
        placement: ONNXFixture.Placement,
        type: Int
    ) throws {
        for count in [0, 71, 73, 100] {
            var model = ONNXFixture.valid
            model.tensors[2].placement = placement
            model.tensors[2].type = type
            model.tensors[2].values = [Float](repeating: 1, count: count)
            try expectMalformed(model.bytes, ["tensor b.w of shape [4, 2, 3, 3]"])
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity], ONNXFixture.Placement.allCases)
    func `a non-finite number is refused by its tensor's name`(value: Float, placement: ONNXFixture.Placement) throws {
        for index in [0, 1, 5] {
            var model = ONNXFixture.normalised
            model.tensors[index].placement = placement
            model.tensors[index].values[1] = value
            try expectMalformed(model.bytes, ["tensor \(model.tensors[index].name) holds NaN or infinity"])
        }
    }

    @Test func `numbers of another type are refused`() throws {
        for type in [0, 6, 7, 8, 17, -1] {
            var model = ONNXFixture.valid
            model.tensors[0].type = type
            try expectMalformed(model.bytes, ["tensor a.w has numbers of type \(type)"])
        }
    }

    @Test func `names that are taken twice are refused`() throws {
        var constants = ONNXFixture.valid
        constants.tensors.append(constants.tensors[1])
        try expectMalformed(constants.bytes, ["two initializers a.b"])
        for name in ["a.w", "image", "Conv0", "Conv3"] {
            var model = ONNXFixture.valid
            model.nodes[4].outputs = [name]
            try expectMalformed(model.bytes, ["node number", "makes the value \(name) once more"])
        }
    }

    @Test func `cycles end`() throws {
        var cycle = ONNXFixture.valid
        cycle.nodes[0].inputs[0] = "MaxPool2"
        cycle.nodes[3].inputs[0] = "image"
        #expect(throws: ModelFileError.self) { try readONNX(cycle.bytes) }
        var identities = ONNXFixture.valid
        identities.nodes[0].inputs[1] = "x"
        identities.nodes.append(ONNXFixture.Node(operation: "Identity", inputs: ["y"], outputs: ["x"]))
        identities.nodes.append(ONNXFixture.Node(operation: "Identity", inputs: ["x"], outputs: ["y"]))
        #expect(throws: ModelFileError.self) { try readONNX(identities.bytes) }
    }

    @Test(arguments: [[1], [5], [11], [12], [1, 1]])
    func `millions of parts are refused`(fields: [UInt8]) throws {
        // Each part is a message of two bytes: a name of no bytes.
        let part: [UInt8] = fields[0] == 5 ? [5 << 3 | 2, 2, 0x42, 0] : [fields[0] << 3 | 2, 2, 0x0A, 0]
        var graph: [UInt8] = []
        if fields.count == 1 {
            for _ in 0..<200_000 { graph += part }
        } else {
            // One node with a million inputs.
            var node = ProtobufWriter()
            node.bytes(1, Array(repeatElement([0x0A, 0], count: 300_000).joined()))
            graph = node.bytes
        }
        var file = ProtobufWriter()
        file.bytes(7, graph)
        #expect(throws: ModelFileError.self) { try readONNX(file.bytes) }
    }

    @Test(.timeLimit(.minutes(1))) func `many nodes take a time in proportion`() throws {
        var model = ONNXFixture()
        let count = 4000
        for index in 0..<count {
            let input = index == 0 ? "image" : "i\(index - 1)"
            model.nodes.append(ONNXFixture.Node(operation: "Identity", inputs: [input], outputs: ["i\(index)"]))
        }
        model.appendConvolution("a", 3, 2)
        model.append("Relu")
        // Every user of the last map leads to all the others behind it.
        let map = "Relu\(count + 1)"
        for index in 0..<count {
            let inputs = [map, "o\(index + 1)"]
            model.nodes.append(ONNXFixture.Node(operation: "Add", inputs: inputs, outputs: ["o\(index)"]))
        }
        #expect(try readONNX(model.bytes).description.architecture.stages == [[2]])
    }

    @Test(arguments: ["a\u{7F}b", "a\nb", String(repeating: "n", count: 5000)])
    func `names that are no names are refused`(name: String) throws {
        var model = ONNXFixture.valid
        model.nodes[1].outputs = [name]
        try expectMalformed(model.bytes, ["node number 1 has a name"])
    }

    /// `LIKENESS_FUZZ_EXECUTIONS` makes it longer.
    @Test func `random damage is refused or read as something sound`() throws {
        let count = ProcessInfo.processInfo.environment["LIKENESS_FUZZ_EXECUTIONS"].flatMap { Int($0) } ?? 2000
        let seed = UInt64.random(in: 0...UInt64.max)
        var packed = ONNXFixture.normalised
        for index in packed.tensors.indices { packed.tensors[index].placement = index % 2 == 0 ? .packed : .unpacked }
        let mutator = ByteMutator(files: [ONNXFixture.normalised.bytes, packed.bytes], seed: seed)
        let probe = try #require(WeightFileProbe(format: "onnx"))
        var accepted = 0
        // A trap would end the process; the probe checks what it is given.
        for number in 0..<count where probe.refusal(mutator.damaged(number)) == nil { accepted += 1 }
        #expect(accepted < count, "seed \(seed)")
    }
}
