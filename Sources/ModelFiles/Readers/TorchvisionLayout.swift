internal import Inference

/// Reads a sequence of convolutions out of tensors named as torchvision names VGG: `features.N.weight` and `features.N.bias`.
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

/// The convolutions of a torchvision network, in order, by the names and shapes of its tensors.
struct TorchvisionModules {
    struct Convolution {
        let number: Int
        /// Name of its tensors without `.weight`.
        let name: String
        let outputChannels: Int
        let hasBias: Bool
        /// Name of the tensors of the batch normalisation behind it, if any.
        let normalisation: String?
    }

    private(set) var convolutions: [Convolution] = []

    private static let convolutionParts: Set<Substring> = ["weight", "bias"]
    private static let normalisationParts: Set<Substring> = ["weight", "bias", "running_mean", "running_var"]
    /// How often the running statistics were updated: of no use here.
    private static let ignoredPart: Substring = "num_batches_tracked"

    /// Finds every module and checks its shapes.
    ///
    /// - Throws: `.malformedWeights` when tensors are missing or disagree, `.unsupportedNetwork` when they are other modules.
    init(_ file: some TensorFile) throws(ModelFileError) {
        let shapes = file.shapes
        let (prefix, parts) = try Self.modules(shapes, file.file)
        var inputChannels = 3
        var used: Set<Int> = []
        for number in parts.keys.sorted() {
            let name = "\(prefix)\(number)"
            guard let own = parts[number], own.isDisjoint(with: ["running_mean", "running_var"]) else { continue }
            let following = parts[number + 1].flatMap { $0.isSuperset(of: ["running_mean"]) ? $0 : nil }
            guard let shape = shapes["\(name).weight"], own.contains("bias") || following != nil else {
                throw .malformedWeights(file: file.file, detail: "\(printable(name)) lacks its weight or its bias")
            }
            guard shape.count == 4, Array(shape[1...]) == [inputChannels, 3, 3] else {
                throw .unsupportedNetwork(
                    file: file.file,
                    detail: "tensor \(printable(name)).weight has shape \(shape), expected [*, \(inputChannels), 3, 3]"
                )
            }
            var normalisation: String?
            used.insert(number)
            if following != nil {
                normalisation = "\(prefix)\(number + 1)"
                used.insert(number + 1)
            }
            let vectors =
                (own.contains("bias") ? ["\(name).bias"] : [])
                + (normalisation.map { name in Self.normalisationParts.map { "\(name).\($0)" } } ?? [])
            for vector in vectors where shapes[vector] != [shape[0]] {
                throw .malformedWeights(
                    file: file.file,
                    detail: "tensor \(printable(vector)) has shape \(shapes[vector] ?? []), expected [\(shape[0])]"
                )
            }
            convolutions.append(
                Convolution(
                    number: number,
                    name: name,
                    outputChannels: shape[0],
                    hasBias: own.contains("bias"),
                    normalisation: normalisation
                )
            )
            inputChannels = shape[0]
        }
        if let stray = parts.keys.filter({ !used.contains($0) }).min() {
            throw .unsupportedNetwork(file: file.file, detail: "\(printable(prefix))\(stray) follows no convolution")
        }
    }

    /// The shape of the network: a pool stands where one number more than usual lies between two convolutions.
    func architecture(_ file: some TensorFile) throws(ModelFileError) -> Architecture {
        var stages: [[Int]] = [[]]
        for (previous, next) in zip([nil] + convolutions.map(Optional.some), convolutions) {
            if let previous {
                let step = previous.normalisation == nil ? 2 : 3
                switch next.number - previous.number {
                case step: break
                case step + 1: stages.append([])
                default:
                    throw .unsupportedNetwork(
                        file: file.file,
                        detail: "\(printable(previous.name)) and \(printable(next.name)) are neither \(step)"
                            + " nor \(step + 1) apart"
                    )
                }
            }
            stages[stages.count - 1].append(next.outputChannels)
        }
        guard let architecture = Architecture(stages: stages) else {
            throw .unsupportedNetwork(
                file: file.file,
                detail: "\(convolutions.count) convolutions of \(stages) channels"
            )
        }
        return architecture
    }

    /// What every module of `features` has, by its number, and the names' common beginning, such as `module.features.`.
    private static func modules(
        _ shapes: [String: [Int]],
        _ file: String
    ) throws(ModelFileError) -> (prefix: String, parts: [Int: Set<Substring>]) {
        var prefixes: Set<String> = []
        var modules: [Int: Set<Substring>] = [:]
        for name in shapes.keys {
            let words = name.split(separator: ".", omittingEmptySubsequences: false)
            guard let position = words.firstIndex(of: "features") else { continue }
            let own = words[(position + 1)...]
            guard own.count == 2, let word = own.first, let part = own.last, let number = Int(word),
                "\(number)" == word, (0..<1000).contains(number),
                normalisationParts.contains(part) || part == ignoredPart
            else {
                throw .unsupportedNetwork(
                    file: file,
                    detail: "tensor \(printable(name)) belongs to no plain convolution"
                )
            }
            prefixes.insert(words[...position].joined(separator: ".") + ".")
            if part != ignoredPart { modules[number, default: []].insert(part) }
        }
        guard prefixes.count <= 1 else {
            throw .unsupportedNetwork(file: file, detail: "it holds \(prefixes.count) networks")
        }
        guard let prefix = prefixes.first else {
            throw .unsupportedNetwork(file: file, detail: "no tensor is named features.N.weight")
        }
        guard modules[0] != nil else {
            throw .unsupportedNetwork(file: file, detail: "the first convolution, features.0, is missing")
        }
        return (prefix, modules)
    }
}

/// Named arrays of numbers, as most kinds of weight files hold them.
protocol TensorFile {
    /// For messages.
    var file: String { get }
    /// Lengths of the axes of every tensor, by its name.
    var shapes: [String: [Int]] { get }

    /// A tensor's numbers as fp32, the last axis fastest.
    ///
    /// - Throws: `.malformedWeights` naming the tensor when it is absent, of another number format, or holds NaN or infinity.
    func floats(_ name: String) throws(ModelFileError) -> [Float]
}
