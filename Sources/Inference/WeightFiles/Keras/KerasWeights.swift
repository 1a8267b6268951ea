/// The layers of convolutions in an HDF5 file of Keras, found by their names wherever they stand in the tree of groups.
///
/// Keras 1 wrote `block1_conv1/block1_conv1_W_1:0`; Keras 2 writes `block1_conv1/block1_conv1/kernel:0`; a whole model
/// has that below `model_weights`, beside an optimiser's state; Keras 3 writes `layers/conv2d/vars/0` and `1` for kernel
/// and bias, with the layer's own name in the attribute `name` of `vars`.
struct KerasWeights {
    /// A layer's two arrays.
    struct Layer {
        var kernel: HDF5Dataset?
        var bias: HDF5Dataset?
    }

    /// By their names, `block1_conv1`.
    private(set) var layers: [KerasLayerName: Layer] = [:]
    /// A group that holds a convolution's weights but not its name.
    private(set) var unnamed: String?
    private let bytes: WeightBytes

    private static let depthLimit = 32

    /// For messages.
    var file: String { bytes.file }

    /// Walks the tree; the data of no dataset is read yet, and of other layers nothing but their headers.
    init(_ bytes: WeightBytes) throws(InferenceError) {
        self.bytes = bytes
        var hdf5 = try HDF5File(bytes)
        let root = try HDF5ObjectHeader(&hdf5, at: hdf5.rootAddress, name: "the root group")
        guard let group = try HDF5Group(&hdf5, root) else { throw root.fault("is no group") }
        let model = group.links.first { $0.name == "model_weights" }
        for link in model.map({ [$0] }) ?? group.links { try visit(&hdf5, link, path: [], layer: nil) }
        try hdf5.checkOverlaps()
    }

    /// Reads a found dataset's numbers as fp32.
    func floats(_ dataset: HDF5Dataset) throws(InferenceError) -> [Float] { try dataset.floats(bytes) }

    /// Visits one member of a group and all below it, given the names of the groups above and of their layer.
    private mutating func visit(
        _ hdf5: inout HDF5File,
        _ link: HDF5Group.Link,
        path: [String],
        layer: String?
    ) throws(InferenceError) {
        let path = path + [link.name]
        let header = try HDF5ObjectHeader(&hdf5, at: link.address, name: path.joined(separator: "/"))
        guard let group = try HDF5Group(&hdf5, header) else {
            try take(&hdf5, header, path: path, layer: layer)
            return
        }
        guard path.count < Self.depthLimit else { throw header.fault("lies more than \(Self.depthLimit) groups deep") }
        var layer = KerasLayerName.isOfBlock(link.name) ? link.name : layer
        if link.name == "vars", let name = try HDF5Attribute.text(&hdf5, header, named: "name") { layer = name }
        for member in group.links { try visit(&hdf5, member, path: path, layer: layer) }
    }

    /// Takes a dataset if it belongs to a convolution.
    private mutating func take(
        _ hdf5: inout HDF5File,
        _ header: HDF5ObjectHeader,
        path: [String],
        layer: String?
    ) throws(InferenceError) {
        let leaf = path[path.count - 1]
        guard let layer, KerasLayerName.isOfBlock(layer) else {
            let isConvolution = path.contains { $0.hasPrefix("conv2d") } && layer == nil
            if isConvolution, unnamed == nil { unnamed = path.dropLast().joined(separator: "/") }
            return
        }
        guard let name = KerasLayerName(layer),
            let part = Self.part(leaf, of: layer, isNumbered: path.dropLast().last == "vars")
        else {
            throw .unsupportedNetwork(
                file: file,
                detail: "\(header.name) belongs to layer \(layer.debugDescription), which is no plain convolution"
            )
        }
        guard layers[name, default: Layer()][keyPath: part] == nil else {
            throw .unsupportedNetwork(file: file, detail: "\(header.name) is the second of its kind in layer \(name)")
        }
        layers[name, default: Layer()][keyPath: part] = try HDF5Dataset(&hdf5, header)
    }

    /// What a dataset is to its layer; nil for neither kernel nor bias.
    private static func part(_ leaf: String, of layer: String, isNumbered: Bool) -> WritableKeyPath<
        Layer, HDF5Dataset?
    >? {
        if isNumbered {
            return leaf == "0" ? \.kernel : leaf == "1" ? \.bias : nil
        }
        // TensorFlow's number of the output, then Keras 1's number of the session.
        let plain = leaf.hasSuffix(":0") ? leaf.dropLast(2) : leaf[...]
        switch plain {
        case "kernel", "\(layer)_W", "\(layer)_W_1": return \.kernel
        case "bias", "\(layer)_b", "\(layer)_b_1": return \.bias
        default: return nil
        }
    }
}
