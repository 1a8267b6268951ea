package import Inference
internal import Platform

/// The content of a foreign weight file, checked, in memory.
struct ImportedWeights {
    let description: ModelDescription
    let weights: MemoryWeights
    let whitening: HeadWhitening?
    let digest: SHA256Digest

    /// Reads a file of any supported format.
    ///
    /// - Parameters:
    ///   - path: a regular file.
    ///   - preprocessing: what the network was trained with; its format's usual one when nil.
    ///   - defaultHead: the head of new collections.
    /// - Throws: `.unreadableWeights`, `.malformedWeights`, `.unsupportedNetwork`.
    init(path: String, preprocessing: Preprocessing?, defaultHead: Head) throws(ModelFileError) {
        try self.init(WeightBytes(path: path), preprocessing: preprocessing, defaultHead: defaultHead)
    }

    /// Reads bytes of any supported format.
    init(_ bytes: WeightBytes, preprocessing: Preprocessing?, defaultHead: Head) throws(ModelFileError) {
        guard let format = try WeightFormat(bytes) else {
            throw .malformedWeights(file: bytes.file, detail: "\(bytes.count) bytes are no weight file")
        }
        let content = try format.read(bytes)
        var description = ModelDescription(
            architecture: content.architecture,
            preprocessing: preprocessing ?? format.usualPreprocessing,
            defaultHead: defaultHead,
            // The text goes to terminals and pages.
            licence: String(content.licence.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }.prefix(1000))
        )
        if let problem = description.problem { throw .unsupportedNetwork(file: bytes.file, detail: problem) }
        description.whitening = content.whitening?.description
        self.description = description
        weights = content.weights
        whitening = content.whitening
        digest = Network.digest(weights, convolutionCount: weights.weights.count, whitening: whitening)
    }
}

/// What a reader takes out of a weight file.
package struct WeightFileContent {
    package let architecture: Architecture
    package let weights: MemoryWeights
    /// Empty when the file does not say.
    var licence = ""
    /// Nil where the file has none.
    var whitening: HeadWhitening?
}

extension WeightFormat {
    /// Reads the sequence of convolutions.
    package func read(_ bytes: WeightBytes) throws(ModelFileError) -> WeightFileContent {
        switch self {
        case .safetensors:
            let file = try Safetensors(bytes)
            let licence = file.metadata["licence"] ?? file.metadata["license"] ?? ""
            var content = try TorchvisionLayout.read(file, licence: licence)
            content.whitening = try file.whitening(dimension: content.architecture.layers.outputChannels)
            return content
        case .torch:
            return try TorchvisionLayout.read(try TorchFile(bytes))
        case .keras:
            return try KerasLayout.read(bytes)
        case .onnx:
            return try ONNXModel.read(bytes)
        }
    }
}
