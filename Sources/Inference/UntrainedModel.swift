internal import CModels
internal import Foundation
internal import Platform

/// The model of a first start without any: VGG16 with seeded random weights, as `Models/untrained-vgg16.json` says.
enum UntrainedModel {
    private struct Manifest: Decodable {
        let name: String
        let stages: Architecture
        let seed: UInt64
        let preprocessing: Preprocessing
        let defaultHead: Head
        let licence: String
    }

    static let name = "untrained-vgg16"

    /// Makes its pack; the same bytes on every machine.
    ///
    /// - Complexity: 15 million weights, under a second in release builds.
    static func write(to path: String) throws(InferenceError) {
        var byteCount = 0
        let text = Data(bytes: CModels_untrained_vgg16(&byteCount), count: byteCount)
        let manifest: Manifest
        do { manifest = try JSONDecoder().decode(Manifest.self, from: text) } catch {
            throw .malformedWeights(file: "Models/untrained-vgg16.json", detail: "\(error)")
        }
        let weights = MemoryWeights.random(manifest.stages, seed: manifest.seed)
        let description = ModelDescription(
            architecture: manifest.stages,
            preprocessing: manifest.preprocessing,
            defaultHead: manifest.defaultHead,
            licence: manifest.licence,
            isUntrained: true
        )
        try Pack.write(
            path,
            description: description,
            weightsDigest: Network.digest(weights, convolutionCount: manifest.stages.convolutions.count),
            storage: weights
        )
    }
}
