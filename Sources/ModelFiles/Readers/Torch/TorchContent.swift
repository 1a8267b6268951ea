/// A file of PyTorch after its pickles were read: what was saved, and where the numbers of its storages are.
struct TorchContent {
    /// Where a storage's numbers are.
    struct Place {
        /// Bytes of the file.
        let range: Range<Int>
        /// CRC-32 of these bytes, where the form of the file has one.
        let checksum: UInt32?
    }

    let root: PickleValue
    let heap: PickleHeap
    /// One a storage of the heap.
    let places: [Place]
    let isBigEndian: Bool
}

extension TorchContent {
    private static let littleEndian = Array("little".utf8)
    private static let bigEndian = Array("big".utf8)

    /// Reads the zip archive of PyTorch 1.6 and later: `<prefix>/data.pkl`, `<prefix>/data/<key>`, perhaps
    /// `<prefix>/byteorder`.
    init(archive bytes: WeightBytes) throws(ModelFileError) {
        func fault(_ detail: String) -> ModelFileError { .malformedWeights(file: bytes.file, detail: detail) }
        let archive = try ZipArchive(bytes)
        let prefixes = archive.entries.keys.compactMap { name -> Substring? in
            guard name.hasSuffix("/data.pkl") else { return nil }
            let prefix = name.dropLast("/data.pkl".count)
            return prefix.contains("/") ? nil : prefix
        }
        guard prefixes.count == 1, let prefix = prefixes.first,
            let pickle = try archive.content("\(prefix)/data.pkl", limit: PickleMachine.byteLimit)
        else { throw fault("an archive with \(prefixes.count) data.pkl, not one") }
        let order = try archive.content("\(prefix)/byteorder", limit: 16) ?? Self.littleEndian
        guard order == Self.littleEndian || order == Self.bigEndian else { throw fault("an unknown byte order") }

        var cursor = ByteCursor(WeightBytes(pickle, name: bytes.file), 0..<pickle.count)
        let (root, heap) = try PickleMachine.read(&cursor)
        guard cursor.position == cursor.end else { throw cursor.fault("data.pkl goes on behind its pickle") }
        var places: [Place] = []
        for storage in heap.storages {
            let shown = "storage \(printable(storage.key))"
            guard let entry = archive.entries["\(prefix)/data/\(storage.key)"] else {
                throw fault("\(shown) is missing in the archive")
            }
            guard entry.range.count == storage.count * storage.element.byteCount else {
                throw fault(
                    "\(shown) of \(storage.count) numbers \(storage.element.rawValue) has \(entry.range.count) bytes"
                )
            }
            places.append(Place(range: entry.range, checksum: entry.checksum))
        }
        self.init(root: root, heap: heap, places: places, isBigEndian: order == Self.bigEndian)
    }

    /// 0x1950A86A20F9469CFC6C, little-endian.
    private static let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    /// Reads the older form, a sequence of pickles: a magic number, version 1001, facts about the machine, the object, the
    /// keys of the storages. Then for every key its count of numbers in 8 bytes and the numbers, always little-endian.
    init(sequence bytes: WeightBytes) throws(ModelFileError) {
        var cursor = ByteCursor(bytes, 0..<bytes.count)
        guard case .longInteger(Self.magic) = try PickleMachine.read(&cursor).root else {
            throw cursor.fault("a pickle, but not PyTorch's")
        }
        guard case .integer(1001) = try PickleMachine.read(&cursor).root else {
            throw cursor.fault("another version than 1001 of PyTorch's older form")
        }
        _ = try PickleMachine.read(&cursor)
        let (root, heap) = try PickleMachine.read(&cursor)
        let names = try PickleMachine.read(&cursor)
        guard case .list(let list) = names.root else { throw cursor.fault("the keys of the storages are no list") }
        let keys = names.heap.containers[list].compactMap(\.text)
        guard keys.count == names.heap.containers[list].count, Set(keys).count == keys.count else {
            throw cursor.fault("the keys of the storages are not texts, each once")
        }
        let storages = Dictionary(uniqueKeysWithValues: heap.storages.enumerated().map { ($1.key, $0) })
        var places = [Place?](repeating: nil, count: heap.storages.count)
        for key in keys {
            guard let index = storages[key] else { throw cursor.fault("storage \(printable(key)) is not described") }
            let storage = heap.storages[index]
            let count = try cursor.integer(8)
            guard count == UInt64(storage.count) else {
                throw cursor.fault("storage \(printable(key)) of \(storage.count) numbers has \(count)")
            }
            let byteCount = storage.count * storage.element.byteCount
            guard byteCount <= cursor.end - cursor.position else {
                throw cursor.fault("storage \(printable(key)) of \(byteCount) bytes is cut off")
            }
            places[index] = Place(range: cursor.position..<cursor.position + byteCount, checksum: nil)
            cursor.skip(to: cursor.position + byteCount)
        }
        guard cursor.position == cursor.end else { throw cursor.fault("bytes behind the last storage") }
        let found = places.compactMap(\.self)
        guard found.count == places.count else {
            throw cursor.fault("\(places.count - found.count) storages have no numbers")
        }
        self.init(root: root, heap: heap, places: found, isBigEndian: false)
    }
}

extension TorchContent {
    /// Keys under which checkpoints keep a state dict, beside an optimiser's and the epoch.
    private static let wrappers = ["state_dict", "model_state_dict", "model_state", "model", "net", "network"]
    private static let depthLimit = 4

    /// The tensors of the saved state dict, or of the one within a checkpoint, by their names.
    func stateDictionary(file: String) throws(ModelFileError) -> [String: TorchTensor] {
        var current = root
        for _ in 0..<Self.depthLimit {
            guard case .dictionary(let place) = current else { break }
            let entries = heap.entries(place)
            let wrapped = Self.wrappers.lazy.compactMap { wrapper in
                entries.first { entry in
                    if case .dictionary = entry.value { entry.key.text == wrapper } else { false }
                }
            }
            guard let inner = wrapped.first else { return try tensors(entries, file: file) }
            current = inner.value
        }
        throw .unsupportedNetwork(file: file, detail: "it holds no state dict")
    }

    private func tensors(
        _ entries: [(key: PickleValue, value: PickleValue)],
        file: String
    ) throws(ModelFileError) -> [String: TorchTensor] {
        var tensors: [String: TorchTensor] = [:]
        for entry in entries {
            guard let name = entry.key.text, let tensor = entry.value.tensor else { continue }
            guard tensors.updateValue(tensor, forKey: name) == nil else {
                throw .malformedWeights(file: file, detail: "tensor \(printable(name)) is there twice")
            }
        }
        guard !tensors.isEmpty else { throw .unsupportedNetwork(file: file, detail: "it holds no state dict") }
        return tensors
    }
}
