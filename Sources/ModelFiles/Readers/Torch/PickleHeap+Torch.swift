extension PickleHeap {
    /// Does what a known name stands for.
    mutating func call(
        _ global: PickleGlobal,
        _ arguments: [PickleValue],
        _ cursor: ByteCursor
    ) throws(ModelFileError) -> PickleValue {
        switch global {
        case .inert: return .opaque
        case .size:
            guard let first = arguments.first, case .tuple = first else {
                throw cursor.fault("a pickle that calls torch.Size without a tuple")
            }
            return first
        case .orderedDictionary: return .dictionary(try orderedDictionary(arguments, cursor))
        case .parameter:
            guard let tensor = arguments.first?.tensor else {
                throw cursor.fault("a pickle that makes a parameter of something that is no tensor")
            }
            return .tensor(tensor)
        case .rebuildTensor:
            guard (4...7).contains(arguments.count), case .storage(let view) = arguments[0],
                let offset = arguments[1].integer, let shape = integers(arguments[2]),
                let strides = integers(arguments[3])
            else { throw cursor.fault("a pickle that calls torch._utils._rebuild_tensor with other arguments") }
            guard let tensor = TorchTensor(view, offset: offset, shape: shape, strides: strides) else {
                throw cursor.fault(
                    "a tensor of shape \(shape), strides \(strides) and offset \(offset) does not fit its storage"
                        + " \(printable(storages[view.storage].key)) of \(view.range.count) numbers"
                )
            }
            return .tensor(tensor)
        case .storage: throw cursor.fault("a pickle that calls a storage's class")
        }
    }

    /// `OrderedDict()`, or as Python 2 wrote it with its content: a list of pairs.
    private mutating func orderedDictionary(
        _ arguments: [PickleValue],
        _ cursor: ByteCursor
    ) throws(ModelFileError) -> Int {
        let place = add([])
        guard let first = arguments.first else { return place }
        guard arguments.count == 1, case .list(let pairs) = first else {
            throw cursor.fault("a pickle that calls collections.OrderedDict with other arguments")
        }
        for pair in containers[pairs] {
            switch pair {
            case .tuple(let items) where containers[items].count == 2,
                .list(let items) where containers[items].count == 2:
                append(containers[items], to: place)
            default: throw cursor.fault("a pickle that calls collections.OrderedDict without pairs")
            }
        }
        return place
    }

    /// What `('storage', class, key, location, count)` stands for; old files add a view: `(key, offset, count)` or `None`.
    mutating func storage(_ identifier: PickleValue, _ cursor: ByteCursor) throws(ModelFileError) -> StorageView {
        guard case .tuple(let place) = identifier else {
            throw cursor.fault("the pickle refers to something that is no storage")
        }
        let parts = containers[place]
        if parts.first?.text == "module" {
            throw .unsupportedNetwork(file: cursor.file, detail: "a whole module was saved, not its state dict")
        }
        guard (5...6).contains(parts.count), parts[0].text == "storage", case .global(.storage(let element)) = parts[1],
            let key = parts[2].text, let count = parts[4].integer, count >= 0,
            !count.multipliedReportingOverflow(by: element.byteCount).overflow
        else { throw cursor.fault("the pickle refers to something that is no storage") }
        guard let storage = add(TorchStorage(key: key, element: element, count: count)) else {
            throw cursor.fault("storage \(printable(key)) is described in two ways")
        }
        guard parts.count == 6, case .tuple(let view) = parts[5] else {
            return StorageView(storage: storage, range: 0..<count)
        }
        let numbers = containers[view]
        guard numbers.count == 3, let offset = numbers[1].integer, let length = numbers[2].integer,
            (0...count).contains(offset), (0...count - offset).contains(length)
        else { throw cursor.fault("a view does not fit its storage \(printable(key)) of \(count) numbers") }
        return StorageView(storage: storage, range: offset..<offset + length)
    }
}

/// A file's own words for a message that goes to terminals: one line, at most 100 characters.
func printable(_ text: String) -> String {
    String(text.unicodeScalars.prefix(100).map { $0.value < 32 || $0.value == 127 ? "?" : Character($0) })
}
