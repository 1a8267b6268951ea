internal import Storage

/// A transaction of a collection's LMDB environment, with the collection's tables: what it throws is a `CatalogFailure`.
///
/// It owns the storage transaction: `commit` consumes it, and without `commit` its end aborts it. The typed rows are read and
/// written through the extensions in `CatalogTransaction+Rows.swift`. As with the storage transaction, one thread uses it at a time,
/// and a writing one stays on the thread that began it.
struct CatalogTransaction<Base: Transaction & ~Copyable>: ~Copyable {
    let tables: CatalogTables
    /// The storage transaction, for the index, whose calls take it.
    let storage: Base
}

/// A snapshot of the collection.
typealias CatalogReadTransaction = CatalogTransaction<ReadTransaction>
/// Changes that take effect together at `commit`, or not at all.
typealias CatalogWriteTransaction = CatalogTransaction<WriteTransaction>

extension CatalogTransaction where Base == ReadTransaction {
    /// Begins a snapshot of what was committed last.
    ///
    /// - Throws: `.storage` with `.panicked`, `.closed` or `.readersFull`.
    init(_ environment: Environment, _ tables: CatalogTables) throws(CatalogFailure) {
        storage = try storing { () throws(StorageError) in try ReadTransaction(environment) }
        self.tables = tables
    }
}

// MARK: Reading

extension CatalogTransaction where Base: ~Copyable {
    /// A copy of the value of `key`; nil when there is none.
    ///
    /// - Throws: `.storage`.
    /// - Complexity: O(log n)
    func get(_ key: some StorageBytes, in database: Database) throws(CatalogFailure) -> [UInt8]? {
        do throws(StorageError) { return try storage.get(key, in: database) } catch { throw .storage(error) }
    }

    /// Runs `body` on the value of `key` where it lies in the memory map; nil when there is none.
    ///
    /// - Throws: `.storage`, and what `body` throws.
    /// - Complexity: O(log n)
    func withValue<R>(
        of key: some StorageBytes,
        in database: Database,
        _ body: (RawSpan) throws(CatalogFailure) -> R
    ) throws(CatalogFailure) -> R? {
        let found = try storing { () throws(StorageError) in
            try storage.withValue(of: key, in: database) { value -> Result<R, CatalogFailure> in
                do throws(CatalogFailure) { return .success(try body(value)) } catch { return .failure(error) }
            }
        }
        return try found?.get()
    }

    /// Whether there is a record at `key`.
    ///
    /// - Throws: `.storage`.
    /// - Complexity: O(log n)
    func contains(_ key: some StorageBytes, in database: Database) throws(CatalogFailure) -> Bool {
        do throws(StorageError) { return try storage.contains(key, in: database) } catch { throw .storage(error) }
    }

    /// Records of a database; a key with several values counts once for each.
    ///
    /// - Throws: `.storage`.
    /// - Complexity: O(1)
    func count(of database: Database) throws(CatalogFailure) -> Int {
        do throws(StorageError) { return try storage.count(of: database) } catch { throw .storage(error) }
    }

    /// Calls `body` with all records in the order of their keys, while it returns true.
    ///
    /// - Throws: `.storage`, and what `body` throws, which ends the scan.
    func scan(
        _ database: Database,
        _ body: (_ key: RawSpan, _ value: RawSpan) throws(CatalogFailure) -> Bool
    ) throws(CatalogFailure) {
        try storage.scan(database, body)
    }

    /// Calls `body` with the records whose key is at or above `start`, while it returns true.
    ///
    /// - Throws: `.storage`, and what `body` throws, which ends the scan.
    func scan(
        _ database: Database,
        from start: some StorageBytes,
        _ body: (_ key: RawSpan, _ value: RawSpan) throws(CatalogFailure) -> Bool
    ) throws(CatalogFailure) {
        try storage.scan(database, from: start, body)
    }

    /// Calls `body` with the records whose key begins with `prefix`, while it returns true.
    ///
    /// - Throws: `.storage`, and what `body` throws, which ends the scan.
    func scan(
        _ database: Database,
        prefix: [UInt8],
        _ body: (_ key: RawSpan, _ value: RawSpan) throws(CatalogFailure) -> Bool
    ) throws(CatalogFailure) {
        try storage.scan(database, prefix: prefix, body)
    }

    /// Calls `body` with the values of one key, while it returns true.
    ///
    /// - Throws: `.storage`, and what `body` throws, which ends the scan.
    func scan(
        _ database: Database,
        valuesOf key: some StorageBytes,
        _ body: (_ value: RawSpan) throws(CatalogFailure) -> Bool
    ) throws(CatalogFailure) {
        try storage.scan(database, valuesOf: key, body)
    }
}

// MARK: Writing

extension CatalogTransaction where Base == WriteTransaction {
    /// Begins; waits for another writer.
    ///
    /// - Throws: `.storage` with `.panicked`, `.closed` or `.storageFull`.
    init(_ environment: Environment, _ tables: CatalogTables) throws(CatalogFailure) {
        storage = try storing { () throws(StorageError) in try WriteTransaction(environment) }
        self.tables = tables
    }

    /// Begins, and opens all tables, which are made when they are missing.
    ///
    /// - Throws: `.storage`.
    init(opening environment: Environment) throws(CatalogFailure) {
        let transaction = try storing { () throws(StorageError) in try WriteTransaction(environment) }
        tables = try storing { () throws(StorageError) in try CatalogTables(transaction) }
        storage = transaction
    }

    /// Makes the changes durable: returns after they have reached the disk.
    ///
    /// - Throws: `.storage`; nothing was stored, unless the next transaction throws `.panicked`.
    consuming func commit() throws(CatalogFailure) {
        do throws(StorageError) { try storage.commit() } catch { throw .storage(error) }
    }

    /// Stores a record, in place of an earlier one; beside the others of its key in a database with `duplicates`.
    ///
    /// - Throws: `.storage`.
    func put(_ key: some StorageBytes, _ value: some StorageBytes, in database: Database) throws(CatalogFailure) {
        do throws(StorageError) { try storage.put(key, value, in: database) } catch { throw .storage(error) }
    }

    /// Stores a record whose key is above all others.
    ///
    /// - Throws: `.storage`, with `.keyExists` when the key is not above the last.
    func append(_ key: some StorageBytes, _ value: some StorageBytes, in database: Database) throws(CatalogFailure) {
        do throws(StorageError) { try storage.append(key, value, in: database) } catch { throw .storage(error) }
    }

    /// Deletes a key with all its values, if it is there.
    ///
    /// - Throws: `.storage`.
    func delete(_ key: some StorageBytes, in database: Database) throws(CatalogFailure) {
        do throws(StorageError) { try storage.delete(key, in: database) } catch { throw .storage(error) }
    }

    /// Deletes one value of a key in a database with `duplicates`, if it is there.
    ///
    /// - Throws: `.storage`.
    func delete(
        _ key: some StorageBytes,
        value: some StorageBytes,
        in database: Database
    ) throws(CatalogFailure) {
        do throws(StorageError) { try storage.delete(key, value: value, in: database) } catch { throw .storage(error) }
    }

    /// Deletes all records of a database.
    ///
    /// - Throws: `.storage`.
    func deleteAll(in database: Database) throws(CatalogFailure) {
        do throws(StorageError) { try storage.removeAll(from: database) } catch { throw .storage(error) }
    }
}
