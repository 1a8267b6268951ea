import Platform
import Storage

/// Reads an index's rows by the words of `Sources/VectorIndex/README.md` alone, without the index.
enum TortureRows {
    private static let noSlot = UInt32.max

    /// Counts in the store of `directory` what breaks the format, slots without a vector that links name, and vectors without links.
    static func look(into directory: String, _ opening: inout TortureOpening) throws {
        let environment = try Environment(directory: directory, options: TortureIndex.options)
        defer { environment.close() }
        // Given up at the end, so that nothing is made that was not there.
        let transaction = try WriteTransaction(environment)
        /// The hash of each slot's vector.
        var slots: [UInt32: UInt64] = [:]
        var malformed = 0
        var dangling: Set<UInt32> = []
        var linked = 0
        let vectors = try transaction.openDatabase("vec", .integerKey)
        try transaction.scan(vectors) { (key, row) throws(StorageError) in
            let isSound =
                row.byteCount == 16 + 2 * TortureVector.dimension
                && row.integer(at: 0) == CRC32C.checksum(row.extracting(4..<row.byteCount))
            if isSound, let slot = key.integer(at: 0, as: UInt32.self) {
                slots[slot] = row.integer(at: 8, as: UInt64.self)
            } else {
                malformed += 1
            }
            return true
        }
        let codes = try transaction.openDatabase("code", .integerKey)
        var codeCount = 0
        try transaction.scan(codes) { (key, row) throws(StorageError) in
            let isSound =
                row.byteCount > 24
                && row.integer(at: 0) == CRC32C.checksum(key, continuing: CRC32C.checksum(row.extracting(4...)))
            let slot = key.integer(at: 0, as: UInt32.self) ?? noSlot
            if !isSound || row.integer(at: 8, as: UInt64.self) != slots[slot] { malformed += 1 }
            codeCount += 1
            return true
        }
        malformed += abs(codeCount - slots.count)
        /// Looks at one list.
        func look(at row: RawSpan, capacity: Int, of slot: UInt32) {
            guard row.byteCount == 4 + 4 * capacity, let count = row.integer(at: 0, as: UInt8.self),
                Int(count) <= capacity
            else {
                malformed += 1
                return
            }
            let links = (0..<capacity).compactMap { row.integer(at: 4 + 4 * $0, as: UInt32.self) }
            if links[Int(count)...].contains(where: { $0 != noSlot }) || links[..<Int(count)].contains(slot) {
                malformed += 1
            }
            dangling.formUnion(links[..<Int(count)].filter { slots[$0] == nil })
        }
        let base = try transaction.openDatabase("adj0", .integerKey)
        try transaction.scan(base) { (key, row) throws(StorageError) in
            let slot = key.integer(at: 0, as: UInt32.self) ?? noSlot
            look(at: row, capacity: 32, of: slot)
            if slots[slot] != nil { linked += 1 }
            return true
        }
        let upper = try transaction.openDatabase("adjU", .integerKey)
        try transaction.scan(upper) { (key, row) throws(StorageError) in
            look(at: row, capacity: 16, of: key.integer(at: 0, as: UInt32.self) ?? noSlot)
            return true
        }
        opening.malformedCount = UInt32(malformed)
        opening.danglingCount = UInt32(dangling.count)
        opening.unlinkedCount = UInt32(slots.count - linked)
    }
}
