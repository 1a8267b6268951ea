package import Platform
internal import Storage

/// What is stored, one by one and in pages.
extension Catalog {
    /// Whether a vector for these bytes is stored, so that `index` needs none.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    /// - Complexity: O(log n)
    package func knowsContent(_ content: SHA256Digest) throws(CatalogError) -> Bool {
        try read { (_, transaction) throws(CatalogFailure) in
            try transaction.content(content) != nil
        }
    }

    /// Keys of indexed files with these bytes, at most `limit`.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    /// - Complexity: O(log n) for each image that shares the vector
    package func files(withContent content: SHA256Digest, limit: Int) throws(CatalogError) -> [FileKey] {
        try read { (_, transaction) throws(CatalogFailure) in
            var found: [FileKey] = []
            guard let row = try transaction.content(content) else { return found }
            // Images of other bytes can share the vector, so all of them are looked at until enough are found.
            for id in try transaction.images(of: row.slot, limit: .max) {
                guard found.count < limit else { break }
                let image = try transaction.requiredImage(id).image
                if image.content == content { found.append(image.key) }
            }
            return found
        }
    }

    /// The image with this id; nil when there is none.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    /// - Complexity: O(log n)
    package func image(_ id: ImageID) throws(CatalogError) -> ImageRecord? {
        try read { (_, transaction) throws(CatalogFailure) in
            try transaction.image(id)?.image
        }
    }

    /// A page of images: those with ids above `cursor`, in order of id, at most `limit`. The order is stable under inserts.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    /// - Complexity: O(log n + limit)
    package func images(after cursor: ImageID?, limit: Int) throws(CatalogError) -> [ImageRecord] {
        try read { (_, transaction) throws(CatalogFailure) in
            var found: [ImageRecord] = []
            let (first, overflow) = (cursor?.rawValue ?? 0).addingReportingOverflow(1)
            guard limit > 0, !overflow else { return found }
            try transaction.scanImages(from: first) { (row) throws(CatalogFailure) in
                found.append(row.image)
                return found.count < limit
            }
            return found
        }
    }

    /// A file's row in the ledger; nil when it has none.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    /// - Complexity: O(log n)
    package func file(_ key: FileKey) throws(CatalogError) -> FileRow? {
        try read { (_, transaction) throws(CatalogFailure) in try transaction.file(key) }
    }

    /// A page of the ledger's rows of one root, in byte order of stored keys: those after `path`, at most `limit`.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    /// - Complexity: O(log n + limit)
    package func files(
        in root: RootID,
        after path: RelativePath?,
        limit: Int
    ) throws(CatalogError) -> [FileRow] {
        try read { (_, transaction) throws(CatalogFailure) in
            var found: [FileRow] = []
            guard limit > 0 else { return found }
            let prefix = FileKey.prefix(of: root)
            let start = path.map { FileKey(root: root, path: $0).storedKey }
            try transaction.scanFiles(from: start ?? prefix, within: prefix) {
                (row) throws(CatalogFailure) in
                if row.key.path != path { found.append(row) }
                return found.count < limit
            }
            return found
        }
    }

    /// A page of the failed files of all roots: those after `key`, at most `limit`.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    /// - Complexity: O(limit * log n)
    package func failures(after key: FileKey?, limit: Int) throws(CatalogError) -> [FileRow] {
        try read { (_, transaction) throws(CatalogFailure) in
            var found: [FileRow] = []
            guard limit > 0 else { return found }
            let start = key?.storedKey
            // An empty key is not LMDB's, and none is below four zeros.
            let first = start ?? FileKey.prefix(of: RootID(rawValue: 0))
            try transaction.scan(transaction.tables.failed, from: first) { (storedKey, _) throws(CatalogFailure) in
                let storedKey = storedKey.copied
                if storedKey == start { return true }
                let bytes = try transaction.get(storedKey, in: transaction.tables.files)
                guard let bytes else {
                    throw .corrupted("failed \(String(decoding: storedKey.dropFirst(4), as: UTF8.self))", "no file row")
                }
                found.append(try FileRow(bytes, storedKey: storedKey))
                return found.count < limit
            }
            return found
        }
    }

    /// The watched roots, in order of id.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    /// - Complexity: O(roots)
    package func roots() throws(CatalogError) -> [RootRecord] {
        try read { (_, transaction) throws(CatalogFailure) in
            try transaction.allRoots()
                .filter { !$0.row.isRemoved }
                .map { $0.row.record($0.id) }
        }
    }

    /// Every root that a row which was read just now can belong to: also those that are being removed, and those whose last
    /// row went a moment ago.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    /// - Complexity: O(roots)
    package func namedRoots() throws(CatalogError) -> [RootRecord] {
        let stored = try read { (_, transaction) throws(CatalogFailure) in
            try transaction.allRoots().map { $0.row.record($0.id) }
        }
        return stored + store.formerRoots(without: Set(stored.map(\.id)))
    }
}
