/// The links of an HDF5 group to its members.
struct HDF5Group {
    struct Link {
        let name: String
        let address: HDF5File.Address
    }

    /// In the file's order. Links to other names or other files are left out: Keras writes none.
    private(set) var links: [Link] = []

    /// - Returns: nil when the object is no group.
    init?(_ hdf5: inout HDF5File, _ header: HDF5ObjectHeader) throws(ModelFileError) {
        guard header.has(.symbolTable) || header.has(.linkInfo) || header.has(.link) else { return nil }
        if var table = try header.only(.symbolTable) { try readSymbolTable(&hdf5, &table, of: header.name) }
        if var info = try header.only(.linkInfo) {
            _ = try info.version(0...0)
            if try info.byte() & 1 != 0 { try info.skip(8) }
            guard try info.address() == nil else {
                throw .malformedWeights(
                    file: hdf5.file,
                    detail: "\(header.name) keeps its many links in a heap, as Keras never does: "
                        + "save the weights again with Keras, or without libver='latest' and track_order"
                )
            }
        }
        for var message in try header.all(.link) {
            if let link = try Self.link(&message) { links.append(link) }
        }
        guard Set(links.map(\.name)).count == links.count else { throw header.fault("has two members of one name") }
    }

    /// Reads a link message; nil for one that is no hard link.
    private static func link(_ fields: inout HDF5Fields) throws(ModelFileError) -> Link? {
        _ = try fields.version(1...1)
        let flags = try fields.byte()
        let type = flags & 0x08 != 0 ? try fields.byte() : 0
        if flags & 0x04 != 0 { try fields.skip(8) }
        if flags & 0x10 != 0 { try fields.skip(1) }
        let name = try name(try fields.bytes(try fields.integer(1 << Int(flags & 3))), fields)
        guard type == 0 else { return nil }
        guard let address = try fields.address() else { throw fields.fault("points nowhere") }
        return Link(name: name, address: address)
    }

    /// Checks a member's name, which goes into messages.
    private static func name(_ bytes: [UInt8], _ fields: HDF5Fields) throws(ModelFileError) -> String {
        guard (1...255).contains(bytes.count), bytes.allSatisfy({ $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: "/") }),
            let name = String(validating: bytes, as: UTF8.self)
        else { throw fields.fault("holds a name that is none") }
        return name
    }

    // MARK: - Symbol tables

    /// Reads the members by way of a tree whose leaves list them and a heap that holds their names.
    private mutating func readSymbolTable(
        _ hdf5: inout HDF5File,
        _ message: inout HDF5Fields,
        of group: String
    ) throws(ModelFileError) {
        guard let tree = try message.address(), let heap = try message.address() else {
            throw message.fault("has no tree or no heap")
        }
        var fields = try hdf5.block(at: heap, count: 32, "the local heap of \(group)")
        try fields.signature("HEAP")
        _ = try fields.version(0...0)
        try fields.skip(3)
        let count = try fields.integer(8)
        try fields.skip(8)
        guard let start = try fields.address() else { throw fields.fault("has no data") }
        let names = try hdf5.block(at: start, count: count, "the names of \(group)")
        try readTree(&hdf5, at: tree, level: nil, names, group)
    }

    /// Reads a node of a version 1 B-tree and all below it; levels fall by one, so the depth is bounded by a byte.
    private mutating func readTree(
        _ hdf5: inout HDF5File,
        at address: HDF5File.Address,
        level: UInt8?,
        _ names: HDF5Fields,
        _ group: String
    ) throws(ModelFileError) {
        var node = try hdf5.block(at: address, count: 24, "the tree of \(group)")
        try node.signature("TREE")
        guard try node.byte() == 0 else { throw node.fault("is no tree of a group") }
        let found = try node.byte()
        guard found <= 32, level == nil || level == found else { throw node.fault("has a node of level \(found)") }
        let count = try node.integer(2)
        // Before and behind each child stands a key, which only a search needs.
        var children = try hdf5.block(at: address + 24, count: 16 * count, "the tree of \(group)")
        for _ in 0..<count {
            try children.skip(8)
            guard let child = try children.address() else { throw children.fault("points nowhere") }
            if found > 0 {
                try readTree(&hdf5, at: child, level: found - 1, names, group)
            } else {
                try readLeaf(&hdf5, at: child, names, group)
            }
        }
    }

    private mutating func readLeaf(
        _ hdf5: inout HDF5File,
        at address: HDF5File.Address,
        _ names: HDF5Fields,
        _ group: String
    ) throws(ModelFileError) {
        var head = try hdf5.block(at: address, count: 8, "the symbol table of \(group)")
        try head.signature("SNOD")
        _ = try head.version(1...1)
        try head.skip(1)
        let count = try head.integer(2)
        var entries = try hdf5.block(at: address + 8, count: 40 * count, "the symbol table of \(group)")
        for _ in 0..<count {
            let nameStart = try entries.integer(8)
            let member = try entries.address()
            let kind = try entries.integer(4)
            try entries.skip(20)
            // 2: a name in place of an address.
            if kind == 2 { continue }
            guard let member else { throw entries.fault("points nowhere") }
            links.append(Link(name: try Self.name(names.text(at: nameStart), names), address: member))
        }
    }
}
