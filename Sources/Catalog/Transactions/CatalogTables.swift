internal import Storage

/// The catalog's LMDB databases. `README.md` specifies them; the index has its own beside them.
struct CatalogTables {
    /// The layout of all databases below. Version 1 has no `field`, versions 1 and 2 have no `consumer`, up to 3 the rows of `root` have no
    /// identity; all become this one when they are opened.
    static let format: UInt16 = 4

    private static let duplicates: DatabaseFlags = [.integerKey, .duplicates, .fixedDuplicates, .integerDuplicates]

    let catalog: Database
    let images: Database
    let duplicates: Database
    let files: Database
    let failed: Database
    let contents: Database
    let roots: Database
    let events: Database
    /// Vectors before whitening, by slot; empty where there is none.
    let originals: Database
    /// Bitmaps for filters; derived from `img` and `dup`.
    let fields: Database
    /// Places of those who follow `event`.
    let consumers: Database

    /// Opens all databases, which are made when they are missing.
    init(_ transaction: borrowing WriteTransaction) throws(StorageError) {
        catalog = try transaction.openDatabase("catalog")
        images = try transaction.openDatabase("img", .integerKey)
        duplicates = try transaction.openDatabase("dup", Self.duplicates)
        files = try transaction.openDatabase("file")
        failed = try transaction.openDatabase("failed")
        contents = try transaction.openDatabase("content")
        roots = try transaction.openDatabase("root", .integerKey)
        events = try transaction.openDatabase("event", .integerKey)
        originals = try transaction.openDatabase("raw", .integerKey)
        fields = try transaction.openDatabase("field")
        consumers = try transaction.openDatabase("consumer")
    }
}
