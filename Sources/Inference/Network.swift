package import Platform

/// The global pooling that makes a global descriptor, one vector an image, of the last feature map. Every vector is
/// L2-normalised.
package enum Head: String, Codable, CaseIterable, Hashable, Sendable {
    /// MAC, maximum activations of convolutions: the maximum of each channel over all positions (Razavian et al., "Visual instance
    /// retrieval with deep convolutional networks", 2016, arXiv 1412.6574; named by Tolias et al. 2016). The Keras demos store it.
    case max
    /// SPoC, sum-pooled convolutional features, without the centre prior: the mean of each channel over all positions (Babenko and
    /// Lempitsky, "Aggregating deep convolutional features for image retrieval", 2015, arXiv 1510.07493).
    case mean
    /// GeM, generalised-mean pooling, with p = 3: the cube root of the mean of max(x, 1e-6)^3 (Radenovic, Tolias and Chum,
    /// "Fine-tuning CNN image retrieval with no human annotation", 2018, arXiv 1711.02512).
    case gem3
    /// R-MAC, regional maximum activations: the sum of the L2-normalised MAC vectors of the regions of `RegionGrid` (Tolias, Sicre
    /// and Jegou, "Particular object retrieval with integral max-pooling of CNN activations", 2016, arXiv 1511.05879).
    case rmac
}

/// A feed-forward network, its layers one after the other, with its weights. Immutable; shared by all backends.
package final class Network: Sendable {
    package let name: String
    package let layers: [Layer]
    package let preprocessing: Preprocessing
    /// Digest of all weights in fp32 OIHW and biases, in layer order, and of the whitening: the model's identity.
    package let weightsDigest: SHA256Digest
    /// Of one head's vectors; `finished` applies it.
    package let whitening: HeadWhitening?
    private let storage: any WeightStorage

    package init(
        name: String,
        layers: [Layer],
        preprocessing: Preprocessing,
        weightsDigest: SHA256Digest,
        whitening: HeadWhitening? = nil,
        storage: any WeightStorage
    ) {
        self.name = name
        self.layers = layers
        self.preprocessing = preprocessing
        self.weightsDigest = weightsDigest
        self.whitening = whitening
        self.storage = storage
    }

    /// Channels of the last map: the dimension of the vectors.
    package var outputChannels: Int { layers.outputChannels }

    /// Scoped access to convolution `index`'s weights: fp32 OIHW
    /// `[outputChannels, inputChannels, kernelSize, kernelSize]`.
    package func withWeight<R>(_ index: Int, _ body: (Span<Float>) throws -> R) rethrows -> R {
        try storage.withWeight(index, body)
    }

    /// Scoped access to convolution `index`'s bias: fp32 `[outputChannels]`.
    package func withBias<R>(_ index: Int, _ body: (Span<Float>) throws -> R) rethrows -> R {
        try storage.withBias(index, body)
    }
}
