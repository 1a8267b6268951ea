/// Reads the little-endian fields of one block of an HDF5 file in order; what lies behind the block's end is an error.
struct HDF5Fields {
    /// For messages.
    let file: String
    /// What the block is, for messages: `the object header at byte 96`.
    let block: String
    private var bytes: [UInt8]
    private(set) var position = 0

    /// Bytes not read yet.
    var rest: Int { bytes.count - position }

    init(_ bytes: [UInt8], block: String, file: String) {
        self.bytes = bytes
        self.block = block
        self.file = file
    }

    /// The error that something about this block is wrong.
    func fault(_ what: String) -> ModelFileError { .malformedWeights(file: file, detail: "\(block) \(what)") }

    private func require(_ count: Int) throws(ModelFileError) {
        guard count >= 0, count <= rest else {
            throw fault("ends \(count - rest) bytes too early, at its byte \(position)")
        }
    }

    /// Reads an unsigned integer of 1 to 8 bytes.
    mutating func unsigned(_ byteCount: Int) throws(ModelFileError) -> UInt64 {
        try require(byteCount)
        var value: UInt64 = 0
        for index in 0..<byteCount { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        position += byteCount
        return value
    }

    /// Reads a count or a length of 1 to 8 bytes.
    mutating func integer(_ byteCount: Int) throws(ModelFileError) -> Int {
        let value = try unsigned(byteCount)
        guard let integer = Int(exactly: value) else { throw fault("holds the impossible length \(value)") }
        return integer
    }

    mutating func byte() throws(ModelFileError) -> UInt8 { UInt8(try unsigned(1)) }

    /// Reads an address in the file; nil for the undefined one, all bits set.
    mutating func address() throws(ModelFileError) -> Int? {
        let value = try unsigned(8)
        if value == .max { return nil }
        guard let address = Int(exactly: value) else { throw fault("holds the impossible address \(value)") }
        return address
    }

    mutating func skip(_ count: Int) throws(ModelFileError) {
        try require(count)
        position += count
    }

    mutating func bytes(_ count: Int) throws(ModelFileError) -> [UInt8] {
        try require(count)
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// Reads the next bytes as fields of their own.
    mutating func fields(_ count: Int, block: String) throws(ModelFileError) -> HDF5Fields {
        HDF5Fields(try bytes(count), block: block, file: file)
    }

    /// The bytes from a place in the block to the next zero, at most 256 of them.
    func text(at start: Int) throws(ModelFileError) -> [UInt8] {
        guard start >= 0, start < bytes.count else { throw fault("of \(bytes.count) bytes has no text at \(start)") }
        return Array(bytes[start...].prefix(256).prefix { $0 != 0 })
    }

    /// Reads a version number, which must be among the known ones.
    mutating func version(_ known: ClosedRange<UInt8>) throws(ModelFileError) -> UInt8 {
        let version = try byte()
        guard known.contains(version) else { throw fault("has version \(version), which is not read") }
        return version
    }

    /// Reads the four letters that blocks of a kind begin with.
    mutating func signature(_ expected: StaticString) throws(ModelFileError) {
        let found = try bytes(4)
        guard found == Array("\(expected)".utf8) else { throw fault("does not begin with \(expected)") }
    }

    /// Takes off the four bytes that end a block of the newer kinds: the checksum of all before them.
    mutating func takeChecksum() throws(ModelFileError) {
        guard rest >= 4 else { throw fault("has no checksum") }
        let expected = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        bytes.removeLast(4)
        guard HDF5Checksum.lookup3(bytes[...]) == expected else { throw fault("does not match its checksum") }
    }
}

/// The checksum of the newer kinds of HDF5 blocks: Bob Jenkins's `hashlittle` ("lookup3", 2006) with the initial value 0.
enum HDF5Checksum {
    /// - Complexity: O(*n*)
    static func lookup3(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let start = UInt32(truncatingIfNeeded: 0xDEAD_BEEF &+ bytes.count)
        var (a, b, c) = (start, start, start)
        var rest = bytes
        while rest.count > 12 {
            add(rest.prefix(12), &a, &b, &c)
            mix(&a, &b, &c)
            rest = rest.dropFirst(12)
        }
        // Nothing to stir in for no bytes at all.
        if rest.isEmpty { return c }
        add(rest, &a, &b, &c)
        finish(&a, &b, &c)
        return c
    }

    /// Adds up to 12 bytes, as three little-endian words with zeros for what is missing.
    private static func add(_ part: ArraySlice<UInt8>, _ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
        for (index, byte) in part.enumerated() {
            let value = UInt32(byte) << UInt32(8 * (index & 3))
            switch index >> 2 {
            case 0: a &+= value
            case 1: b &+= value
            default: c &+= value
            }
        }
    }

    private static func mix(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
        a = (a &- c) ^ rotate(c, 4)
        c &+= b
        b = (b &- a) ^ rotate(a, 6)
        a &+= c
        c = (c &- b) ^ rotate(b, 8)
        b &+= a
        a = (a &- c) ^ rotate(c, 16)
        c &+= b
        b = (b &- a) ^ rotate(a, 19)
        a &+= c
        c = (c &- b) ^ rotate(b, 4)
        b &+= a
    }

    private static func finish(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
        c = (c ^ b) &- rotate(b, 14)
        a = (a ^ c) &- rotate(c, 11)
        b = (b ^ a) &- rotate(a, 25)
        c = (c ^ b) &- rotate(b, 16)
        a = (a ^ c) &- rotate(c, 4)
        b = (b ^ a) &- rotate(a, 14)
        c = (c ^ b) &- rotate(b, 24)
    }

    private static func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 { value << count | value >> (32 - count) }
}
