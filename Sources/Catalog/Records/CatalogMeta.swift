internal import LinearAlgebra
internal import Storage

/// `catalog`/`cfg`: what the collection is; written once.
struct CatalogConfiguration {
    /// "LKCT", read as a little-endian number.
    private static let magic: UInt32 = 0x5443_4B4C
    private static let key = "cfg"

    let dimension: Int
    /// Of the vectors as the network gives them.
    let fingerprint: String

    /// Of the vectors as they are stored.
    func fingerprint(_ whitening: Whitening?) -> String {
        fingerprint + (whitening.map { " whitening=\($0.digest)" } ?? "")
    }

    /// Stores this in a new collection.
    func put(
        _ whitening: Whitening?,
        _ transaction: borrowing CatalogWriteTransaction
    ) throws(CatalogFailure) {
        try putConfiguration(whitening, transaction)
        if let whitening { try WhiteningRecord.put(whitening, transaction) }
        try FieldIndexState.complete.store(transaction)
    }

    private func putConfiguration(
        _ whitening: Whitening?,
        _ transaction: borrowing CatalogWriteTransaction
    ) throws(CatalogFailure) {
        var writer = RecordWriter()
        writer.append(Self.magic)
        writer.append(CatalogTables.format)
        writer.append(UInt32(dimension))
        writer.append(counted: Array(fingerprint(whitening).utf8))
        let key = Array(Self.key.utf8)
        let bytes = writer.finish(key: key)
        try transaction.put(key, bytes, in: transaction.tables.catalog)
    }

    /// The dimension of a stored configuration; nil when that is missing or damaged.
    static func storedDimension(_ stored: [UInt8]?) -> Int? {
        guard let stored, var reader = try? RecordReader(stored, key: Array(key.utf8), name: "catalog cfg"),
            (try? reader.take(6)) != nil, let dimension = try? reader.integer(UInt32.self), 1...4096 ~= dimension
        else { return nil }
        return Int(dimension)
    }

    /// Compares with what is stored, or stores this in a new collection.
    ///
    /// - Returns: the whitening that the stored vectors went through.
    /// - Throws: `.newerFormat`, `.fingerprintMismatch`, `.wrongDimension`, `.corrupted`.
    func agree(_ transaction: borrowing CatalogWriteTransaction) throws(CatalogFailure) -> Whitening? {
        let key = Array(Self.key.utf8)
        let stored = try transaction.get(key, in: transaction.tables.catalog)
        guard let stored else {
            try put(nil, transaction)
            return nil
        }
        // Magic and version come before the checksum is looked at: a newer format may have another one.
        let head = stored.withStorageBytes { ($0.integer(at: 4, as: UInt32.self), $0.integer(at: 8, as: UInt16.self)) }
        guard head.0 == Self.magic, let format = head.1 else { throw .corrupted("catalog cfg", "magic") }
        guard format <= CatalogTables.format else {
            throw .catalog(.newerFormat(found: Int(format), supported: Int(CatalogTables.format)))
        }
        var reader = try RecordReader(stored, key: key, name: "catalog cfg")
        _ = try reader.take(6)
        let storedDimension = Int(try reader.integer(UInt32.self))
        let storedFingerprint = try reader.text()
        try reader.finish()
        // Only now: a collection of another model is that, and not damaged.
        guard storedFingerprint == fingerprint || storedFingerprint.hasPrefix(fingerprint + " whitening=") else {
            throw .catalog(.fingerprintMismatch(stored: storedFingerprint, expected: fingerprint))
        }
        guard storedDimension == dimension else {
            throw .catalog(.wrongDimension(got: dimension, expected: storedDimension))
        }
        let whitening = try WhiteningRecord.read(transaction)
        guard storedFingerprint == fingerprint(whitening), (whitening?.dimension ?? dimension) == dimension else {
            throw .corrupted("catalog whitening", "it is not the one of the fingerprint \(storedFingerprint)")
        }
        if format < CatalogTables.format {
            // From now on a program that does not keep `field`, trims `event` without a look at `consumer`, or takes a row of `root` with an
            // identity for damaged, must not change the collection.
            try putConfiguration(whitening, transaction)
        }
        return whitening
    }
}

/// `catalog`/`state`: what every commit carries on.
struct CatalogState {
    private static let key = Array("state".utf8)

    /// Commits so far: tells whether a commit whose end was not seen is in the store.
    var commitCount: UInt64 = 0
    /// The last row of `event`.
    var sequence: UInt64 = 0
    /// The last number given; numbers start at 1.
    var lastImage: UInt64 = 0
    var lastRoot: UInt32 = 0

    init(_ transaction: borrowing CatalogTransaction<some Transaction & ~Copyable>) throws(CatalogFailure) {
        let stored = try transaction.get(Self.key, in: transaction.tables.catalog)
        guard let stored else { return }
        var reader = try RecordReader(stored, key: Self.key, name: "catalog state")
        commitCount = try reader.integer()
        sequence = try reader.integer()
        lastImage = try reader.integer()
        lastRoot = try reader.integer()
        try reader.finish()
    }

    func store(_ transaction: borrowing CatalogWriteTransaction) throws(CatalogFailure) {
        var writer = RecordWriter()
        writer.append(commitCount)
        writer.append(sequence)
        writer.append(lastImage)
        writer.append(lastRoot)
        let bytes = writer.finish(key: Self.key)
        try transaction.put(Self.key, bytes, in: transaction.tables.catalog)
    }
}
