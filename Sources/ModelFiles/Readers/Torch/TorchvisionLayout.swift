internal import Inference

/// Reads a chain of convolutions out of tensors named as torchvision names VGG: `features.N.weight` and `features.N.bias`.
///
/// `N` counts every module: convolution, batch normalisation where there is one, ReLU, pool. Batch normalisations
/// (`running_mean`, `running_var`, `weight`, `bias`) are folded into the convolution before them. A prefix that all
/// `features` share, such as `module.` of data parallel training, is left out; other tensors (classifiers) are ignored.
enum TorchvisionLayout {
    /// PyTorch's default; state dicts do not say it.
    private static let epsilon = 1e-5

    /// The network's shape and its weights.
    static func read(_ file: some TensorFile, licence: String = "") throws(ModelFileError) -> WeightFileContent {
        let modules = try TorchvisionModules(file)
        let architecture = try modules.architecture(file)
        var weights = MemoryWeights(weights: [], biases: [])
        for convolution in modules.convolutions {
            let name = convolution.name
            var weight = try file.floats("\(name).weight")
            var bias =
                convolution.hasBias
                ? try file.floats("\(name).bias") : [Float](repeating: 0, count: convolution.outputChannels)
            if let normalisation = convolution.normalisation {
                let fold = BatchNormalisation(
                    gamma: try file.floats("\(normalisation).weight"),
                    beta: try file.floats("\(normalisation).bias"),
                    mean: try file.floats("\(normalisation).running_mean"),
                    variance: try file.floats("\(normalisation).running_var"),
                    epsilon: epsilon
                )
                if let channel = fold.fold(into: &weight, &bias) {
                    throw .malformedWeights(
                        file: file.file,
                        detail: "the batch normalisation \(normalisation) has no finite factor in channel \(channel)"
                    )
                }
                guard weight.allSatisfy(\.isFinite), bias.allSatisfy(\.isFinite) else {
                    throw .malformedWeights(
                        file: file.file,
                        detail: "folding the batch normalisation \(normalisation) gives NaN or infinity"
                    )
                }
            }
            weights.weights.append(weight)
            weights.biases.append(bias)
        }
        return WeightFileContent(architecture: architecture, weights: weights, licence: licence)
    }
}
