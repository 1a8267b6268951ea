/// Attributes of HDF5 objects that hold one text.
enum HDF5Attribute {
    /// The text of an object's attribute; nil when there is none of that name, or it holds something else.
    ///
    /// - Throws: `.malformedWeights` when the attribute is damaged.
    static func text(
        _ hdf5: inout HDF5File,
        _ header: HDF5ObjectHeader,
        named wanted: String
    ) throws(ModelFileError) -> String? {
        for var fields in try header.all(.attribute) {
            let version = try fields.version(1...3)
            let flags = try fields.byte()
            let nameCount = try fields.integer(2)
            let typeCount = try fields.integer(2)
            let spaceCount = try fields.integer(2)
            if version == 3 { try fields.skip(1) }
            // Version 1 fills each part up to a multiple of 8.
            func padding(_ count: Int) -> Int { version == 1 ? -count & 7 : 0 }
            let name = try fields.bytes(nameCount)
            try fields.skip(padding(nameCount))
            guard name.prefix(while: { $0 != 0 }).elementsEqual(wanted.utf8) else { continue }
            guard version == 1 || flags & 3 == 0 else { return nil }
            var type = try fields.fields(typeCount, block: "the type of attribute \(wanted) of \(header.name)")
            try fields.skip(padding(typeCount))
            // A scalar or an array of one: what follows is one text or the beginning of several.
            try fields.skip(spaceCount + padding(spaceCount))
            return try text(&hdf5, &type, &fields)
        }
        return nil
    }

    /// Reads a text of fixed or variable length.
    private static func text(
        _ hdf5: inout HDF5File,
        _ type: inout HDF5Fields,
        _ data: inout HDF5Fields
    ) throws(ModelFileError) -> String? {
        let kind = try type.byte() & 15
        let bits = try type.unsigned(3)
        let byteCount = try type.integer(4)
        let bytes: [UInt8]
        switch kind {
        case 3:
            bytes = try data.bytes(byteCount)
        case 9 where bits & 15 == 1 && byteCount == 16:
            let count = try data.integer(4)
            guard let heap = try data.address() else { throw data.fault("points nowhere") }
            let object = try hdf5.globalObject(try data.integer(4), heap: heap)
            guard count <= object.count else { throw data.fault("has a text of \(count) in \(object.count) bytes") }
            bytes = Array(object.prefix(count))
        default:
            return nil
        }
        return String(validating: bytes.prefix(256).prefix { $0 != 0 }, as: UTF8.self)
    }
}

extension HDF5File {
    /// An object of a collection of the global heap; each collection is read once.
    fileprivate mutating func globalObject(_ index: Int, heap address: Address) throws(ModelFileError) -> [UInt8] {
        if globalHeaps[address] == nil { globalHeaps[address] = try readGlobalHeap(at: address) }
        guard let object = globalHeaps[address]?[index] else {
            throw .malformedWeights(file: file, detail: "the global heap at byte \(address) has no object \(index)")
        }
        return object
    }

    private mutating func readGlobalHeap(at address: Address) throws(ModelFileError) -> [Int: [UInt8]] {
        let what = "the global heap"
        var head = try peek(at: address, count: 16, what)
        try head.signature("GCOL")
        _ = try head.version(1...1)
        try head.skip(3)
        var fields = try block(at: address, count: try head.integer(8), what)
        try fields.skip(16)
        var objects: [Int: [UInt8]] = [:]
        while fields.rest >= 16 {
            let index = try fields.integer(2)
            try fields.skip(6)
            let count = try fields.integer(8)
            // Number 0 is what is free, up to the end.
            if index == 0 { break }
            let object = try fields.bytes(count)
            guard objects.updateValue(object, forKey: index) == nil else {
                throw fields.fault("has two objects \(index)")
            }
            try fields.skip(min(fields.rest, -count & 7))
        }
        return objects
    }
}
