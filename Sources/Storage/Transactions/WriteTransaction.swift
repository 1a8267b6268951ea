internal import CLMDB

/// Changes that take effect together at `commit`, or not at all: without `commit`, `deinit` undoes everything.
///
/// One at a time in an environment; `init` waits for the other to end. The thread that begins it uses and ends it.
/// After any error other than `.keyExists` and `.badSize` it can only be given up.
package struct WriteTransaction: Transaction, ~Copyable {
    package let handle: TransactionHandle

    /// Begins. The corresponding C function is `mdb_txn_begin`.
    ///
    /// - Throws: `.panicked`, `.closed`, `.storageFull`.
    package init(_ environment: Environment) throws(StorageError) {
        handle = try TransactionHandle(environment, isReadOnly: false)
    }

    /// Makes the changes durable: returns after they have reached the disk. The corresponding C function is `mdb_txn_commit`.
    ///
    /// - Throws: `.storageFull` and others: nothing was changed. If the next transaction throws `.panicked`, whether it was is
    ///   known only after `Environment.reopen`.
    package consuming func commit() throws(StorageError) { try handle.commit() }

    /// Opens a database, made when missing. The corresponding C function is `mdb_dbi_open`.
    ///
    /// - Throws: `.incompatible` when it exists with other flags.
    package func openDatabase(_ name: String, _ flags: DatabaseFlags = []) throws(StorageError) -> Database {
        try handle.open(name, flags)
    }

    /// Stores `value`, in place of an earlier one; with `duplicates`, beside the others.
    package func put(
        _ key: some StorageBytes & ~Escapable,
        _ value: some StorageBytes & ~Escapable,
        in database: Database
    ) throws(StorageError) {
        try handle.checkWrite(put(key, value, database, 0), "write to \(database.name)")
    }

    /// Stores `value` unless the key exists (with `duplicates`: unless the pair exists).
    ///
    /// - Returns: whether it was stored.
    package func insert(
        _ key: some StorageBytes & ~Escapable,
        _ value: some StorageBytes & ~Escapable,
        in database: Database
    ) throws(StorageError) -> Bool {
        let flag = database.flags.contains(.duplicates) ? MDB_NODUPDATA : MDB_NOOVERWRITE
        let result = put(key, value, database, UInt32(flag))
        if result == MDB_KEYEXIST { return false }
        try handle.checkWrite(result, "write to \(database.name)")
        return true
    }

    /// Stores a key above all others: without a search, and pages are filled to the end.
    ///
    /// - Throws: `.keyExists` when the last key is not below `key`.
    package func append(
        _ key: some StorageBytes & ~Escapable,
        _ value: some StorageBytes & ~Escapable,
        in database: Database
    ) throws(StorageError) {
        try handle.checkWrite(put(key, value, database, UInt32(MDB_APPEND)), "append to \(database.name)")
    }

    /// Removes a key with all its values. The corresponding C function is `mdb_del`.
    ///
    /// - Returns: whether it existed.
    @discardableResult
    package func delete(_ key: some StorageBytes & ~Escapable, in database: Database) throws(StorageError) -> Bool {
        let result = key.withStorageBytes { bytes in
            withLMDBValue(bytes) { mdb_del(handle.pointer, database.index, $0, nil) }
        }
        if result == MDB_NOTFOUND { return false }
        try handle.checkWrite(result, "delete from \(database.name)")
        return true
    }

    /// Removes one value of a key in a database with `duplicates`.
    ///
    /// - Returns: whether the pair existed.
    @discardableResult
    package func delete(
        _ key: some StorageBytes & ~Escapable,
        value: some StorageBytes & ~Escapable,
        in database: Database
    ) throws(StorageError) -> Bool {
        let result = withPair(key, value) { mdb_del(handle.pointer, database.index, $0, $1) }
        if result == MDB_NOTFOUND { return false }
        try handle.checkWrite(result, "delete from \(database.name)")
        return true
    }

    /// Removes all records. The corresponding C function is `mdb_drop`.
    package func removeAll(from database: Database) throws(StorageError) {
        try handle.checkWrite(mdb_drop(handle.pointer, database.index, 0), "clear \(database.name)")
    }

    /// The corresponding C function is `mdb_put`.
    private func put(
        _ key: some StorageBytes & ~Escapable,
        _ value: some StorageBytes & ~Escapable,
        _ database: Database,
        _ flags: UInt32
    ) -> Int32 {
        withPair(key, value) { mdb_put(handle.pointer, database.index, $0, $1, flags) }
    }

    private func withPair<R>(
        _ key: some StorageBytes & ~Escapable,
        _ value: some StorageBytes & ~Escapable,
        _ body: (UnsafeMutablePointer<MDB_val>, UnsafeMutablePointer<MDB_val>) -> R
    ) -> R {
        key.withStorageBytes { keyBytes in
            value.withStorageBytes { valueBytes in
                withLMDBValue(keyBytes) { key in withLMDBValue(valueBytes) { value in body(key, value) } }
            }
        }
    }
}
