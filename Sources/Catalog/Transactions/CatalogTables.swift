internal import Platform
internal import Storage
internal import VectorIndex

/// The catalog's databases and their typed records. `README.md` specifies them; the index has its own beside them.
struct CatalogTables {
    /// Layout of `catalog`, `img`, `dup`, `file`, `failed`, `content`, `root`, `event`, `raw` and `field`.
    static let format: UInt16 = 2
    /// Without `field`; made the current one when it is opened.
    static let formatWithoutFields: UInt16 = 1

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

    init(_ transaction: borrowing WriteTransaction) throws(CatalogFailure) {
        do throws(StorageError) {
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
        } catch { throw .storage(error) }
    }

    // MARK: Reading

    func image(_ id: ImageID, _ transaction: borrowing some Transaction & ~Copyable) throws(CatalogFailure) -> ImageRow?
    {
        guard let bytes = try get(id.rawValue, images, transaction) else { return nil }
        return try ImageRow(bytes, id: id)
    }

    /// The image that another record names.
    func requiredImage(
        _ id: ImageID,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(CatalogFailure) -> ImageRow {
        guard let row = try image(id, transaction) else { throw .corrupted(ImageRow.name(id), "missing") }
        return row
    }

    func file(_ key: FileKey, _ transaction: borrowing some Transaction & ~Copyable) throws(CatalogFailure) -> FileRow?
    {
        let storedKey = key.storedKey
        guard let bytes = try get(storedKey, files, transaction) else { return nil }
        let row = try FileRow(bytes, storedKey: storedKey)
        // Two long paths of one SHA-256 would be needed to get here with another file's row.
        guard row.key == key else { throw .corrupted(FileRow.name(key), "holds \(row.key.path)") }
        return row
    }

    func content(
        _ content: SHA256Digest,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(CatalogFailure) -> ContentRow? {
        guard let bytes = try get(content.bytes, contents, transaction) else { return nil }
        return try ContentRow(bytes, content: content)
    }

    func root(_ id: RootID, _ transaction: borrowing some Transaction & ~Copyable) throws(CatalogFailure) -> RootRow? {
        guard let bytes = try get(id.rawValue, roots, transaction) else { return nil }
        return try RootRow(bytes, id: id)
    }

    func allRoots(
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(CatalogFailure) -> [(id: RootID, row: RootRow)] {
        var found: [(RootID, RootRow)] = []
        try transaction.scan(roots) { (key, value) throws(CatalogFailure) in
            guard let number = key.integer(at: 0, as: UInt32.self) else { throw .corrupted("root", "short key") }
            let id = RootID(rawValue: number)
            found.append((id, try RootRow(value.copied, id: id)))
            return true
        }
        return found
    }

    /// Images that share a vector, in order of id, at most `limit`.
    func images(
        of slot: Slot,
        limit: Int,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(CatalogFailure) -> [ImageID] {
        var found: [ImageID] = []
        guard limit > 0 else { return found }
        try transaction.scan(duplicates, valuesOf: slot.rawValue) { (value) throws(CatalogFailure) in
            guard let number = value.integer(at: 0, as: UInt64.self) else {
                throw .corrupted("dup \(slot.rawValue)", "\(value.byteCount) bytes")
            }
            found.append(ImageID(rawValue: number))
            return found.count < limit
        }
        return found
    }

    /// File rows from the first stored key at or above `start`, of one root or of all, while `body` wants more.
    func scanFiles(
        from start: [UInt8],
        within prefix: [UInt8],
        _ transaction: borrowing some Transaction & ~Copyable,
        _ body: (FileRow) throws(CatalogFailure) -> Bool
    ) throws(CatalogFailure) {
        try transaction.scan(files, from: start) { (key, value) throws(CatalogFailure) in
            let storedKey = key.copied
            guard storedKey.starts(with: prefix) else { return false }
            return try body(try FileRow(value.copied, storedKey: storedKey))
        }
    }

    // MARK: Writing

    func put(_ row: ImageRow, _ transaction: borrowing WriteTransaction) throws(CatalogFailure) {
        try storing { () throws(StorageError) in try transaction.put(row.image.id.rawValue, row.encoded, in: images) }
    }

    /// Stores a ledger row, and keeps the list of failed files in step with it.
    func put(_ row: FileRow, _ transaction: borrowing WriteTransaction) throws(CatalogFailure) {
        let storedKey = row.key.storedKey
        try storing { () throws(StorageError) in
            try transaction.put(storedKey, row.encoded, in: files)
            if row.isFailed {
                try transaction.put(storedKey, [UInt8](), in: failed)
            } else {
                try transaction.delete(storedKey, in: failed)
            }
        }
    }

    func removeFile(_ key: FileKey, _ transaction: borrowing WriteTransaction) throws(CatalogFailure) {
        let storedKey = key.storedKey
        try storing { () throws(StorageError) in
            try transaction.delete(storedKey, in: files)
            try transaction.delete(storedKey, in: failed)
        }
    }

    func put(
        _ row: ContentRow,
        _ content: SHA256Digest,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) {
        try storing { () throws(StorageError) in
            try transaction.put(content.bytes, row.encoded(content), in: contents)
        }
    }

    func put(_ row: RootRow, _ id: RootID, _ transaction: borrowing WriteTransaction) throws(CatalogFailure) {
        try storing { () throws(StorageError) in try transaction.put(id.rawValue, row.encoded(id), in: roots) }
    }

    private func get(
        _ key: some StorageBytes,
        _ database: Database,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(CatalogFailure) -> [UInt8]? {
        try storing { () throws(StorageError) in try transaction.get(key, in: database) }
    }
}
