internal import Storage
internal import VectorIndex

/// What becomes of images whose vector is damaged.
extension ChangeBatch {
    /// Drops vectors with their images. Their files become failed ones that are due at once, so the next scan reads and embeds them
    /// again; they get new numbers then.
    ///
    /// - Parameters:
    ///   - slots: of the vectors.
    ///   - transaction: the batch's.
    /// - Returns: how many images there were.
    /// - Throws: `.corrupted` when an image or its file cannot be read, `.storage`.
    mutating func drop(_ slots: [Slot], _ transaction: borrowing WriteTransaction) throws(CatalogFailure) -> Int {
        let failure = FileFailure(
            kind: "damaged-vector",
            message: "its stored vector was damaged; the file is read again",
            attempts: 0,
            nextAttempt: now
        )
        var count = 0
        for slot in slots {
            for id in try tables.images(of: slot, limit: .max, transaction) {
                let key = try tables.requiredImage(id, transaction).image.key
                guard var file = try tables.file(key, transaction) else {
                    throw .corrupted(FileRow.name(key), "missing, though image \(id) has it")
                }
                try removeImage(id, transaction)
                file.state = .failed(failure)
                try tables.put(file, transaction)
                count += 1
            }
        }
        return count
    }
}
