/// The layers of convolutions in an HDF5 file of Keras, found by their names wherever they stand in the tree of groups.
///
/// Keras 1 wrote `block1_conv1/block1_conv1_W_1:0`; Keras 2 writes `block1_conv1/block1_conv1/kernel:0`; a whole model
/// has that below `model_weights`, beside an optimiser's state; Keras 3 writes `layers/conv2d/vars/0` and `1` for kernel
/// and bias, with the layer's own name in the attribute `name` of `vars`.
struct KerasWeights {
    /// A layer's two arrays.
    enum Part {
        case kernel
        case bias
    }

    /// The arrays by their layers' names.
    private(set) var layers: [KerasLayerName: [Part: HDF5Dataset]] = [:]
    /// A group that holds a convolution's weights but not its name.
    private(set) var unnamed: String?
    private let bytes: WeightBytes

    private static let depthLimit = 32

    /// For messages.
    var file: String { bytes.file }

    /// Walks the tree; the data of no dataset is read yet, and of other layers nothing but their headers.
    init(_ bytes: WeightBytes) throws(ModelFileError) {
        self.bytes = bytes
        var hdf5 = try HDF5File(bytes)
        let root = try HDF5ObjectHeader(&hdf5, at: hdf5.rootAddress, name: "the root group")
        guard let group = try HDF5Group(&hdf5, root) else { throw root.fault("is no group") }
        let model = group.links.first { $0.name == "model_weights" }
        for link in model.map({ [$0] }) ?? group.links { try visit(&hdf5, link, path: [], layer: nil) }
        try hdf5.checkOverlaps()
    }

    /// Reads a found dataset's numbers as fp32.
    func floats(_ dataset: HDF5Dataset) throws(ModelFileError) -> [Float] { try dataset.floats(bytes) }

    /// Visits one member of a group and all below it, given the names of the groups above and of their layer.
    private mutating func visit(
        _ hdf5: inout HDF5File,
        _ link: HDF5Group.Link,
        path: [String],
        layer: String?
    ) throws(ModelFileError) {
        let path = path + [link.name]
        let header = try HDF5ObjectHeader(&hdf5, at: link.address, name: path.joined(separator: "/"))
        guard let group = try HDF5Group(&hdf5, header) else {
            try take(&hdf5, header, path: path, layer: layer)
            return
        }
        guard path.count < Self.depthLimit else { throw header.fault("lies more than \(Self.depthLimit) groups deep") }
        var layer = layer
        // Within a layer's group, Keras 2 numbers names that it used before: `block1_conv1/block1_conv1_2/kernel:0`.
        if KerasLayerName.isOfBlock(link.name), layer.flatMap(KerasLayerName.init) == nil { layer = link.name }
        if link.name == "vars", let name = try HDF5Attribute.text(&hdf5, header, named: "name") { layer = name }
        for member in group.links { try visit(&hdf5, member, path: path, layer: layer) }
    }

    /// Takes a dataset if it belongs to a convolution.
    private mutating func take(
        _ hdf5: inout HDF5File,
        _ header: HDF5ObjectHeader,
        path: [String],
        layer: String?
    ) throws(ModelFileError) {
        let leaf = path[path.count - 1]
        guard let layer, KerasLayerName.isOfBlock(layer) else {
            let isConvolution = path.contains { $0.hasPrefix("conv2d") } && layer == nil
            if isConvolution, unnamed == nil { unnamed = path.dropLast().joined(separator: "/") }
            return
        }
        let isNumbered = path.dropLast().last == "vars"
        guard let name = KerasLayerName(layer), let part = Part(leaf, of: layer, isNumbered: isNumbered) else {
            throw .unsupportedNetwork(
                file: file,
                detail: "\(header.name) belongs to layer \(layer.debugDescription), which is no plain convolution"
            )
        }
        let dataset = try HDF5Dataset(&hdf5, header)
        guard layers[name, default: [:]].updateValue(dataset, forKey: part) == nil else {
            throw .unsupportedNetwork(file: file, detail: "\(header.name) is the second \(part) of layer \(name)")
        }
    }
}

extension KerasWeights.Part {
    /// What a dataset is to its layer; nil for neither kernel nor bias.
    fileprivate init?(_ name: String, of layer: String, isNumbered: Bool) {
        // TensorFlow adds the number of an operation's output, which is 0 for a variable.
        let name = name.hasSuffix(":0") ? name.dropLast(2) : name[...]
        switch name {
        case "0" where isNumbered: self = .kernel
        case "1" where isNumbered: self = .bias
        case "kernel": self = .kernel
        case "bias": self = .bias
        default:
            // Keras 1: `block1_conv1_W`, with `_1` behind it from the second network of a program on.
            guard name.hasPrefix(layer + "_") else { return nil }
            let rest = name.dropFirst(layer.count + 1).split(separator: "_", omittingEmptySubsequences: false)
            guard rest.count == 1 || rest.count == 2 && UInt(rest[1]) != nil else { return nil }
            switch rest[0] {
            case "W": self = .kernel
            case "b": self = .bias
            default: return nil
            }
        }
    }
}

/// A convolution's name in the VGG networks of Keras, `block3_conv2`: the second of the third stage.
struct KerasLayerName: Hashable, Comparable, CustomStringConvertible {
    /// 1 to 64.
    let stage: Int
    /// In its stage, 1 to 64.
    let position: Int

    /// - Returns: nil for a name of another form.
    init?(_ name: String) {
        let parts = name.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].hasPrefix("block"), parts[1].hasPrefix("conv"),
            let stage = Int(parts[0].dropFirst(5)), let position = Int(parts[1].dropFirst(4)),
            (1...64).contains(stage), (1...64).contains(position)
        else { return nil }
        self.stage = stage
        self.position = position
        guard description == name else { return nil }
    }

    /// Whether a layer of this name would stand between the convolutions: `block1_bn2` changes what they compute.
    static func isOfBlock(_ name: String) -> Bool {
        name.hasPrefix("block") && name.dropFirst(5).first.map { ("0"..."9").contains($0) } == true
    }

    var description: String { "block\(stage)_conv\(position)" }

    static func < (a: Self, b: Self) -> Bool { (a.stage, a.position) < (b.stage, b.position) }
}
