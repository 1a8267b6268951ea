import Foundation
import Inference
import LinearAlgebra
import Platform
import TestSupport
import Testing

@testable import ModelFiles

struct HeadWhiteningTests {
    let folder: TemporaryDirectory
    private let architecture = Architecture(stages: [[5], [3]])
    private let map = HeadWhitening(
        head: .gem3,
        whitening: Whitening(mean: [0.5, 0.25, 0], matrix: [2, 0, 0, 0, 1, 0.5, 0, 0.5, 1], sampleCount: 9)!
    )

    init() throws { folder = try TemporaryDirectory() }

    private func writeModel() throws -> String {
        let architecture = try #require(architecture)
        let weights = MemoryWeights.random(architecture, seed: 3)
        var description = ModelDescription(architecture: architecture, preprocessing: .keras, defaultHead: .gem3)
        description.whitening = map.description
        let path = folder.path + "/whitened.pack"
        try PackedModel.write(
            path,
            description: description,
            weightsDigest: Network.digest(weights, convolutionCount: 2, whitening: map),
            whitening: map,
            storage: weights
        )
        return path
    }

    @Test func `a packed model file keeps it, and the weights digest covers it`() throws {
        let network = try Network.open(packedModel: writeModel())
        #expect(network.whitening == map)
        let plain = MemoryWeights.random(try #require(architecture), seed: 3)
        #expect(network.weightsDigest != Network.digest(plain, convolutionCount: 2))
    }

    @Test func `a changed byte is detected wherever it counts`() throws {
        let path = try writeModel()
        let original = [UInt8](try Data(contentsOf: URL(filePath: path)))
        var unnoticed = 0
        for position in original.indices {
            var bytes = original
            bytes[position] ^= 0x10
            try Data(bytes).write(to: URL(filePath: path))
            if let network = try? Network.open(packedModel: path) {
                #expect(network.whitening == map)
                unnoticed += 1
            }
        }
        // Six tensors, each padded to 64 bytes, and the header.
        #expect(unnoticed < 64 * 8)
        for count in [original.count - 64, original.count - 128] {
            try Data(original[..<count]).write(to: URL(filePath: path))
            #expect(throws: ModelFileError.self) { try Network.open(packedModel: path) }
        }
    }

    @Test func `vectors of its head are whitened, those of others are not`() throws {
        let network = try Network.open(packedModel: writeModel())
        let vector: [Float] = [0.6, 0.8, 0]
        #expect(network.finished(vector, head: .max) == vector)
        let finished = network.finished(vector, head: .gem3)
        // W (x - mean) = (0.2, 0.55, 0.275)
        let length = (0.2 * 0.2 + 0.55 * 0.55 + 0.275 * 0.275).squareRoot()
        for (found, wanted) in zip(finished, [0.2, 0.55, 0.275]) {
            #expect(abs(Double(found) - wanted / length) < 1e-6)
        }
    }

    private func weightFile(_ metadata: String, mean: [Float] = [0.5, 0.25, 0]) -> WeightBytes {
        var data: [UInt8] = []
        var entries: [String] = []
        func add(_ name: String, _ shape: [Int], _ values: [Float]) {
            let start = data.count
            for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
            entries.append(#""\#(name)":{"dtype":"F32","shape":\#(shape),"data_offsets":[\#(start),\#(data.count)]}"#)
        }
        add("features.0.weight", [3, 3, 3, 3], (0..<81).map(Float.init))
        add("features.0.bias", [3], [1, 2, 3])
        add("whitening.mean", [mean.count], mean)
        add("whitening.matrix", [3, 3], map.whitening.matrix)
        let header = Array("{\(entries.joined(separator: ",")),\"__metadata__\":\(metadata)}".utf8)
        let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
        return WeightBytes(length + header + data, name: "test.safetensors")
    }

    @Test func `safetensors bring it`() throws {
        let file = weightFile(#"{"whitening_head":"gem3","whitening_samples":"9"}"#)
        let imported = try ImportedWeights(file, preprocessing: nil, defaultHead: .gem3)
        #expect(imported.whitening == map)
        #expect(imported.description.whitening == map.description)
    }

    @Test(arguments: [
        "{}", #"{"whitening_head":"gem3"}"#, #"{"whitening_head":"gem4","whitening_samples":"9"}"#,
        #"{"whitening_head":"gem3","whitening_samples":"0"}"#,
    ])
    func `one that lacks a word is refused by name`(metadata: String) throws {
        let error = try #require(throws: ModelFileError.self) {
            try ImportedWeights(weightFile(metadata), preprocessing: nil, defaultHead: .max)
        }
        #expect(error.description.contains("whitening"))
    }

    @Test func `one of another dimension or with infinities is refused`() {
        let words = #"{"whitening_head":"gem3","whitening_samples":"9"}"#
        for mean: [Float] in [[1, 2], [1, 2, .infinity]] {
            #expect(throws: ModelFileError.self) {
                try ImportedWeights(weightFile(words, mean: mean), preprocessing: nil, defaultHead: .max)
            }
        }
    }
}
