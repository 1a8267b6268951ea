@testable import ModelFiles

/// A network of two stages, 3 to 2 and 2 to 4 channels, in the layouts of Keras; every number says its place.
struct KerasFixture {
    enum Layout: CaseIterable {
        case keras1, keras2, wholeModel, keras3
    }

    /// `[3, 3, input, output]`, numbered from `first`.
    static func kernel(_ inputs: Int, _ outputs: Int, first: Int) -> [Float] {
        (0..<9 * inputs * outputs).map { Float(first + $0) }
    }

    /// The layers' names, channels, kernels and biases.
    static let layers: [(name: String, inputs: Int, outputs: Int, kernel: [Float], bias: [Float])] = [
        ("block1_conv1", 3, 2, kernel(3, 2, first: 100), [1, 2]),
        ("block2_conv1", 2, 4, kernel(2, 4, first: 1000), [3, 4, 5, 6]),
    ]

    var builder: HDF5Builder
    private(set) var root: Int

    var bytes: [UInt8] { builder.finished(root: root) }

    init(_ style: HDF5Builder.Style, _ layout: Layout) {
        builder = HDF5Builder(style)
        var members: [(String, Int)] = []
        for layer in Self.layers + [("predictions", 4, 1, [], [])] {
            let isClassifier = layer.name == "predictions"
            // Nothing of a classifier is read: neither its type nor its place.
            let spoil: (inout [HDF5Builder.Message]) -> Void = { messages in
                if isClassifier { messages = [messages[0], HDF5Builder.Message(type: 0x08, data: [9])] }
            }
            let kernel = builder.dataset([3, 3, layer.inputs, layer.outputs], layer.kernel, change: spoil)
            let bias = builder.dataset([layer.outputs], layer.bias, change: spoil)
            let group: Int
            switch layout {
            case .keras1:
                group = builder.group([("\(layer.name)_W_1:0", kernel), ("\(layer.name)_b_1:0", bias)])
            case .keras2, .wholeModel:
                group = builder.group([(layer.name, builder.group([("bias:0", bias), ("kernel:0", kernel)]))])
            case .keras3:
                let name = builder.attribute("name", layer.name)
                group = builder.group([("vars", builder.group([("0", kernel), ("1", bias)]) { $0.append(name) })])
            }
            members.append((layout == .keras3 ? "conv2d_\(members.count)" : layer.name, group))
        }
        root = builder.group(members)
        switch layout {
        case .keras1, .keras2: break
        case .keras3: root = builder.group([("layers", root), ("vars", builder.group([]))])
        case .wholeModel:
            let state = builder.group([("block1_conv1", builder.group([("m:0", builder.dataset([1], [.nan]))]))])
            root = builder.group([("model_weights", root), ("optimizer_weights", state)])
        }
    }
}
