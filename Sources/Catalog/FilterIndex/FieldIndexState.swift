internal import Storage

/// `catalog`/`field`: how far `field` covers the images.
struct FieldIndexState: Equatable {
    private static let key = Array("field".utf8)
    private static let format: UInt16 = 1

    /// Images up to this number are in `field`, as every change leaves them; later ones are not.
    var indexedThrough: UInt64

    /// Nothing is left to do: images to come are indexed as they come.
    static let complete = FieldIndexState(indexedThrough: .max)

    var isComplete: Bool { self == .complete }

    init(indexedThrough: UInt64) { self.indexedThrough = indexedThrough }

    /// A collection from before there was `field` has no record: nothing is indexed.
    init(_ transaction: borrowing CatalogTransaction<some Transaction & ~Copyable>) throws(CatalogFailure) {
        let stored = try transaction.get(Self.key, in: transaction.tables.catalog)
        guard let stored else {
            indexedThrough = 0
            return
        }
        var reader = try RecordReader(stored, key: Self.key, name: "catalog field")
        let format = try reader.integer(UInt16.self)
        guard format == Self.format else { throw reader.damaged("version \(format)") }
        indexedThrough = try reader.integer()
        try reader.finish()
    }

    func store(_ transaction: borrowing CatalogWriteTransaction) throws(CatalogFailure) {
        var writer = RecordWriter()
        writer.append(Self.format)
        writer.append(indexedThrough)
        let bytes = writer.finish(key: Self.key)
        try transaction.put(Self.key, bytes, in: transaction.tables.catalog)
    }
}
