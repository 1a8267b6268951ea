/// What a pickle can hold here. Containers, storages and tensors are places in a `PickleHeap`, so no value contains another:
/// pickles that nest deeply or contain themselves cost nothing.
enum PickleValue {
    case none
    case boolean(Bool)
    case integer(Int)
    /// Two's complement, little-endian, more than 8 bytes.
    case longInteger([UInt8])
    case text(String)
    /// Fractions, bytes and objects that no weight depends on.
    case opaque
    case tuple(Int)
    case list(Int)
    /// Keys and values in turn.
    case dictionary(Int)
    case global(PickleGlobal)
    // Indirect, so that the many small values stay small.
    indirect case storage(StorageView)
    indirect case tensor(TorchTensor)

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var integer: Int? { if case .integer(let integer) = self { integer } else { nil } }
    var tensor: TorchTensor? { if case .tensor(let tensor) = self { tensor } else { nil } }
}

/// What the values of one pickle refer to.
struct PickleHeap {
    private(set) var containers: [[PickleValue]] = []
    private(set) var storages: [TorchStorage] = []
    private var storagePlaces: [String: Int] = [:]

    mutating func add(_ values: [PickleValue]) -> Int {
        containers.append(values)
        return containers.count - 1
    }

    mutating func append(_ values: some Collection<PickleValue>, to place: Int) {
        containers[place].append(contentsOf: values)
    }

    /// The storage of a key, new or known.
    ///
    /// - Returns: its place, or nil when the key stands for another kind or length already.
    mutating func add(_ storage: TorchStorage) -> Int? {
        if let known = storagePlaces[storage.key] { return storages[known] == storage ? known : nil }
        storages.append(storage)
        storagePlaces[storage.key] = storages.count - 1
        return storages.count - 1
    }

    /// Keys and values of a dictionary in the order of the pickle.
    func entries(_ place: Int) -> [(key: PickleValue, value: PickleValue)] {
        let values = containers[place]
        return stride(from: 0, to: values.count - 1, by: 2).map { (values[$0], values[$0 + 1]) }
    }

    /// The whole numbers of a tuple or list, or nil when it holds anything else.
    func integers(_ value: PickleValue) -> [Int]? {
        switch value {
        case .tuple(let place), .list(let place):
            let integers = containers[place].compactMap(\.integer)
            return integers.count == containers[place].count ? integers : nil
        default: return nil
        }
    }
}

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
