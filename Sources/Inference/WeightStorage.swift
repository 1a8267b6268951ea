/// Where a network's weights lie: a mapped file, or memory.
package protocol WeightStorage: Sendable {
    func withWeight<R>(_ index: Int, _ body: (Span<Float>) throws -> R) rethrows -> R
    func withBias<R>(_ index: Int, _ body: (Span<Float>) throws -> R) rethrows -> R
}

/// Weights in memory: generated ones, and imported ones before they are written to a packed model file.
package struct MemoryWeights: WeightStorage {
    /// fp32 OIHW, one array a convolution.
    package var weights: [[Float]]
    /// One array a convolution.
    package var biases: [[Float]]

    package init(weights: [[Float]] = [], biases: [[Float]] = []) {
        self.weights = weights
        self.biases = biases
    }

    package func withWeight<R>(_ index: Int, _ body: (Span<Float>) throws -> R) rethrows -> R {
        let values = weights[index]
        return try body(values.span)
    }

    package func withBias<R>(_ index: Int, _ body: (Span<Float>) throws -> R) rethrows -> R {
        let values = biases[index]
        return try body(values.span)
    }
}
