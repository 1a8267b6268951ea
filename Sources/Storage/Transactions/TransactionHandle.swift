internal import CLMDB

/// `MDB_txn` and the environment that it keeps alive, ended exactly once.
package final class TransactionHandle {
    private let environment: Environment
    /// nil once ended.
    private var transaction: OpaquePointer?
    private var opened: [Database] = []
    /// What a read transaction sees; nil for one that writes.
    package let snapshot: Snapshot?

    init(_ environment: Environment, isReadOnly: Bool) throws(StorageError) {
        let handle = try environment.enter()
        var begun: OpaquePointer?
        do throws(StorageError) {
            try check(
                mdb_txn_begin(handle.pointer, nil, isReadOnly ? UInt32(MDB_RDONLY) : 0, &begun),
                "begin a transaction in \(environment.directory)"
            )
        } catch {
            environment.leave()
            throw error
        }
        self.environment = environment
        transaction = begun
        snapshot = isReadOnly ? Snapshot(transaction: mdb_txn_id(begun), map: handle.mapNumber) : nil
    }

    deinit { abort() }

    /// For LMDB's calls; nil, which LMDB refuses with `EINVAL`, once ended.
    var pointer: OpaquePointer? { transaction }

    /// The funnel of everything that writes.
    func checkWrite(_ result: Int32, _ operation: @autoclosure () -> String) throws(StorageError) {
        do throws(StorageError) { try check(result, operation()) } catch {
            throw error.explained(freeByteCount: FileSystemCheck.freeByteCount(environment.directory))
        }
    }

    func open(_ name: String, _ flags: DatabaseFlags) throws(StorageError) -> Database {
        var index: MDB_dbi = 0
        try checkWrite(
            mdb_dbi_open(transaction, name, flags.rawValue | UInt32(MDB_CREATE), &index),
            "open database \(name)"
        )
        let database = Database(name: name, flags: flags, index: index)
        opened.append(database)
        return database
    }

    func commit() throws(StorageError) {
        guard let transaction else { return }
        // LMDB frees the transaction whether or not the commit succeeds.
        let result = mdb_txn_commit(transaction)
        if result == MDB_SUCCESS { environment.register(opened) }
        self.transaction = nil
        environment.leave()
        try checkWrite(result, "commit to \(environment.directory)")
    }

    private func abort() {
        guard let transaction else { return }
        mdb_txn_abort(transaction)
        self.transaction = nil
        environment.leave()
    }
}

/// Which state of the store a read transaction sees, and through which map: while two are equal, a value lies at one address.
package struct Snapshot: Hashable, Sendable {
    /// The transaction that wrote it last.
    let transaction: Int
    /// Maps of the file so far: one more after each resizing and reopening.
    let map: Int

    package func isLater(than other: Snapshot) -> Bool { (map, transaction) > (other.map, other.transaction) }
}
