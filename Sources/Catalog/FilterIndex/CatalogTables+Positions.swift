internal import Storage
internal import VectorIndex

/// Where images stand in `field`.
extension CatalogTables {
    func position(
        of id: ImageID,
        at slot: Slot,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(CatalogFailure) -> ImagePosition {
        try images(of: slot, limit: 1, transaction).first == id ? ImagePosition(slot) : ImagePosition(id)
    }

    func image(
        at position: ImagePosition,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(CatalogFailure) -> ImageID {
        if let image = position.image { return image }
        guard let slot = position.slot, let image = try images(of: slot, limit: 1, transaction).first else {
            throw .corrupted("field", "it names a slot without an image")
        }
        return image
    }

    /// The slot of an image, without a look at the rest of its row.
    func slot(
        of id: ImageID,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(CatalogFailure) -> Slot {
        let found = try storing { () throws(StorageError) in
            try transaction.withValue(of: id.rawValue, in: images) { $0.integer(at: 4, as: UInt32.self) }
        }
        guard let number = found ?? nil else { throw .corrupted(ImageRow.name(id), "missing or short") }
        return Slot(rawValue: number)
    }
}
