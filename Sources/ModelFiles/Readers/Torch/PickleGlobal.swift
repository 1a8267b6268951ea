/// The Python names that a pickle may use. None is looked up or run: each stands for what this program does in its place.
enum PickleGlobal: Equatable {
    case orderedDictionary
    /// `torch._utils._rebuild_tensor` and its successor: a storage, an offset, a shape and strides become a tensor.
    case rebuildTensor
    /// A tensor that is trained; the tensor is its first argument.
    case parameter
    /// `torch.Size`: the tuple it is given.
    case size
    case storage(TorchElement)
    /// What checkpoints hold beside weights, and where calling has no effect but its result.
    case inert

    /// - Returns: nil for every name that no weight file needs.
    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor"), ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"), ("torch.nn.parameter", "Parameter"),
            ("torch.autograd.variable", "Variable"):
            self = .parameter
        case ("torch", "Size"): self = .size
        case ("torch", "device"), ("collections", "Counter"), ("_codecs", "encode"), ("__builtin__", "set"),
            ("builtins", "set"):
            self = .inert
        case ("torch", _), ("torch.cuda", _), ("torch.storage", "UntypedStorage"):
            if let element = TorchElement(storageClass: name) {
                self = .storage(element)
            } else if module == "torch", TorchElement.typeNames.contains(name) {
                self = .inert
            } else {
                return nil
            }
        default: return nil
        }
    }
}
