import Foundation
import Harness
import Inference
import TestSupport
import Testing

@testable import ModelFiles

struct KerasWeightsTests {
    private static let files = HDF5Builder.Style.allCases.flatMap { style in
        KerasFixture.Layout.allCases.map { (style, $0) }
    }

    private func read(_ bytes: [UInt8]) throws -> ImportedWeights {
        try ImportedWeights(WeightBytes(bytes, name: "w.h5"), preprocessing: nil, defaultHead: .max)
    }

    /// The message with which bytes are refused.
    private func refusal(_ bytes: [UInt8]) throws -> String {
        try #require(throws: ModelFileError.self) { _ = try read(bytes) }.description
    }

    @Test(arguments: files)
    func `every layout gives the network and its weights in the engine's order`(
        style: HDF5Builder.Style,
        layout: KerasFixture.Layout
    ) throws {
        let model = try read(KerasFixture(style, layout).bytes)
        #expect(model.description.architecture.stages == [[2], [4]])
        #expect(model.description.preprocessing == .keras)
        for (index, layer) in KerasFixture.layers.enumerated() {
            #expect(model.weights.biases[index] == layer.bias)
            for place in 0..<9 {
                for input in 0..<layer.inputs {
                    for output in 0..<layer.outputs {
                        let there = layer.kernel[(place * layer.inputs + input) * layer.outputs + output]
                        #expect(model.weights.weights[index][(output * layer.inputs + input) * 9 + place] == there)
                    }
                }
            }
        }
    }

    @Test(arguments: files)
    func `a file that ends early is refused`(style: HDF5Builder.Style, layout: KerasFixture.Layout) throws {
        let bytes = KerasFixture(style, layout).bytes
        for count in Array(9..<110) + Array(stride(from: 110, to: bytes.count, by: 61)) + [bytes.count - 1] {
            #expect(throws: ModelFileError.self, "\(count) bytes") { try read(Array(bytes[..<count])) }
        }
    }

    @Test(arguments: [
        ("between block1_conv1 and block3_conv1", ["block1_conv1", "block3_conv1"]),
        ("between block1_conv1 and block1_conv3", ["block1_conv1", "block1_conv3"]),
        ("between block1_conv1 and block2_conv2", ["block1_conv1", "block2_conv2"]),
        ("block1_conv1 is missing", ["block1_conv2"]), ("block1_conv1 is missing", ["block2_conv1"]),
        ("no layer is named block1_conv1", []), ("no layer is named block1_conv1", ["conv1", "dense"]),
        ("block1_bn1\", which is no plain", ["block1_conv1", "block1_bn1"]),
        ("block01_conv1\", which is no plain", ["block01_conv1"]), ("which is no plain", ["block1_conv1_bn"]),
        ("which is no plain", ["block99999999999999999999_conv1"]), ("which is no plain", ["block1_conv65"]),
        ("does not say which layer", ["conv2d_1"]),
    ])
    func `layers that are no sequence are refused`(words: String, names: [String]) throws {
        var builder = HDF5Builder(.old)
        let members = names.map { name in
            (name, builder.group([("kernel", builder.dataset([1], [1])), ("bias", builder.dataset([1], [1]))]))
        }
        let message = try refusal(builder.file(members))
        #expect(message.contains(words), "\(message)")
    }

    @Test func `a layer needs a kernel and a bias that fit the channels before it`() throws {
        func file(_ kernel: [Int], _ bias: [Int], names: [String] = ["kernel", "bias"]) -> [UInt8] {
            var builder = HDF5Builder(.new)
            let members = zip(names, [kernel, bias]).map { name, shape in
                (name, builder.dataset(shape, [Float](repeating: 1, count: shape.reduce(1, *))))
            }
            return builder.file([("block1_conv1", builder.group(members))])
        }
        _ = try read(file([3, 3, 3, 2], [2]))
        for (kernel, bias, words) in [
            ([3, 3, 2, 2], [2], "expected [3, 3, 3, *]"), ([1, 1, 3, 2], [2], "expected [3, 3, 3, *]"),
            ([3, 3, 6], [6], "expected [3, 3, 3, *]"), ([], [1], "expected [3, 3, 3, *]"),
            ([3, 3, 3, 2], [3], "expected [2]"), ([3, 3, 3, 2], [2, 1], "expected [2]"),
            ([3, 3, 3, 0], [0], "1 convolutions of [[0]]"),
        ] {
            let message = try refusal(file(kernel, bias))
            #expect(message.contains("w.h5") && message.contains(words), "\(message)")
        }
        for names in [["kernel"], ["x", "bias"], ["kernel", "kernel:0"]] {
            #expect(throws: ModelFileError.self, "\(names)") { try read(file([3, 3, 3, 2], [2], names: names)) }
        }
    }

    @Test(arguments: [
        ("block1_conv1_2", "kernel:0", "bias:0"), ("a", "block1_conv1_W", "block1_conv1_b"),
        ("a", "block1_conv1_W_1:0", "block1_conv1_b_12:0"), ("vars", "0", "1"),
    ])
    func `names that Keras has numbered are understood`(group: String, kernel: String, bias: String) throws {
        var builder = HDF5Builder(.old)
        let members = [
            (kernel, builder.dataset([3, 3, 3, 1], [Float](repeating: 1, count: 27))),
            (bias, builder.dataset([1], [2])),
        ]
        let layer = builder.group([(group, builder.group(members))])
        #expect(try read(builder.file([("block1_conv1", layer)])).weights.biases == [[2]])
    }

    @Test func `layers of one name in two groups are refused`() throws {
        var builder = HDF5Builder(.old)
        let members = ["a", "b"].map { name in
            (name, builder.group([("block1_conv1", builder.group([("bias", builder.dataset([1], [1]))]))]))
        }
        #expect(try refusal(builder.file(members)).contains("b/block1_conv1/bias is the second bias"))
    }

    /// Damage to bytes in place; the checksums are put right half of the time, or nothing behind them would be tried.
    @Test func `a damaged file is refused by name or read as something sound`() throws {
        let variable = ProcessInfo.processInfo.environment["LIKENESS_FUZZ_EXECUTIONS"]
        let executions = variable.flatMap(Int.init) ?? 2000
        let fixtures = Self.files.map { style, layout in KerasFixture(style, layout) }
        let probe = try #require(WeightFileProbe(format: "keras"))
        for number in 0..<executions {
            let fixture = fixtures[number % fixtures.count]
            let mutator = ByteMutator(files: [fixture.bytes], seed: 3)
            var bytes = mutator.damaged(number)
            if number / fixtures.count % 2 == 0 { bytes = fixture.builder.repaired(bytes) }
            if let refusal = probe.refusal(bytes) {
                #expect(refusal.description.contains("probe"), "file \(number)")
            }
        }
    }
}
