package import Platform

/// The pooled summary of the last map, always L2-normalised.
package enum Head: String, Codable, CaseIterable, Hashable, Sendable {
    /// Global maximum a channel (MAC; what the Keras demos store).
    case max
    /// Global mean a channel (SPoC).
    case mean
    /// Generalised mean with p = 3 of max(x, 1e-6) (GeM).
    case gem3
    /// Sum of the normalised maxima of the regions of `RegionGrid` (R-MAC).
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
