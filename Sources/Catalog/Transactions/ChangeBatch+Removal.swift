internal import Platform
internal import Storage
internal import VectorIndex

/// Watched folders come and go.
extension ChangeBatch {
    mutating func addRoot(
        _ path: RelativePath,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> RootRecord {
        if let known = try tables.allRoots(transaction).first(where: { $0.row.path == path && !$0.row.isRemoved }) {
            return RootRecord(id: known.id, path: path)
        }
        state.lastRoot += 1
        let id = RootID(rawValue: state.lastRoot)
        try tables.put(RootRow(isRemoved: false, path: path), id, transaction)
        return RootRecord(id: id, path: path)
    }

    /// Takes a root off the list; nothing can be added to it from now on.
    func closeRoot(_ id: RootID, _ transaction: borrowing WriteTransaction) throws(CatalogFailure) {
        guard var row = try tables.root(id, transaction) else { return }
        row.isRemoved = true
        try tables.put(row, id, transaction)
    }

    /// Removes at most `limit` rows of a closed root, with their images, and at last the root itself.
    ///
    /// - Returns: whether there is more to remove.
    mutating func purgeRoot(
        _ id: RootID,
        limit: Int,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> Bool {
        var rows: [FileRow] = []
        let prefix = FileKey.prefix(of: id)
        try tables.scanFiles(from: prefix, within: prefix, transaction) { (row) throws(CatalogFailure) in
            rows.append(row)
            return rows.count < limit
        }
        for row in rows {
            if let image = row.image { try removeImage(image, transaction) }
            try tables.removeFile(row.key, transaction)
        }
        if rows.count == limit { return true }
        try storing { () throws(StorageError) in try transaction.delete(id.rawValue, in: tables.roots) }
        return false
    }
}

/// What becomes of images whose vector is damaged.
extension ChangeBatch {
    /// Drops vectors with their images. Their files become failed ones that are due at once, so the next scan reads and embeds them
    /// again; they get new numbers then.
    ///
    /// - Parameters:
    ///   - slots: of the vectors.
    ///   - transaction: the batch's.
    /// - Returns: how many images there were.
    /// - Throws: `.corrupted` when an image or its file cannot be read, `.storage`.
    mutating func drop(_ slots: [Slot], _ transaction: borrowing WriteTransaction) throws(CatalogFailure) -> Int {
        let failure = FileFailure(
            kind: "damaged-vector",
            message: "its stored vector was damaged; the file is read again",
            attempts: 0,
            nextAttempt: now
        )
        var count = 0
        for slot in slots {
            for id in try tables.images(of: slot, limit: .max, transaction) {
                let key = try tables.requiredImage(id, transaction).image.key
                guard var file = try tables.file(key, transaction) else {
                    throw .corrupted(FileRow.name(key), "missing, though image \(id) has it")
                }
                try removeImage(id, transaction)
                file.state = .failed(failure)
                try tables.put(file, transaction)
                count += 1
            }
        }
        return count
    }
}
