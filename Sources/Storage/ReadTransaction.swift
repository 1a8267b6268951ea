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
}
