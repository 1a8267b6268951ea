internal import LinearAlgebra
internal import Storage
internal import VectorIndex

/// The two forms of a vector: as the network gave it, and as the index compares it.
extension CatalogStore.Contents {
    /// What the index compares with for a vector of the network.
    ///
    /// - Throws: `.unusableVector`, `.wrongDimension`.
    func compared(_ vector: [Float]) throws(CatalogFailure) -> [Float] {
        guard let whitening else { return vector }
        // Rounded as a stored one, so that an image finds itself with score 1.
        let original = try indexing { () throws(IndexError) in try index.stored(vector) }
        return whitening.applied(to: original.floats)
    }

    /// The vector of a slot as the network gave it, exactly.
    func original(
        _ slot: Slot,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(CatalogFailure) -> HalfVector {
        if whitening != nil { return try tables.original(slot, transaction) }
        let vector = try indexing { () throws(IndexError) in try index.vector(slot, in: transaction) }
        return index.halves(of: vector)
    }
}
