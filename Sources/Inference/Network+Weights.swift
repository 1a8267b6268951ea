internal import LinearAlgebra
package import Platform

extension Network {
    /// A network with its weights in memory.
    convenience init(name: String, architecture: Architecture, preprocessing: Preprocessing, weights: MemoryWeights) {
        self.init(
            name: name,
            layers: architecture.layers,
            preprocessing: preprocessing,
            weightsDigest: Self.digest(weights, convolutionCount: architecture.layers.convolutions.count),
            storage: weights
        )
    }

    /// SHA-256 over weight then bias of every convolution in layer order, then mean and matrix of the whitening if there is one,
    /// as little-endian fp32.
    package static func digest(
        _ storage: some WeightStorage,
        convolutionCount: Int,
        whitening: HeadWhitening? = nil
    ) -> SHA256Digest {
        var hash = SHA256()
        for index in 0..<convolutionCount {
            storage.withWeight(index) { hash.update($0.bytes) }
            storage.withBias(index) { hash.update($0.bytes) }
        }
        if let whitening = whitening?.whitening {
            hash.update(whitening.mean.span.bytes)
            hash.update(whitening.matrix.span.bytes)
        }
        return hash.finish()
    }

    /// What vectors of one collection have in common, in one canonical line: weights, preprocessing and head. Vectors of
    /// two fingerprints are never compared.
    package func fingerprint(head: Head) -> String {
        "weights=\(weightsDigest) \(preprocessing.canonicalText) head=\(head.rawValue)"
    }
}

extension Preprocessing {
    /// Every setting in a fixed order; equal texts mean equal preprocessing.
    package var canonicalText: String {
        let geometryText =
            switch geometry {
            case .squash: "squash"
            case .centreCrop(let shortSide): "centre-crop-\(shortSide)"
            }
        let means = mean.map(\.description).joined(separator: ",")
        let scales = scale.map(\.description).joined(separator: ",")
        return "side=\(side) geometry=\(geometryText) order=\(channelOrder.rawValue) mean=\(means) scale=\(scales)"
    }

    /// Why these settings cannot be used, or nil: three finite means and scales, a side in 1...4096.
    package var problem: String? {
        guard (1...4096).contains(side) else { return "side \(side) is not in 1...4096" }
        if case .centreCrop(let shortSide) = geometry, !(side...16_384).contains(shortSide) {
            return "short side \(shortSide) is not in \(side)...16384"
        }
        guard mean.count == 3, scale.count == 3 else { return "mean and scale need three values each" }
        guard (mean + scale).allSatisfy(\.isFinite) else { return "mean and scale must be finite" }
        return nil
    }
}
