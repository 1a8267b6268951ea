/// The model of a first start without any: VGG16 with seeded random weights, as `Models/untrained-vgg16.json` says.
enum UntrainedModel {
    static let name = "untrained-vgg16"

    /// Makes its pack; the same bytes on every machine.
    ///
    /// - Complexity: 15 million weights, under a second in release builds.
    static func write(to path: String) throws(InferenceError) {
        let manifest = try ModelManifest.embedded(name)
        guard let seed = manifest.seed else { throw .invalidManifest("\(name) has no seed") }
        let weights = MemoryWeights.random(manifest.stages, seed: seed)
        try Pack.write(
            path,
            description: manifest.modelDescription,
            weightsDigest: Network.digest(weights, convolutionCount: manifest.stages.convolutions.count),
            storage: weights
        )
    }
}
