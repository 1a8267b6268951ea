internal import Filters
internal import Storage

/// Sets of positions, read out of `field`.
extension CatalogTransaction where Base: ~Copyable {
    /// The members of one bitmap.
    ///
    /// - Complexity: O(containers * log n)
    func members(_ suffix: [UInt8]) throws(CatalogFailure) -> PositionSet {
        var set = PositionSet()
        try collect(suffix, upTo: suffix + [0], into: &set)
        return set
    }

    /// The members of all bitmaps of one field and kind of value whose value is in `start..<end`, as keys have them.
    func members(
        _ field: FieldKey.Field,
        _ kind: FieldKey.Kind,
        from start: [UInt8],
        upTo end: [UInt8]?,
        into set: inout PositionSet
    ) throws(CatalogFailure) {
        if let end, !start.lexicographicallyPrecedes(end) { return }
        let prefix = FieldKey.suffix(field, kind)
        // No kind's number is 255, so there is a successor.
        let last = end.map { prefix + FieldKey.bounded($0) } ?? prefix.successorOfPrefix ?? prefix
        try collect(prefix + FieldKey.bounded(start), upTo: last, into: &set)
    }

    /// Goes to the first key of the range in one container after the other: a search in the tree for each, and steps within.
    private func collect(
        _ start: [UInt8],
        upTo end: [UInt8],
        into set: inout PositionSet
    ) throws(CatalogFailure) {
        try storage.withCursor(in: tables.fields) { (cursor) throws(CatalogFailure) in
            var container: UInt64 = 0
            while true {
                let prefix = FieldKey.prefix(container: container)
                let last = prefix + end
                var isThere = try Self.move(&cursor, to: prefix + start)
                var next: UInt64?
                while isThere, next == nil {
                    next = try Self.take(cursor, below: last, of: container, into: &set)
                    if next == nil { isThere = try Self.step(&cursor) }
                }
                guard let next else { return }
                container = max(next, container + 1)
            }
        }
    }

    private static func move(_ cursor: inout Cursor, to key: [UInt8]) throws(CatalogFailure) -> Bool {
        do throws(StorageError) { return try cursor.move(toFirstAtOrAbove: key) } catch { throw .storage(error) }
    }

    private static func step(_ cursor: inout Cursor) throws(CatalogFailure) -> Bool {
        do throws(StorageError) { return try cursor.moveToNext() } catch { throw .storage(error) }
    }

    /// Adds the record here when it is below `last`.
    ///
    /// - Returns: the container of a record that is not.
    private static func take(
        _ cursor: borrowing Cursor,
        below last: [UInt8],
        of container: UInt64,
        into set: inout PositionSet
    ) throws(CatalogFailure) -> UInt64? {
        let outcome: Result<UInt64?, CatalogFailure>?
        do throws(StorageError) {
            outcome = try cursor.withCurrent { key, value in
                guard last.withStorageBytes({ key.precedes($0) }) else {
                    guard let found = FieldKey.container(of: key) else {
                        return .failure(.corrupted(FieldKey.name(key.copied), "short key"))
                    }
                    return .success(found)
                }
                do throws(CatalogFailure) {
                    try set.withWords(of: container) { (words, start) throws(CatalogFailure) in
                        try FieldContainer.add(value, key: key, to: &words, at: start)
                    }
                    return .success(nil)
                } catch { return .failure(error) }
            }
        } catch { throw .storage(error) }
        return try outcome?.get() ?? nil
    }
}
