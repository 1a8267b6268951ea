internal import Platform
internal import Storage
internal import VectorIndex

/// Typed rows, read. Each throws `.storage`, and `.corrupted` with the name of a record that is damaged.
extension CatalogTransaction where Base: ~Copyable {
    func image(_ id: ImageID) throws(CatalogFailure) -> ImageRow? {
        guard let bytes = try get(id.rawValue, in: tables.images) else { return nil }
        return try ImageRow(bytes, id: id)
    }

    /// The image that another record names.
    ///
    /// - Throws: `.corrupted` when it is missing.
    func requiredImage(_ id: ImageID) throws(CatalogFailure) -> ImageRow {
        guard let row = try image(id) else { throw .corrupted(ImageRow.name(id), "missing") }
        return row
    }

    /// Rows of images from an id on, in order of id, while `body` wants more.
    func scanImages(
        from first: UInt64,
        _ body: (ImageRow) throws(CatalogFailure) -> Bool
    ) throws(CatalogFailure) {
        try scan(tables.images, from: first) { (key, value) throws(CatalogFailure) in
            guard let number = key.integer(at: 0, as: UInt64.self) else { throw .corrupted("image", "short key") }
            return try body(try ImageRow(value.copied, id: ImageID(rawValue: number)))
        }
    }

    /// The slot of an image, without a look at the rest of its row.
    func slot(of id: ImageID) throws(CatalogFailure) -> Slot {
        let found = try withValue(of: id.rawValue, in: tables.images) { $0.integer(at: 4, as: UInt32.self) }
        guard let number = found ?? nil else { throw .corrupted(ImageRow.name(id), "missing or short") }
        return Slot(rawValue: number)
    }

    func file(_ key: FileKey) throws(CatalogFailure) -> FileRow? {
        let storedKey = key.storedKey
        guard let bytes = try get(storedKey, in: tables.files) else { return nil }
        let row = try FileRow(bytes, storedKey: storedKey)
        // Two long paths of one SHA-256 would be needed to get here with another file's row.
        guard row.key == key else { throw .corrupted(FileRow.name(key), "holds \(row.key.path)") }
        return row
    }

    /// File rows from the first stored key at or above `start`, of one root or of all, while `body` wants more.
    func scanFiles(
        from start: [UInt8],
        within prefix: [UInt8],
        _ body: (FileRow) throws(CatalogFailure) -> Bool
    ) throws(CatalogFailure) {
        try scan(tables.files, from: start) { (key, value) throws(CatalogFailure) in
            let storedKey = key.copied
            guard storedKey.starts(with: prefix) else { return false }
            return try body(try FileRow(value.copied, storedKey: storedKey))
        }
    }

    func content(_ content: SHA256Digest) throws(CatalogFailure) -> ContentRow? {
        guard let bytes = try get(content.bytes, in: tables.contents) else { return nil }
        return try ContentRow(bytes, content: content)
    }

    func root(_ id: RootID) throws(CatalogFailure) -> RootRow? {
        guard let bytes = try get(id.rawValue, in: tables.roots) else { return nil }
        return try RootRow(bytes, id: id)
    }

    /// All roots, those off the list too.
    func allRoots() throws(CatalogFailure) -> [(id: RootID, row: RootRow)] {
        var found: [(RootID, RootRow)] = []
        try scan(tables.roots) { (key, value) throws(CatalogFailure) in
            guard let number = key.integer(at: 0, as: UInt32.self) else { throw .corrupted("root", "short key") }
            let id = RootID(rawValue: number)
            found.append((id, try RootRow(value.copied, id: id)))
            return true
        }
        return found
    }

    /// Images that share a vector, in order of id, at most `limit`.
    func images(of slot: Slot, limit: Int) throws(CatalogFailure) -> [ImageID] {
        var found: [ImageID] = []
        guard limit > 0 else { return found }
        try scan(tables.duplicates, valuesOf: slot.rawValue) { (value) throws(CatalogFailure) in
            guard let number = value.integer(at: 0, as: UInt64.self) else {
                throw .corrupted("dup \(slot.rawValue)", "\(value.byteCount) bytes")
            }
            found.append(ImageID(rawValue: number))
            return found.count < limit
        }
        return found
    }

    /// The vector of a slot before whitening.
    ///
    /// - Throws: `.corrupted` when it is missing.
    func original(_ slot: Slot) throws(CatalogFailure) -> HalfVector {
        let name = "raw vector \(slot.rawValue)"
        guard let stored = try get(slot.rawValue, in: tables.originals) else { throw .corrupted(name, "missing") }
        var reader = try RecordReader(stored, key: slot.rawValue.littleEndianBytes, name: name)
        return HalfVector(bytes: try reader.take(stored.count - 4))
    }
}

/// Typed rows, written. Each throws `.storage`.
extension CatalogTransaction where Base == WriteTransaction {
    func put(_ row: ImageRow) throws(CatalogFailure) {
        try put(row.image.id.rawValue, row.encoded, in: tables.images)
    }

    /// Stores a ledger row, and keeps the list of failed files in step with it.
    func put(_ row: FileRow) throws(CatalogFailure) {
        let storedKey = row.key.storedKey
        try put(storedKey, row.encoded, in: tables.files)
        if row.isFailed {
            try put(storedKey, [UInt8](), in: tables.failed)
        } else {
            try delete(storedKey, in: tables.failed)
        }
    }

    /// Deletes a ledger row, and its entry in the list of failed files.
    func deleteFile(_ key: FileKey) throws(CatalogFailure) {
        let storedKey = key.storedKey
        try delete(storedKey, in: tables.files)
        try delete(storedKey, in: tables.failed)
    }

    func put(_ row: ContentRow, _ content: SHA256Digest) throws(CatalogFailure) {
        try put(content.bytes, row.encoded(content), in: tables.contents)
    }

    func put(_ row: RootRow, _ id: RootID) throws(CatalogFailure) {
        try put(id.rawValue, row.encoded(id), in: tables.roots)
    }

    /// Stores the vector of a slot as the network gave it, where `vec` holds the whitened one. It is exact: whitening can be learned
    /// anew or taken back without reading an image.
    func put(_ original: HalfVector, _ slot: Slot) throws(CatalogFailure) {
        var writer = RecordWriter()
        writer.append(fixed: original.bytes)
        try put(slot.rawValue, writer.finish(key: slot.rawValue.littleEndianBytes), in: tables.originals)
    }
}
