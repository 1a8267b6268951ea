/// The shape of a network: its layers, checked. The weights are apart.
package struct Architecture: Hashable, Sendable {
    /// The first one takes the three planes of an image.
    package let layers: [Layer]

    /// Checks that the layers fit each other, and the bounds within which every size computed from them fits: at most 11 pools,
    /// 64 convolutions, 4096 channels, kernels of 16x16 and 2^28 weights.
    ///
    /// - Returns: nil when the layers are outside them.
    package init?(layers: [Layer]) {
        let convolutions = layers.convolutions
        guard case .convolution? = layers.first, convolutions.count <= 64, layers.poolCount <= 11 else { return nil }
        var channels = 3
        for (index, convolution) in convolutions.enumerated() {
            guard convolution.index == index, convolution.inputChannels == channels,
                (1...4096).contains(convolution.outputChannels), (1...16).contains(convolution.kernelSize),
                (1...16).contains(convolution.stride), (0..<convolution.kernelSize).contains(convolution.padding)
            else { return nil }
            channels = convolution.outputChannels
        }
        for case .pool(let pool) in layers {
            guard (1...16).contains(pool.size), (1...16).contains(pool.stride) else { return nil }
        }
        guard convolutions.reduce(0, { $0 + $1.weightCount }) <= 1 << 28 else { return nil }
        self.layers = layers
    }

    /// Whether an image of `side` pixels keeps at least one pixel after all layers.
    package func accepts(side: Int) -> Bool { layers.outputSide(side) >= 1 }
}
