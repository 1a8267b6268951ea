internal import CLMDB

/// A snapshot: sees what was committed when it began. It takes no lock and keeps replaced pages from being used again,
/// so it is short. Ended by its `deinit`.
///
/// Any thread may use it, one at a time.
package struct ReadTransaction: Transaction, ~Copyable {
    package let handle: TransactionHandle

    /// Begins. The corresponding C function is `mdb_txn_begin`.
    ///
    /// - Throws: `.panicked`, `.closed`, `.readersFull`.
    package init(_ environment: Environment) throws(StorageError) {
        handle = try TransactionHandle(environment, isReadOnly: true)
    }

    /// What this transaction sees, read from the file without LMDB; usable while the transaction lasts.
    ///
    /// - Returns: nil when writers were quicker; a transaction that begins now may see its own state.
    /// - Throws: `PageDamage` when the meta page cannot be used.
    package func pages() throws(PageDamage) -> PageSnapshot? {
        var descriptor: Int32 = -1
        guard let pointer = handle.pointer, let environment = mdb_txn_env(pointer),
            mdb_env_get_fd(environment, &descriptor) == MDB_SUCCESS
        else { return nil }
        return try PageSnapshot(descriptor: descriptor, transaction: UInt64(mdb_txn_id(pointer)))
    }
}
