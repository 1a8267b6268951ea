import Foundation
import Inference
import Platform
import TestSupport
import Testing

@testable import ModelFiles

struct PackedModelTests {
    let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func writeSmallModel() throws -> (path: String, weights: MemoryWeights) {
        let architecture = try #require(Architecture(stages: [[5], [3, 7]]))
        let weights = MemoryWeights.random(architecture, seed: 7, biasDeviation: 2)
        let path = folder.path + "/small.pack"
        var preprocessing = Preprocessing.torchvision
        preprocessing.side = 32
        try PackedModel.write(
            path,
            description: ModelDescription(
                architecture: architecture,
                preprocessing: preprocessing,
                defaultHead: .gem3,
                licence: "MIT"
            ),
            weightsDigest: Network.digest(weights, convolutionCount: 3),
            storage: weights
        )
        return (path, weights)
    }

    @Test func `a packed model file gives back what was written, aligned`() throws {
        let (path, weights) = try writeSmallModel()
        let model = try Model(packedModel: path)
        #expect(model.summary.name == "small")
        #expect(model.summary.defaultHead == .gem3)
        #expect(model.summary.licence == "MIT")
        #expect(model.network.preprocessing.scale == Preprocessing.torchvision.scale)
        for index in 0..<3 {
            model.network.withWeight(index) { span in
                #expect(span.indices.map { span[$0] } == weights.weights[index])
                span.withUnsafeBufferPointer { #expect(Int(bitPattern: $0.baseAddress) % PackedModel.alignment == 0) }
            }
            model.network.withBias(index) { span in #expect(span.indices.map { span[$0] } == weights.biases[index]) }
        }
        #expect(!FileManager.default.fileExists(atPath: path + ".tmp"))
    }

    /// Stores depend on both: the form of the description, and the digest in every fingerprint.
    @Test func `the stored form is that of the first version, to the byte`() throws {
        let (path, _) = try writeSmallModel()
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let start = #"{"architecture":[[5],[3,7]],"defaultHead":"gem3","isUntrained":false,"licence":"MIT","#
        #expect(bytes[128...].starts(with: start.utf8))
        #expect(bytes[8..<12].elementsEqual([1, 0, 0, 0]))
        // Computed by a program of its own after the formulas of `HeInitialisation`.
        let digest = "cb37f4767a27817ca584a67f693ca864ecb96a08f92d6f1a100a92be10d9665f"
        #expect(try Network.open(packedModel: path).fingerprint(head: .max).hasPrefix("weights=\(digest) side=32"))
        #expect(bytes[16..<48].map { String(format: "%02x", $0) }.joined() == digest)
    }

    @Test func `a changed byte is detected wherever it counts`() throws {
        let (path, _) = try writeSmallModel()
        let original = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let model = try Model(packedModel: path)
        let digest = model.network.weightsDigest
        var unnoticed = 0
        for position in original.indices {
            var bytes = original
            bytes[position] ^= 0x10
            try Data(bytes).write(to: URL(filePath: path))
            do {
                // Only padding may change unnoticed; the content is still the same.
                #expect(try Model(packedModel: path).network.weightsDigest == digest)
                unnoticed += 1
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
        #expect(unnoticed < 64 * 8, "only padding is free: \(unnoticed) bytes of \(original.count)")
    }

    @Test func `every truncation is refused`() throws {
        let (path, _) = try writeSmallModel()
        let original = [UInt8](try Data(contentsOf: URL(filePath: path)))
        for count in [0, 1, 7, 8, 12, 16, 48, 80, 127, 128, 200, original.count - 64, original.count - 1] {
            try Data(original[..<count]).write(to: URL(filePath: path))
            #expect(throws: ModelFileError.self, "\(count) bytes") { try Model(packedModel: path) }
        }
        try Data(original + [0]).write(to: URL(filePath: path))
        #expect(throws: ModelFileError.self) { try Model(packedModel: path) }
    }

    @Test func `a fingerprint tells weights, preprocessing and head`() throws {
        let (path, _) = try writeSmallModel()
        let network = try Network.open(packedModel: path)
        let text = network.fingerprint(head: .max)
        #expect(text.hasPrefix("weights=\(network.weightsDigest) side=32 geometry=centre-crop-256 order=rgb mean="))
        #expect(text.hasSuffix(" head=max"))
        #expect(text != network.fingerprint(head: .mean))
        #expect(
            Preprocessing.keras.canonicalText
                == "side=224 geometry=squash order=bgr mean=103.939,116.779,123.68 scale=1.0,1.0,1.0"
        )
    }
}
