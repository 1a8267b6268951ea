internal import LinearAlgebra
internal import Storage
internal import VectorIndex

/// The index as the catalog uses it: what it throws is a `CatalogFailure`, and a vector has two forms, the one that the network gave
/// and the whitened one that the index compares.
extension CatalogStore.Contents {
    /// What the index compares with for a vector of the network.
    ///
    /// - Throws: `.unusableVector`, `.wrongDimension`.
    func compared(_ vector: [Float]) throws(CatalogFailure) -> [Float] {
        guard let whitening else { return vector }
        // Rounded as a stored one, so that an image finds itself with score 1.
        return whitening.applied(to: try rounded(vector).floats)
    }

    /// A vector of length 1 in binary16, as it is stored.
    ///
    /// - Throws: `.unusableVector`, `.wrongDimension`.
    func rounded(_ vector: [Float]) throws(CatalogFailure) -> HalfVector {
        do throws(IndexError) { return try index.stored(vector) } catch { throw CatalogFailure(error) }
    }

    /// The vector of a slot as the network gave it, exactly.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    func original(
        _ slot: Slot,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> HalfVector {
        if whitening != nil { return try transaction.original(slot) }
        return index.halves(of: try stored(slot, transaction))
    }

    /// The vector of a slot as the index compares it.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    func stored(_ slot: Slot, _ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) -> [Float] {
        do throws(IndexError) { return try index.vector(slot, in: transaction.storage) } catch {
            throw CatalogFailure(error)
        }
    }

    /// Stored vectors. O(1)
    ///
    /// - Throws: `.storage`.
    func storedCount(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) -> Int {
        do throws(IndexError) { return try index.storedCount(in: transaction.storage) } catch {
            throw CatalogFailure(error)
        }
    }

    /// The next slots in use from `first` on, at most `limit`.
    ///
    /// - Throws: `.storage`.
    func slots(
        from first: Slot,
        limit: Int,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> [Slot] {
        do throws(IndexError) { return try index.slots(from: first, limit: limit, in: transaction.storage) } catch {
            throw CatalogFailure(error)
        }
    }

    /// Hands a vector to the index: as it is, or whitened and kept beside it as it was.
    ///
    /// - Throws: `.unusableVector`, `.wrongDimension`, `.storage`.
    func stage(_ vector: [Float], _ transaction: borrowing CatalogWriteTransaction) throws(CatalogFailure) -> Slot {
        guard let whitening else {
            do throws(IndexError) { return try index.stage(vector, in: transaction.storage) } catch {
                throw CatalogFailure(error)
            }
        }
        let original = try rounded(vector)
        let slot: Slot
        do throws(IndexError) {
            slot = try index.stage(whitening.applied(to: original.floats), in: transaction.storage) { slot in
                // Originals that differ in a last bit can be equal once whitened; without whitening they are two again.
                (try? transaction.original(slot)) == original
            }
        } catch { throw CatalogFailure(error) }
        try transaction.put(original, slot)
        return slot
    }

    /// Removes the vector of a slot, both forms of it.
    ///
    /// - Throws: `.storage`.
    func stageRemoval(_ slot: Slot, _ transaction: borrowing CatalogWriteTransaction) throws(CatalogFailure) {
        do throws(IndexError) { try index.stageRemoval(slot, in: transaction.storage) } catch .unknownSlot {
            // Damage has taken the vector already; the images that pointed at it must still be removable.
        } catch { throw CatalogFailure(error) }
        if whitening != nil { try transaction.delete(slot.rawValue, in: transaction.tables.originals) }
    }

    /// Removes all links of the graph.
    ///
    /// - Throws: `.storage`.
    func stageLinkRemoval(_ transaction: borrowing CatalogWriteTransaction) throws(CatalogFailure) {
        do throws(IndexError) { try index.stageLinkRemoval(in: transaction.storage) } catch {
            throw CatalogFailure(error)
        }
    }

    /// Writes a bounded part of what the index holds back.
    ///
    /// - Returns: whether there is more.
    /// - Throws: `.storage`.
    func checkpoint(_ transaction: borrowing CatalogWriteTransaction) throws(CatalogFailure) -> Bool {
        do throws(IndexError) { return try index.checkpoint(in: transaction.storage) } catch {
            throw CatalogFailure(error)
        }
    }
}
