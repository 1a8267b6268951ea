package import Storage

/// Puts vectors under slots of the caller's choice into a store without an index: the way in which a collection is written anew with
/// other vectors. An index that is opened on it later links all of them.
package struct VectorCopy {
    private let databases: IndexDatabases
    private let dimension: Int

    /// Makes the databases of the index and its configuration.
    ///
    /// - Parameters:
    ///   - dimension: components of every vector, 1...4096.
    ///   - transaction: of an environment that holds no vector yet.
    /// - Throws: `.storage`.
    package init(dimension: Int, transaction: borrowing WriteTransaction) throws(IndexError) {
        self.dimension = dimension
        do throws(StorageError) {
            databases = try IndexDatabases(transaction)
            let row = ConfigurationRow(dimension: dimension).bytes(IndexParameters())
            try transaction.put(ConfigurationRow.key, row, in: databases.meta)
        } catch { throw .storage(error) }
    }

    /// Stores a vector.
    ///
    /// - Parameters:
    ///   - vector: as `VectorIndex.stored` gives it.
    ///   - slot: above all slots so far.
    ///   - transaction: of the same environment.
    /// - Throws: `.dimension`, `.storage`.
    package func append(
        _ vector: HalfVector,
        to slot: Slot,
        in transaction: borrowing WriteTransaction
    ) throws(IndexError) {
        guard vector.bytes.count == 2 * dimension else {
            throw .dimension(got: vector.bytes.count / 2, expected: dimension)
        }
        do throws(StorageError) {
            let row = VectorRow.bytes(vector.bytes, slot: slot, hash: vector.hash)
            try transaction.append(slot.rawValue, row, in: databases.vectors)
        } catch { throw .storage(error) }
    }
}

extension VectorIndex {
    /// A vector in the form in which it is stored: of length 1, in binary16.
    ///
    /// - Throws: `.dimension`, `.notFinite`, `.zeroVector`.
    package func stored(_ vector: [Float]) throws(IndexError) -> HalfVector { halves(of: try normalised(vector)) }

    /// Slots in use from `first` on, in order, at most `limit`.
    package func slots(
        from first: Slot,
        limit: Int,
        in transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [Slot] {
        var found: [Slot] = []
        guard limit > 0 else { return found }
        try transaction.scan(databases.vectors, from: first.rawValue) { (key, _) throws(IndexError) in
            guard let number = key.integer(at: 0, as: UInt32.self) else { throw .damagedFormat(row: "vec key") }
            found.append(Slot(rawValue: number))
            return found.count < limit
        }
        return found
    }
}
