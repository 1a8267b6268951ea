internal import Platform
internal import Storage

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
