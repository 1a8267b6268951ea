internal import CLMDB

/// A cursor: a place in a database, for scans in the order of keys. It lives inside `Transaction.withCursor`.
///
/// Each move returns whether there is a record at the new place; afterwards `withCurrent` reads it.
package struct Cursor: ~Copyable {
    private let pointer: OpaquePointer
    private let database: Database
    /// Keeps the transaction until the cursor is closed.
    private let transaction: TransactionHandle

    init(_ transaction: TransactionHandle, _ database: Database) throws(StorageError) {
        var opened: OpaquePointer?
        try check(
            mdb_cursor_open(transaction.pointer, database.index, &opened),
            "open a cursor on \(database.name)"
        )
        guard let opened else { throw StorageError(.invalid, operation: "open a cursor on \(database.name)") }
        self.transaction = transaction
        self.database = database
        pointer = opened
    }

    deinit { mdb_cursor_close(pointer) }

    /// To the first record.
    package mutating func moveToFirst() throws(StorageError) -> Bool { try move(MDB_FIRST) }

    /// To the last record.
    package mutating func moveToLast() throws(StorageError) -> Bool { try move(MDB_LAST) }

    /// To the next record: the next value of this key, or the first of the next key.
    package mutating func moveToNext() throws(StorageError) -> Bool { try move(MDB_NEXT) }

    /// To the next value of this key.
    package mutating func moveToNextDuplicate() throws(StorageError) -> Bool { try move(MDB_NEXT_DUP) }

    /// To the first key at or above `key`.
    package mutating func move(toFirstAtOrAbove key: some StorageBytes & ~Escapable) throws(StorageError) -> Bool {
        try move(to: key, MDB_SET_RANGE)
    }

    /// To `key` itself, at its first value.
    package mutating func move(to key: some StorageBytes & ~Escapable) throws(StorageError) -> Bool {
        try move(to: key, MDB_SET_KEY)
    }

    /// Runs `body` on the key and the value here; nil where the last move found nothing.
    package borrowing func withCurrent<R>(_ body: (_ key: RawSpan, _ value: RawSpan) -> R) throws(StorageError) -> R? {
        var key = MDB_val()
        var value = MDB_val()
        let result = mdb_cursor_get(pointer, &key, &value, MDB_GET_CURRENT)
        if result == MDB_NOTFOUND || result == LMDBStatus.invalidArgument.rawValue { return nil }
        try check(result, "read from \(database.name)")
        // SAFETY: LMDB keeps the bytes in place until the transaction ends or writes.
        return body(
            UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size).bytes,
            UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size).bytes
        )
    }

    /// Removes the record here, in a write transaction; the cursor then stands before the next one, to which
    /// `moveToNext` goes. The corresponding C function is `mdb_cursor_del`.
    package mutating func delete() throws(StorageError) {
        try transaction.checkWrite(mdb_cursor_del(pointer, 0), "delete from \(database.name)")
    }

    /// The corresponding C function is `mdb_cursor_get`.
    private mutating func move(_ operation: MDB_cursor_op) throws(StorageError) -> Bool {
        var key = MDB_val()
        var value = MDB_val()
        return try moved(mdb_cursor_get(pointer, &key, &value, operation))
    }

    private mutating func move(
        to key: some StorageBytes & ~Escapable,
        _ operation: MDB_cursor_op
    ) throws(StorageError) -> Bool {
        var value = MDB_val()
        let pointer = self.pointer
        return try moved(
            key.withStorageBytes { bytes in
                withLMDBValue(bytes) { mdb_cursor_get(pointer, $0, &value, operation) }
            }
        )
    }

    private func moved(_ result: Int32) throws(StorageError) -> Bool {
        if result == MDB_NOTFOUND { return false }
        try check(result, "read from \(database.name)")
        return true
    }
}
