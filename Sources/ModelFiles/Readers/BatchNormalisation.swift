/// A batch normalisation behind a convolution, in the form it has after training: a factor and an offset a channel.
///
/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta (Ioffe and Szegedy, arXiv 1502.03167), which a convolution
/// before it takes into its own weights and bias.
struct BatchNormalisation {
    /// One value an output channel, each.
    let gamma: [Float]
    let beta: [Float]
    let mean: [Float]
    let variance: [Float]
    let epsilon: Double

    /// Folds into a convolution's weights `[output, input, 3, 3]` and bias `[output]`; in double precision.
    ///
    /// - Returns: the number of a channel whose factor is not finite, or nil: the arrays must not be used then.
    func fold(into weights: inout [Float], _ bias: inout [Float]) -> Int? {
        let perChannel = weights.count / max(1, bias.count)
        for channel in bias.indices {
            let factor = Double(gamma[channel]) / (Double(variance[channel]) + epsilon).squareRoot()
            guard factor.isFinite else { return channel }
            for index in (channel * perChannel)..<((channel + 1) * perChannel) {
                weights[index] = Float(Double(weights[index]) * factor)
            }
            bias[channel] = Float((Double(bias[channel]) - Double(mean[channel])) * factor + Double(beta[channel]))
        }
        return nil
    }
}
