package import Storage

/// Puts vectors under slots of the caller's choice into a store without an index: the way in which a collection is
/// written anew with other vectors. An index that is opened on it later links all of them.
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
