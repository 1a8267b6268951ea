internal import Storage
internal import VectorIndex

/// Which position an image has in the bitmaps of `field`, and which image has a position.
extension CatalogTransaction where Base: ~Copyable {
    func position(of id: ImageID, at slot: Slot) throws(CatalogFailure) -> ImagePosition {
        try images(of: slot, limit: 1).first == id ? ImagePosition(slot) : ImagePosition(id)
    }

    func image(at position: ImagePosition) throws(CatalogFailure) -> ImageID {
        if let image = position.image { return image }
        guard let slot = position.slot, let image = try images(of: slot, limit: 1).first else {
            throw .corrupted("field", "it names a slot without an image")
        }
        return image
    }
}
