package import Inference
package import Platform

/// What a packed model file says of itself: everything but the numbers.
package struct ModelDescription: Codable, Hashable, Sendable {
    package var architecture: Architecture
    package var preprocessing: Preprocessing
    /// The head that a new collection gets unless told otherwise.
    package var defaultHead: Head
    /// Free text for people; empty when unknown.
    package var licence: String
    /// Random weights: finds copies, not similar pictures.
    package var isUntrained: Bool
    /// Nil where the model brings none.
    var whitening: HeadWhitening.Description?

    package init(
        architecture: Architecture,
        preprocessing: Preprocessing,
        defaultHead: Head = .max,
        licence: String = "",
        isUntrained: Bool = false
    ) {
        self.architecture = architecture
        self.preprocessing = preprocessing
        self.defaultHead = defaultHead
        self.licence = licence
        self.isUntrained = isUntrained
    }

    /// Why this describes no usable network, or nil.
    var problem: String? {
        if let problem = preprocessing.problem { return problem }
        guard architecture.accepts(side: preprocessing.side) else {
            return "nothing is left of \(preprocessing.side) pixels after \(architecture.layers.poolCount) pools"
        }
        return licence.utf8.count <= 4096 ? nil : "the licence text is longer than 4096 bytes"
    }
}

/// One line of a list of models.
package struct ModelSummary: Codable, Hashable, Sendable {
    package let name: String
    /// For people, such as `VGG19 to conv5_1, widths 16-32-64-128-128`.
    package let architecture: String
    /// Length of the vectors.
    package let dimension: Int
    /// SHA-256 of the weights, hexadecimal.
    package let digest: String
    package let preprocessing: Preprocessing
    package let defaultHead: Head
    package let licence: String
    /// Random weights: finds copies, not similar pictures.
    package let isUntrained: Bool

    package init(name: String, description: ModelDescription, weightsDigest: SHA256Digest) {
        self.name = name
        architecture = description.architecture.description
        dimension = description.architecture.layers.outputChannels
        digest = weightsDigest.description
        preprocessing = description.preprocessing
        defaultHead = description.defaultHead
        licence = description.licence
        isUntrained = description.isUntrained
    }
}

/// A network, opened, and what its file says of it.
package struct Model: Sendable {
    package let network: Network
    package let summary: ModelSummary

    init(
        name: String,
        description: ModelDescription,
        weightsDigest: SHA256Digest,
        whitening: HeadWhitening?,
        storage: any WeightStorage
    ) {
        network = Network(
            name: name,
            layers: description.architecture.layers,
            preprocessing: description.preprocessing,
            weightsDigest: weightsDigest,
            whitening: whitening,
            storage: storage
        )
        summary = ModelSummary(name: name, description: description, weightsDigest: weightsDigest)
    }
}
