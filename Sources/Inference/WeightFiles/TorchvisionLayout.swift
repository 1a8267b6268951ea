/// Reads a chain of convolutions out of tensors named as torchvision names VGG: `features.N.weight` and `features.N.bias`.
///
/// `N` counts every module: convolution, ReLU, pool. So two convolutions in a row are 2 apart, and 3 apart when a pool
/// stands between them. Other tensors (classifiers) are ignored.
enum TorchvisionLayout {
    /// The network's shape and its weights.
    static func read(_ file: some TensorFile, licence: String = "") throws(InferenceError) -> WeightFileContent {
        let name = file.file
        let numbers = try convolutionNumbers(file)
        var stages: [[Int]] = [[]]
        var inputChannels = 3
        for (position, number) in numbers.enumerated() {
            if position > 0 {
                switch number - numbers[position - 1] {
                case 2: break
                case 3: stages.append([])
                default:
                    throw .unsupportedNetwork(
                        file: name,
                        detail: "features.\(numbers[position - 1]) and features.\(number) are neither 2 nor 3 apart"
                    )
                }
            }
            let outputChannels = try checkShape(file, number, inputChannels: inputChannels)
            stages[stages.count - 1].append(outputChannels)
            inputChannels = outputChannels
        }
        guard let architecture = Architecture(stages: stages) else {
            throw .unsupportedNetwork(file: name, detail: "\(numbers.count) convolutions of \(stages) channels")
        }
        var weights = MemoryWeights(weights: [], biases: [])
        for number in numbers {
            weights.weights.append(try file.floats("features.\(number).weight"))
            weights.biases.append(try file.floats("features.\(number).bias"))
        }
        return WeightFileContent(architecture: architecture, weights: weights, licence: licence)
    }

    /// The `N`s in order.
    private static func convolutionNumbers(_ file: some TensorFile) throws(InferenceError) -> [Int] {
        var numbers: Set<Int> = []
        for name in file.shapes.keys {
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.first == "features" else { continue }
            guard parts.count == 3, let number = Int(parts[1]), "features.\(number).\(parts[2])" == name,
                parts[2] == "weight" || parts[2] == "bias"
            else {
                throw .unsupportedNetwork(file: file.file, detail: "tensor \(name) belongs to no plain convolution")
            }
            numbers.insert(number)
        }
        guard !numbers.isEmpty else {
            throw .unsupportedNetwork(file: file.file, detail: "no tensor is named features.N.weight")
        }
        guard numbers.contains(0) else {
            throw .unsupportedNetwork(file: file.file, detail: "the first convolution, features.0, is missing")
        }
        return numbers.sorted()
    }

    /// Checks convolution `number` against the channels that reach it and returns its output channels.
    private static func checkShape(
        _ file: some TensorFile,
        _ number: Int,
        inputChannels: Int
    ) throws(InferenceError) -> Int {
        let name = "features.\(number).weight"
        guard let weight = file.shapes[name], let bias = file.shapes["features.\(number).bias"] else {
            throw .malformedWeights(file: file.file, detail: "features.\(number) lacks its weight or its bias")
        }
        guard weight.count == 4, Array(weight[1...]) == [inputChannels, 3, 3] else {
            throw .unsupportedNetwork(
                file: file.file,
                detail: "tensor \(name) has shape \(weight), expected [*, \(inputChannels), 3, 3]"
            )
        }
        guard bias == [weight[0]] else {
            throw .malformedWeights(
                file: file.file,
                detail: "tensor features.\(number).bias has shape \(bias), expected [\(weight[0])]"
            )
        }
        return weight[0]
    }
}
