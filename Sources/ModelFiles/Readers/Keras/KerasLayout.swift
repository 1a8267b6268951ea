internal import Inference

/// Turns the convolutions of a Keras file into a network: `blockN_convM` is the M-th convolution of stage N.
enum KerasLayout {
    /// The network's shape and its weights, turned from Keras's `[3, 3, input, output]` to `[output, input, 3, 3]`.
    static func read(_ bytes: WeightBytes) throws(ModelFileError) -> WeightFileContent {
        let file = try KerasWeights(bytes)
        let names = try names(file)
        var stages: [[Int]] = []
        var kernels: [HDF5Dataset] = []
        var biases: [HDF5Dataset] = []
        for name in names {
            guard let kernel = file.layers[name]?[.kernel], let bias = file.layers[name]?[.bias] else {
                throw .malformedWeights(file: file.file, detail: "layer \(name) lacks its kernel or its bias")
            }
            if name.position == 1 { stages.append([]) }
            let inputChannels = kernels.last?.shape.last ?? 3
            guard kernel.shape.count == 4, kernel.shape[..<3] == [3, 3, inputChannels] else {
                throw .unsupportedNetwork(
                    file: file.file,
                    detail: "\(kernel.name) has shape \(kernel.shape), expected [3, 3, \(inputChannels), *]"
                )
            }
            guard bias.shape == [kernel.shape[3]] else {
                throw .malformedWeights(
                    file: file.file,
                    detail: "\(bias.name) has shape \(bias.shape), expected [\(kernel.shape[3])]"
                )
            }
            stages[stages.count - 1].append(kernel.shape[3])
            kernels.append(kernel)
            biases.append(bias)
        }
        guard let architecture = Architecture(stages: stages) else {
            throw .unsupportedNetwork(file: file.file, detail: "\(names.count) convolutions of \(stages) channels")
        }
        var weights = MemoryWeights(weights: [], biases: [])
        for (kernel, bias) in zip(kernels, biases) {
            weights.weights.append(turned(try file.floats(kernel), outputChannels: kernel.shape[3]))
            weights.biases.append(try file.floats(bias))
        }
        return WeightFileContent(architecture: architecture, weights: weights)
    }

    /// The names of the convolutions in order, without a gap.
    private static func names(_ file: KerasWeights) throws(ModelFileError) -> [KerasLayerName] {
        let names = file.layers.keys.sorted()
        guard let first = names.first else {
            let reason =
                file.unnamed.map { "\($0) does not say which layer it is; save the whole model as .h5 instead" }
                ?? "no layer is named block1_conv1"
            throw .unsupportedNetwork(file: file.file, detail: reason)
        }
        guard first.description == "block1_conv1" else {
            throw .unsupportedNetwork(file: file.file, detail: "layer block1_conv1 is missing before \(first)")
        }
        for (name, next) in zip(names, names.dropFirst()) {
            let follows =
                next.stage == name.stage
                ? next.position == name.position + 1 : next.stage == name.stage + 1 && next.position == 1
            guard follows else {
                throw .unsupportedNetwork(file: file.file, detail: "between \(name) and \(next) a layer is missing")
            }
        }
        return names
    }

    /// `[3, 3, input, output]` to `[output, input, 3, 3]`.
    private static func turned(_ kernel: [Float], outputChannels: Int) -> [Float] {
        let inputChannels = kernel.count / (9 * outputChannels)
        var weights = [Float](repeating: 0, count: kernel.count)
        var index = 0
        for place in 0..<9 {
            for input in 0..<inputChannels {
                for output in 0..<outputChannels {
                    weights[(output * inputChannels + input) * 9 + place] = kernel[index]
                    index += 1
                }
            }
        }
        return weights
    }
}
