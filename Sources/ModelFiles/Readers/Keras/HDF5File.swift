/// An opened HDF5 file, read-only: the part of the format that Keras and h5py write for weights.
///
/// After "HDF5 File Format Specification Version 3.0" (The HDF Group). Understood: superblocks 0 to 3; groups by symbol
/// table or by link messages; object headers 1 and 2; floating-point datasets in one piece. Chunks, filters, external
/// files, shared messages and dense link storage are refused by name.
///
/// Files come from anywhere. Every block is read once, and no two blocks may share bytes, so cyclic structures end and
/// neither time nor memory exceeds a small multiple of the file's size.
struct HDF5File {
    /// Addresses in the file, which are 8 bytes wide in every file that is read.
    typealias Address = Int

    let bytes: WeightBytes
    private(set) var rootAddress: Address = 0
    /// Collections of the global heap that were read: their objects by number.
    var globalHeaps: [Address: [Int: [UInt8]]] = [:]
    private var claims = HDF5Claims()

    /// For messages.
    var file: String { bytes.file }

    /// Reads the superblock.
    init(_ bytes: WeightBytes) throws(ModelFileError) {
        self.bytes = bytes
        var start = HDF5Fields(try bytes.read(0..<min(9, bytes.count)), block: "the superblock", file: bytes.file)
        guard try start.bytes(8) == [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A] else {
            throw start.fault("does not begin with the signature of HDF5")
        }
        let version = try start.version(0...3)
        // Versions 0 and 1 end with the root group's symbol table entry, 2 and 3 with a checksum.
        var fields = try block(at: 0, count: [96, 100, 48, 48][Int(version)], "the superblock")
        if version >= 2 { try fields.takeChecksum() }
        try fields.skip(version < 2 ? 13 : 9)
        let widths = try fields.bytes(2)
        guard widths == [8, 8] else {
            throw fields.fault("has addresses of \(widths[0]) and lengths of \(widths[1]) bytes; only 8 and 8 are read")
        }
        try fields.skip(version < 2 ? 9 : 1)
        if version == 1 { try fields.skip(4) }
        guard try fields.address() == 0 else { throw fields.fault("counts addresses from elsewhere than byte 0") }
        _ = try fields.address()
        let end = try fields.address() ?? .max
        if version < 2 {
            // The driver's information, then the name of the root group.
            _ = try fields.address()
            _ = try fields.address()
        }
        guard let root = try fields.address() else { throw fields.fault("names no root group") }
        guard end <= bytes.count else {
            throw fields.fault("says that the file has \(end) bytes, but it ends after \(bytes.count)")
        }
        rootAddress = root
    }

    /// Reads a block that nothing else may share; `what` is its kind, for messages.
    ///
    /// - Throws: `.malformedWeights` when the block does not lie in the file, or was read before.
    /// - Returns: the block from its first field.
    mutating func block(at address: Address, count: Int, _ what: String) throws(ModelFileError) -> HDF5Fields {
        let name = "\(what) at byte \(address)"
        let range = try claim(address, count, name)
        return HDF5Fields(try bytes.read(range), block: name, file: file)
    }

    /// Looks at bytes that are claimed later, when their number is known; as many as there are at most.
    func peek(at address: Address, count: Int, _ what: String) throws(ModelFileError) -> HDF5Fields {
        let name = "\(what) at byte \(address)"
        guard address >= 0, address <= bytes.count else { throw outside(name, count) }
        let range = address..<min(bytes.count, address + count)
        return HDF5Fields(try bytes.read(range), block: name, file: file)
    }

    /// Takes bytes for one owner without reading them.
    mutating func claim(_ address: Address, _ count: Int, _ name: String) throws(ModelFileError) -> Range<Int> {
        guard address >= 0, count >= 0, address <= bytes.count, count <= bytes.count - address else {
            throw outside(name, count)
        }
        let range = address..<address + count
        guard claims.add(range, limit: bytes.count) else {
            throw .malformedWeights(file: file, detail: "\(name) belongs to several structures")
        }
        return range
    }

    /// Ends the reading of structures: checks that no two of them shared bytes.
    func checkOverlaps() throws(ModelFileError) {
        guard let overlap = claims.overlap else { return }
        throw .malformedWeights(file: file, detail: "bytes \(overlap) belong to two structures")
    }

    private func outside(_ name: String, _ count: Int) -> ModelFileError {
        .malformedWeights(
            file: file,
            detail: "\(name) of \(count) bytes lies outside of the \(bytes.count) of the file"
        )
    }
}

/// Which bytes of a file belong to structures that were read: none may belong to two.
///
/// A cycle reads a block twice, so it ends at once; blocks that merely overlap are found at the end, and until then all
/// of them together cannot exceed the file.
struct HDF5Claims {
    private var ranges: [Range<Int>] = []
    private var starts: Set<Int> = []
    private var byteCount = 0

    /// Takes a range within the file; an empty one belongs to nobody.
    ///
    /// - Returns: false when another one begins there, or when the sum exceeds the file.
    /// - Complexity: amortised O(1)
    mutating func add(_ range: Range<Int>, limit: Int) -> Bool {
        if range.isEmpty { return true }
        byteCount += range.count
        guard byteCount <= limit, starts.insert(range.lowerBound).inserted else { return false }
        ranges.append(range)
        return true
    }

    /// The first bytes that belong to two.
    ///
    /// - Complexity: O(*n* log *n*)
    var overlap: Range<Int>? {
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        // Until an overlap is found, each range ends behind all before it.
        for (before, after) in zip(sorted, sorted.dropFirst()) where before.upperBound > after.lowerBound {
            return after.lowerBound..<min(before.upperBound, after.upperBound)
        }
        return nil
    }
}
