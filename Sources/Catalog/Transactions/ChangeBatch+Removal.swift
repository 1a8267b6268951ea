internal import Platform
internal import Storage
internal import VectorIndex

/// Watched folders come and go.
extension ChangeBatch {
    mutating func addRoot(_ path: RelativePath) throws(CatalogFailure) -> RootRecord {
        if let known = try transaction.allRoots().first(where: { $0.row.path == path && !$0.row.isRemoved }) {
            return known.row.record(known.id)
        }
        state.lastRoot += 1
        let id = RootID(rawValue: state.lastRoot)
        try transaction.put(RootRow(isRemoved: false, path: path), id)
        return RootRecord(id: id, path: path)
    }

    /// Notes which directory a root's rows agree with.
    func confirmRoot(_ id: RootID, _ identity: RootIdentity) throws(CatalogFailure) {
        guard var row = try transaction.root(id), !row.isRemoved, row.identity != identity else { return }
        row.identity = identity
        try transaction.put(row, id)
    }

    /// Takes a root off the list; nothing can be added to it from now on.
    func closeRoot(_ id: RootID) throws(CatalogFailure) {
        guard var row = try transaction.root(id) else { return }
        row.isRemoved = true
        try transaction.put(row, id)
    }

    /// Removes at most `limit` rows of a closed root, with their images, and at last the root itself.
    ///
    /// - Returns: whether there is more to remove.
    mutating func purgeRoot(
        _ id: RootID,
        limit: Int
    ) throws(CatalogFailure) -> Bool {
        var rows: [FileRow] = []
        let prefix = FileKey.prefix(of: id)
        try transaction.scanFiles(from: prefix, within: prefix) { (row) throws(CatalogFailure) in
            rows.append(row)
            return rows.count < limit
        }
        for row in rows {
            if let image = row.image { try removeImage(image) }
            try transaction.deleteFile(row.key)
        }
        if rows.count == limit { return true }
        try transaction.delete(id.rawValue, in: transaction.tables.roots)
        return false
    }
}

/// What becomes of images whose vector is damaged.
extension ChangeBatch {
    /// Drops vectors with their images. Their files become failed ones that are due at once, so the next scan reads and embeds them
    /// again; they get new numbers then.
    ///
    /// - Parameter slots: of the vectors.
    /// - Returns: how many images there were.
    /// - Throws: `.corrupted` when an image or its file cannot be read, `.storage`.
    mutating func drop(_ slots: [Slot]) throws(CatalogFailure) -> Int {
        let failure = FileFailure(
            kind: "damaged-vector",
            message: "its stored vector was damaged; the file is read again",
            attempts: 0,
            nextAttempt: now
        )
        var count = 0
        for slot in slots {
            for id in try transaction.images(of: slot, limit: .max) {
                let key = try transaction.requiredImage(id).image.key
                guard var file = try transaction.file(key) else {
                    throw .corrupted(FileRow.name(key), "missing, though image \(id) has it")
                }
                try removeImage(id)
                file.state = .failed(failure)
                try transaction.put(file)
                count += 1
            }
        }
        return count
    }
}
