internal import CLMDB

/// What read and write transactions have in common: reading one consistent state of the store.
///
/// Bytes given to closures lie in the memory map: no copy, valid only inside the closure.
package protocol Transaction: ~Copyable {
    var handle: TransactionHandle { get }
}

extension Transaction where Self: ~Copyable {
    /// Runs `body` on the value of `key`, the first one where it has several; nil when there is none.
    ///
    /// The corresponding C function is `mdb_get`.
    /// - Complexity: O(log n)
    package func withValue<R>(
        of key: some StorageBytes & ~Escapable,
        in database: Database,
        _ body: (RawSpan) -> R
    ) throws(StorageError) -> R? {
        guard let value = try find(key, database) else { return nil }
        // SAFETY: LMDB keeps the bytes in place until the transaction ends or writes; `self` is borrowed throughout.
        return body(UnsafeRawBufferPointer(value).bytes)
    }

    /// A copy of the value of `key`; nil when there is none.
    package func get(_ key: some StorageBytes & ~Escapable, in database: Database) throws(StorageError) -> [UInt8]? {
        try withValue(of: key, in: database) { $0.copied }
    }

    package func contains(
        _ key: some StorageBytes & ~Escapable,
        in database: Database
    ) throws(StorageError) -> Bool {
        try find(key, database) != nil
    }

    /// Records in a database; a key with several values counts once for each. The corresponding C function is `mdb_stat`.
    /// - Complexity: O(1)
    package func count(of database: Database) throws(StorageError) -> Int {
        var statistics = MDB_stat()
        try check(mdb_stat(handle.pointer, database.index, &statistics), "count \(database.name)")
        return statistics.ms_entries
    }

    /// Bytes of the pages of a database. The corresponding C function is `mdb_stat`.
    /// - Complexity: O(1)
    package func byteCount(of database: Database) throws(StorageError) -> Int {
        var statistics = MDB_stat()
        try check(mdb_stat(handle.pointer, database.index, &statistics), "measure \(database.name)")
        let pages = statistics.ms_branch_pages + statistics.ms_leaf_pages + statistics.ms_overflow_pages
        return pages * Int(statistics.ms_psize)
    }

    /// Runs `body` with a cursor, which lives for its time only.
    package func withCursor<R, E: StorageErrorConvertible>(
        in database: Database,
        _ body: (inout Cursor) throws(E) -> R
    ) throws(E) -> R {
        var cursor: Cursor
        do throws(StorageError) { cursor = try Cursor(handle, database) } catch { throw E(error) }
        return try body(&cursor)
    }

    private func find(
        _ key: some StorageBytes & ~Escapable,
        _ database: Database
    ) throws(StorageError) -> UnsafeRawBufferPointer? {
        var value = MDB_val()
        let result = key.withStorageBytes { bytes in
            withLMDBValue(bytes) { mdb_get(handle.pointer, database.index, $0, &value) }
        }
        if result == MDB_NOTFOUND { return nil }
        try check(result, "read from \(database.name)")
        return UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)
    }
}

/// Lends `bytes` to LMDB as an `MDB_val`.
func withLMDBValue<R>(_ bytes: RawSpan, _ body: (UnsafeMutablePointer<MDB_val>) -> R) -> R {
    bytes.withUnsafeBytes { buffer in
        // SAFETY: LMDB takes keys and values as mutable pointers but only reads through them.
        var value = MDB_val(mv_size: buffer.count, mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
        return body(&value)
    }
}
