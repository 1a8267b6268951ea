/// Weights in memory: generated ones, and imported ones on their way into a pack.
struct MemoryWeights: WeightStorage {
    /// fp32 OIHW, one array a convolution.
    var weights: [[Float]]
    /// One array a convolution.
    var biases: [[Float]]

    func withWeight<R>(_ index: Int, _ body: (Span<Float>) throws -> R) rethrows -> R {
        let values = weights[index]
        return try body(values.span)
    }

    func withBias<R>(_ index: Int, _ body: (Span<Float>) throws -> R) rethrows -> R {
        let values = biases[index]
        return try body(values.span)
    }
}
