@testable import ModelFiles

/// Writes pickles as Python does, one instruction a call.
struct PickleWriter {
    private(set) var bytes: [UInt8] = [0x80, 2]

    init() {}

    mutating func op(_ opcode: PickleOpcode, _ operand: [UInt8] = []) {
        bytes.append(opcode.rawValue)
        bytes.append(contentsOf: operand)
    }

    mutating func text(_ text: String) {
        op(.unicode4, littleEndian(UInt32(text.utf8.count)) + Array(text.utf8))
    }

    mutating func integer(_ value: Int) {
        if let byte = UInt8(exactly: value) {
            op(.uint8, [byte])
        } else if let word = Int32(exactly: value) {
            op(.int32, littleEndian(UInt32(bitPattern: word)))
        } else {
            op(.long1, [8] + littleEndian(UInt64(bitPattern: Int64(value))))
        }
    }

    mutating func global(_ module: String, _ name: String) { op(.global, Array("\(module)\n\(name)\n".utf8)) }

    mutating func integers(_ values: [Int]) {
        op(.mark)
        for value in values { integer(value) }
        op(.tuple)
    }

    /// `('storage', class, key, 'cpu', count)` and, in the older form, a view.
    mutating func storage(_ storage: TorchFixture.Storage, view: (offset: Int, count: Int)? = nil) {
        op(.mark)
        text("storage")
        global(storage.module, storage.type)
        text(storage.key)
        text("cpu")
        integer(storage.count)
        if let view {
            op(.mark)
            text("view")
            integer(view.offset)
            integer(view.count)
            op(.tuple)
        }
        op(.tuple)
        op(.persistentIdentifier)
    }

    /// With the four arguments of PyTorch before 0.4 when `isOld`.
    mutating func tensor(_ tensor: TorchFixture.Tensor, isOld: Bool = false) {
        global("torch._utils", isOld ? "_rebuild_tensor" : "_rebuild_tensor_v2")
        op(.mark)
        storage(tensor.storage, view: tensor.view)
        integer(tensor.offset)
        integers(tensor.shape)
        integers(tensor.strides ?? contiguous(tensor.shape))
        if !isOld {
            op(.newFalse)
            emptyOrderedDictionary()
        }
        op(.tuple)
        op(.reduce)
    }

    mutating func emptyOrderedDictionary() {
        global("collections", "OrderedDict")
        op(.emptyTuple)
        op(.reduce)
    }

    private func contiguous(_ shape: [Int]) -> [Int] {
        shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
    }
}

func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

/// A file of `torch.save` in parts, so that tests can break it.
struct TorchFixture {
    struct Storage {
        var key: String
        var type = "FloatStorage"
        var module = "torch"
        /// Numbers.
        var count: Int
        var bytes: [UInt8]

        /// An fp32 storage.
        init(_ key: String, _ values: [Float]) {
            self.key = key
            count = values.count
            bytes = values.flatMap { littleEndian($0.bitPattern) }
        }

        init(_ key: String, type: String, count: Int, bytes: [UInt8]) {
            self.key = key
            self.type = type
            self.count = count
            self.bytes = bytes
        }
    }

    struct Tensor {
        var name: String
        var storage: Storage
        var shape: [Int]
        var offset = 0
        var strides: [Int]?
        var view: (offset: Int, count: Int)?
    }

    var tensors: [Tensor]
    /// Around the state dict, outermost first, such as `state_dict`.
    var wrappers: [String] = []
    /// Instructions in front of the state dict's tensors, for hostile files.
    var intruder: ((inout PickleWriter) -> Void)?
    var byteOrder: String?

    init(_ tensors: [Tensor]) { self.tensors = tensors }

    /// A tensor with a storage of its own.
    static func tensor(_ name: String, _ shape: [Int], _ values: [Float]) -> Tensor {
        Tensor(name: name, storage: Storage(name, values), shape: shape)
    }

    /// Small whole numbers that differ from tensor to tensor.
    static func numbers(_ count: Int, _ first: Int) -> [Float] { (0..<count).map { Float(($0 + first) % 7 - 3) } }

    /// Two convolutions, 3 to 2 to 4 channels, with a pool between them, and a classifier of NaN.
    static var valid: TorchFixture {
        TorchFixture([
            tensor("features.0.weight", [2, 3, 3, 3], numbers(54, 0)),
            tensor("features.0.bias", [2], numbers(2, 1)),
            tensor("features.3.weight", [4, 2, 3, 3], numbers(72, 2)),
            tensor("features.3.bias", [4], numbers(4, 3)),
            tensor("classifier.0.weight", [2, 2], [.nan, .nan, .nan, .nan]),
        ])
    }

    /// The object's pickle.
    var pickle: [UInt8] {
        var writer = PickleWriter()
        for wrapper in wrappers {
            writer.op(.emptyDictionary)
            writer.text("epoch")
            writer.integer(7)
            writer.op(.setItem)
            writer.text(wrapper)
        }
        writer.emptyOrderedDictionary()
        writer.op(.put1, [0])
        writer.op(.mark)
        for tensor in tensors {
            writer.text(tensor.name)
            writer.tensor(tensor)
        }
        intruder?(&writer)
        writer.op(.setItems)
        // Attributes of the dictionary, as `state_dict()` leaves them.
        writer.op(.emptyDictionary)
        writer.text("_metadata")
        writer.emptyOrderedDictionary()
        writer.op(.setItem)
        writer.op(.build)
        for _ in wrappers { writer.op(.setItem) }
        writer.op(.stop)
        return writer.bytes
    }

    /// Each once, by the key.
    var storages: [Storage] {
        var keys: Set<String> = []
        return tensors.map(\.storage).filter { keys.insert($0.key).inserted }
    }

    /// The form of PyTorch 1.6 and later.
    func archive(pickle: [UInt8]? = nil) -> ZipWriter {
        var archive = ZipWriter()
        archive.add("net/data.pkl", pickle ?? self.pickle)
        if let byteOrder { archive.add("net/byteorder", Array(byteOrder.utf8)) }
        for storage in storages { archive.add("net/data/\(storage.key)", storage.bytes) }
        archive.add("net/version", Array("3\n".utf8))
        return archive
    }

    /// The older form.
    func sequence(pickle: [UInt8]? = nil, keys: [String]? = nil, version: Int = 1001) -> [UInt8] {
        var magic = PickleWriter()
        magic.op(.long1, [10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19])
        magic.op(.stop)
        var number = PickleWriter()
        number.integer(version)
        number.op(.stop)
        var system = PickleWriter()
        system.op(.emptyDictionary)
        system.text("little_endian")
        system.op(.newTrue)
        system.op(.setItem)
        system.op(.stop)
        var list = PickleWriter()
        list.op(.emptyList)
        list.op(.mark)
        for key in keys ?? storages.map(\.key) { list.text(key) }
        list.op(.appends)
        list.op(.stop)
        let data = storages.flatMap { littleEndian(Int64($0.count)) + $0.bytes }
        return magic.bytes + number.bytes + system.bytes + (pickle ?? self.pickle) + list.bytes + data
    }
}
