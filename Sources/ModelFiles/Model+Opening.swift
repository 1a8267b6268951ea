internal import Foundation
package import Inference
internal import Platform

extension Model {
    /// Opens weights by what the command line says: `random:vgg16`, `random:vgg19`, a packed model file or a weight file.
    ///
    /// A weight file takes its format's usual preprocessing and the head `max` unless told otherwise, and stays in memory.
    package static func open(
        weights: String,
        preprocessing: Preprocessing? = nil,
        defaultHead: Head = .max
    ) throws(ModelFileError) -> Model {
        if let architecture = ["random:vgg16": Architecture.vgg16, "random:vgg19": .vgg19][weights] {
            return random(name: weights, architecture: architecture, preprocessing: preprocessing ?? .keras)
        }
        guard !weights.hasPrefix("random:") else {
            throw .unreadableWeights(file: weights, detail: "random networks are random:vgg16 and random:vgg19")
        }
        guard weights.hasSuffix(".pack") else {
            return try Model(foreign: weights, preprocessing: preprocessing, defaultHead: defaultHead)
        }
        return try Model(packedModel: weights)
    }

    /// Maps a packed model file and checks every byte of it against its digests.
    ///
    /// - Complexity: reads the whole file once, 0.25 s for VGG16.
    package init(packedModel path: String) throws(ModelFileError) {
        let map: MappedFile
        do throws(SystemError) { map = try MappedFile(path: path) } catch {
            throw .unreadableWeights(file: path, detail: error.description)
        }
        let header = try PackedModel.header(map.bytes, file: path)
        let layout = PackedModel.Layout(header.description, dataStart: header.dataStart)
        let storage = PackedModelWeights(map, layout)
        let whitening = storage.whitening(header.description.whitening)
        guard header.description.whitening == nil || whitening != nil else {
            throw .malformedWeights(file: path, detail: "its whitening is not finite")
        }
        let digest = Network.digest(storage, convolutionCount: layout.weights.count, whitening: whitening)
        guard digest == header.weightsDigest else {
            throw .malformedWeights(file: path, detail: "the weights do not match their digest")
        }
        self.init(
            name: Self.name(path),
            description: header.description,
            weightsDigest: digest,
            whitening: whitening,
            storage: storage
        )
    }

    /// Reads a weight file of any supported format into memory.
    package init(foreign path: String, preprocessing: Preprocessing?, defaultHead: Head) throws(ModelFileError) {
        let imported = try ImportedWeights(path: path, preprocessing: preprocessing, defaultHead: defaultHead)
        self.init(
            name: Self.name(path),
            description: imported.description,
            weightsDigest: imported.digest,
            whitening: imported.whitening,
            storage: imported.weights
        )
    }

    /// The untrained network of a shape, for benchmarks.
    private static func random(name: String, architecture: Architecture, preprocessing: Preprocessing) -> Model {
        let network = Network.random(
            name: name,
            architecture: architecture,
            preprocessing: preprocessing,
            seed: 0
        )
        let description = ModelDescription(
            architecture: architecture,
            preprocessing: preprocessing,
            isUntrained: true
        )
        return Model(
            network: network,
            summary: ModelSummary(name: name, description: description, weightsDigest: network.weightsDigest)
        )
    }

    private init(network: Network, summary: ModelSummary) {
        self.network = network
        self.summary = summary
    }

    /// A path's last component without its suffix.
    private static func name(_ path: String) -> String {
        URL(filePath: path).deletingPathExtension().lastPathComponent
    }
}

extension Network {
    /// Maps a packed model file and checks every byte of it against its digests.
    package static func open(packedModel path: String) throws(ModelFileError) -> Network {
        try Model(packedModel: path).network
    }
}
