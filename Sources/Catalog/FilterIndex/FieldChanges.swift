internal import Platform
internal import Storage
internal import VectorIndex

/// Keeps `field` in step with what one transaction does to images.
///
/// The changes tell it what they are about to touch; at the end it compares what the touched images had in `field` with what
/// they have to have, and writes each record once, in key order.
struct FieldChanges {
    /// Rows before their first change; nil for images that are new.
    private var rows: [ImageID: ImageRow?] = [:]
    /// The first image of a slot, before images came to the slot or left it.
    private var owners: [Slot: ImageID?] = [:]

    /// Before an image's row is written or removed.
    mutating func willChange(_ id: ImageID, from row: ImageRow?) {
        if rows[id] == nil { rows.updateValue(row, forKey: id) }
    }

    /// Before an image comes to a slot or leaves it.
    mutating func willChangeImages(
        of slot: Slot,
        _ transaction: borrowing CatalogWriteTransaction
    ) throws(CatalogFailure) {
        if owners[slot] != nil { return }
        owners.updateValue(try transaction.images(of: slot, limit: 1).first, forKey: slot)
    }

    /// Writes what follows from all changes, or, when a record is damaged, throws `field` away: it is made anew from the images.
    func finish(_ transaction: borrowing CatalogWriteTransaction) throws(CatalogFailure) {
        guard !rows.isEmpty || !owners.isEmpty else { return }
        let state = try FieldIndexState(transaction)
        let edits = try edits(from: state, to: state, transaction)
        do throws(CatalogFailure) { try edits.store(transaction) } catch .catalog(
            .corrupted(let record, let detail)
        ) {
            Log("catalog").error("\(record) is damaged (\(detail)); the records for filters are made anew")
            try transaction.deleteAll(in: transaction.tables.fields)
            try FieldIndexState(indexedThrough: 0).store(transaction)
        }
    }

    /// Takes the next images of an older collection into `field`.
    ///
    /// - Returns: whether there are more.
    static func indexMore(
        limit: Int,
        _ transaction: borrowing CatalogWriteTransaction
    ) throws(CatalogFailure) -> Bool {
        let before = try FieldIndexState(transaction)
        guard !before.isComplete else { return false }
        var changes = FieldChanges()
        var last = before.indexedThrough
        try transaction.scanImages(from: before.indexedThrough + 1) { (row) throws(CatalogFailure) in
            changes.willChange(row.image.id, from: row)
            last = row.image.id.rawValue
            return changes.rows.count < limit
        }
        let isLast = changes.rows.count < limit
        let after = isLast ? FieldIndexState.complete : FieldIndexState(indexedThrough: last)
        try changes.edits(from: before, to: after, transaction).store(transaction)
        try after.store(transaction)
        return !isLast
    }

    private func edits(
        from before: FieldIndexState,
        to after: FieldIndexState,
        _ transaction: borrowing CatalogWriteTransaction
    ) throws(CatalogFailure) -> FieldEdits {
        var touched = Set(rows.keys)
        for (slot, owner) in owners {
            let now = try transaction.images(of: slot, limit: 1).first
            if now != owner { touched.formUnion([now, owner].compactMap(\.self)) }
        }
        var edits = FieldEdits()
        for id in touched {
            let row = try transaction.image(id)
            let old = rows[id] ?? row
            var mine = (position: ImagePosition?.none, keys: [[UInt8]]())
            var theirs = mine
            if let old, id.rawValue <= before.indexedThrough {
                let owner = try owner(of: old.slot, transaction)
                mine = (owner == id ? ImagePosition(old.slot) : ImagePosition(id), FieldTokens(old.image).keys)
            }
            if let row, id.rawValue <= after.indexedThrough {
                let owner = try transaction.images(of: row.slot, limit: 1).first
                theirs = (owner == id ? ImagePosition(row.slot) : ImagePosition(id), FieldTokens(row.image).keys)
            }
            if mine.position == theirs.position {
                (mine.keys, theirs.keys) = (mine.keys.without(theirs.keys), theirs.keys.without(mine.keys))
            }
            if let position = mine.position { edits.remove(position, mine.keys) }
            if let position = theirs.position { edits.add(position, theirs.keys) }
        }
        return edits
    }

    /// The first image of a slot before all changes.
    private func owner(
        of slot: Slot,
        _ transaction: borrowing CatalogWriteTransaction
    ) throws(CatalogFailure) -> ImageID? {
        if let owner = owners[slot] { return owner }
        return try transaction.images(of: slot, limit: 1).first
    }
}

extension [[UInt8]] {
    fileprivate func without(_ others: [[UInt8]]) -> [[UInt8]] {
        let others = Set(others)
        return filter { !others.contains($0) }
    }
}
