/// Scans in the order of keys, with a cursor. A closure returns whether to go on; what it throws ends the scan.
extension Transaction where Self: ~Copyable {
    /// All records.
    package func scan<E: StorageErrorConvertible>(
        _ database: Database,
        _ body: (_ key: RawSpan, _ value: RawSpan) throws(E) -> Bool
    ) throws(E) {
        try withCursor(in: database) { (cursor: inout Cursor) throws(E) in
            try advance(&cursor, from: { (cursor) throws(StorageError) in try cursor.moveToFirst() }, body)
        }
    }

    /// Records whose key is at or above `start`.
    package func scan<E: StorageErrorConvertible>(
        _ database: Database,
        from start: some StorageBytes,
        _ body: (_ key: RawSpan, _ value: RawSpan) throws(E) -> Bool
    ) throws(E) {
        try withCursor(in: database) { (cursor: inout Cursor) throws(E) in
            try advance(
                &cursor,
                from: { (cursor) throws(StorageError) in try cursor.move(toFirstAtOrAbove: start) },
                body
            )
        }
    }

    /// Records whose key begins with `prefix`.
    package func scan<E: StorageErrorConvertible>(
        _ database: Database,
        prefix: [UInt8],
        _ body: (_ key: RawSpan, _ value: RawSpan) throws(E) -> Bool
    ) throws(E) {
        try scan(database, from: prefix) { (key: RawSpan, value: RawSpan) throws(E) -> Bool in
            guard key.starts(with: prefix.span.bytes) else { return false }
            return try body(key, value)
        }
    }

    /// The values of one key in a database with `duplicates`.
    package func scan<E: StorageErrorConvertible>(
        _ database: Database,
        valuesOf key: some StorageBytes,
        _ body: (_ value: RawSpan) throws(E) -> Bool
    ) throws(E) {
        try withCursor(in: database) { (cursor: inout Cursor) throws(E) in
            try advance(
                &cursor,
                from: { (cursor) throws(StorageError) in try cursor.move(to: key) },
                next: { (cursor) throws(StorageError) in try cursor.moveToNextDuplicate() },
                { (_: RawSpan, value: RawSpan) throws(E) -> Bool in try body(value) }
            )
        }
    }

    private func advance<E: StorageErrorConvertible>(
        _ cursor: inout Cursor,
        from start: (inout Cursor) throws(StorageError) -> Bool,
        next: (inout Cursor) throws(StorageError) -> Bool = { (cursor) throws(StorageError) in try cursor.moveToNext()
        },
        _ body: (_ key: RawSpan, _ value: RawSpan) throws(E) -> Bool
    ) throws(E) {
        var outcome = Result<Bool, E>.success(false)
        do throws(StorageError) {
            var isThere = try start(&cursor)
            while isThere {
                let current = try cursor.withCurrent { key, value -> Result<Bool, E> in
                    do throws(E) { return .success(try body(key, value)) } catch { return .failure(error) }
                }
                outcome = current ?? .success(false)
                guard case .success(true) = outcome else { break }
                isThere = try next(&cursor)
            }
        } catch { throw E(error) }
        _ = try outcome.get()
    }
}
