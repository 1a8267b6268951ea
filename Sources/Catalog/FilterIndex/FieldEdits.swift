internal import Storage

/// Changes to records of `field`, before they are written.
struct FieldEdits {
    private struct Edit {
        var added: [Int] = []
        var removed: [Int] = []

        func apply(to words: inout [UInt64]) {
            for offset in removed { words[offset / 64] &= ~(1 << UInt64(offset % 64)) }
            for offset in added { words[offset / 64] |= 1 << UInt64(offset % 64) }
        }
    }

    /// By container, and by what follows the container in keys.
    private var edits: [UInt64: [[UInt8]: Edit]] = [:]

    mutating func add(_ position: ImagePosition, _ keys: [[UInt8]]) {
        for key in keys { edits[position.container, default: [:]][key, default: Edit()].added.append(position.offset) }
    }

    mutating func remove(_ position: ImagePosition, _ keys: [[UInt8]]) {
        for key in keys {
            edits[position.container, default: [:]][key, default: Edit()].removed.append(position.offset)
        }
    }

    /// The records that there are when there was nothing before.
    func encoded() -> [[UInt8]: [UInt8]] {
        var records: [[UInt8]: [UInt8]] = [:]
        for (container, edits) in edits {
            let prefix = FieldKey.prefix(container: container)
            for (suffix, edit) in edits {
                var words = [UInt64](repeating: 0, count: PositionSet.wordCount)
                edit.apply(to: &words)
                records[prefix + suffix] = FieldContainer.encoded(words, key: prefix + suffix)
            }
        }
        return records
    }

    /// Removes before it adds: one image may leave a position that another takes.
    func store(_ transaction: borrowing CatalogWriteTransaction) throws(CatalogFailure) {
        for (container, edits) in edits.sorted(by: { $0.key < $1.key }) {
            let prefix = FieldKey.prefix(container: container)
            for (suffix, edit) in edits.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                try Self.store(edit, at: prefix + suffix, transaction)
            }
        }
    }

    private static func store(
        _ edit: Edit,
        at key: [UInt8],
        _ transaction: borrowing CatalogWriteTransaction
    ) throws(CatalogFailure) {
        var words = [UInt64](repeating: 0, count: PositionSet.wordCount)
        try transaction.withValue(of: key, in: transaction.tables.fields) { (value) throws(CatalogFailure) in
            // SAFETY: the key outlives the call, and bytes have no padding.
            try FieldContainer.add(value, key: unsafe key.span.bytes, to: &words, at: 0)
        }
        edit.apply(to: &words)
        if let value = FieldContainer.encoded(words, key: key) {
            try transaction.put(key, value, in: transaction.tables.fields)
        } else {
            try transaction.delete(key, in: transaction.tables.fields)
        }
    }
}
