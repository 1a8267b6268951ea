internal import LinearAlgebra
internal import Platform
internal import Storage
internal import VectorIndex
internal import Wire

/// Applies changes inside one write transaction: the ledger, images, contents, vectors and the events stay in step.
///
/// A vector goes when the transaction ends without an image that has it, not with the change that took its last one:
/// a file that leaves one place and appears at another in the same batch keeps its vector.
struct ChangeBatch {
    let tables: CatalogTables
    let index: VectorIndex
    private let whitening: Whitening?
    private let eventLimit: UInt64
    let now: Int64
    var state: CatalogState
    private var touchedContents: Set<SHA256Digest> = []
    private var touchedSlots: Set<Slot> = []
    private var fields = FieldChanges()

    init(
        _ contents: CatalogStore.Contents,
        eventLimit: UInt64,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) {
        tables = contents.tables
        index = contents.index
        whitening = contents.whitening
        self.eventLimit = eventLimit
        now = wallClockNanoseconds()
        state = try CatalogState(tables, transaction)
    }

    mutating func apply(
        _ change: CatalogChange,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> CatalogOutcome {
        switch change {
        case .index(let key, let stamp, let content, let embedded, let document):
            let file = FileRow(key: key, stamp: stamp, content: content, state: .dismissed)
            return try store(file, content, embedded, document, transaction)
        case .fail(let key, let stamp, let content, let failure):
            guard try isOpen(key.root, transaction) else { return .notFound }
            let before = try tables.file(key, transaction)
            if let before, case .dismissed = before.state, content == nil || content == before.content {
                // Nothing says that the bytes changed. The old stamp stays: the file is looked at again.
                return .done(nil)
            }
            if let id = before?.image { try removeImage(id, transaction) }
            try tables.put(FileRow(key: key, stamp: stamp, content: content, state: .failed(failure)), transaction)
            return .done(nil)
        case .restamp(let key, let stamp):
            return try restamp(key, stamp, transaction)
        case .move(let from, let to, let stamp):
            return try move(from, to, stamp, transaction)
        case .setDocument(let key, let document):
            return try setDocument(key, document, transaction)
        case .forget(let key):
            guard let row = try tables.file(key, transaction) else { return .notFound }
            if let id = row.image { try removeImage(id, transaction) }
            try tables.removeFile(key, transaction)
            return .done(row.image)
        case .dismiss(let id):
            return try dismiss(id, transaction)
        }
    }

    /// The last step before the commit.
    mutating func finish(_ transaction: borrowing WriteTransaction) throws(CatalogFailure) {
        for content in touchedContents {
            guard let row = try tables.content(content, transaction), row.imageCount == 0 else { continue }
            try storing { () throws(StorageError) in
                try transaction.delete(content.bytes, in: tables.contents)
            }
        }
        for slot in touchedSlots.sorted() where try tables.images(of: slot, limit: 1, transaction).isEmpty {
            do throws(IndexError) { try index.stageRemoval(slot, in: transaction) } catch .unknownSlot {
                // Damage has taken the vector already; the images that pointed at it must still be removable.
            } catch { throw CatalogFailure(error) }
            if whitening != nil { try tables.removeOriginal(slot, transaction) }
        }
        try fields.finish(tables, transaction)
        state.commitCount += 1
        try state.store(tables, transaction)
    }

    /// A part of what the index holds back, in a transaction of its own.
    ///
    /// - Returns: whether there is more.
    func checkpointIndex(_ transaction: borrowing WriteTransaction) throws(CatalogFailure) -> Bool {
        try indexing { () throws(IndexError) in try index.checkpoint(in: transaction) }
    }

    /// Takes more images of an older collection into the records for filters.
    ///
    /// - Returns: whether there are more.
    func indexFields(limit: Int, _ transaction: borrowing WriteTransaction) throws(CatalogFailure) -> Bool {
        try FieldChanges.indexMore(limit: limit, tables, transaction)
    }

    /// Removes the images that a user's filter names, as far as they still match.
    ///
    /// - Returns: how many.
    mutating func dismiss(
        _ ids: [ImageID],
        matching filter: Filter,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> Int {
        var subjects = FilterSubjects(tables)
        var count = 0
        for id in ids {
            guard let row = try tables.image(id, transaction), try subjects.matches(filter, row, transaction) else {
                continue
            }
            if case .done = try dismiss(id, transaction) { count += 1 }
        }
        return count
    }

    // MARK: Changes

    private mutating func store(
        _ file: FileRow,
        _ content: SHA256Digest,
        _ embedded: (vector: [Float], format: String, width: UInt32, height: UInt32)?,
        _ document: [UInt8],
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> CatalogOutcome {
        guard try isOpen(file.key.root, transaction) else { return .notFound }
        var file = file
        let before = try tables.file(file.key, transaction)
        if let before, case .dismissed = before.state, before.content == content {
            // The user took this image out while its file was on the way through the pipeline.
            try tables.put(file, transaction)
            return .done(nil)
        }
        let old: ImageRow? =
            if let id = before?.image { try tables.requiredImage(id, transaction) } else { nil }
        var known = try tables.content(content, transaction)
        if known == nil, let embedded {
            do throws(CatalogFailure) {
                known = ContentRow(
                    slot: try stage(embedded.vector, transaction),
                    imageCount: 0,
                    width: embedded.width,
                    height: embedded.height,
                    format: embedded.format
                )
            } catch {
                guard case .catalog(.unusableVector(let reason)) = error else { throw error }
                return try refuse(file, old, reason, transaction)
            }
        }
        guard let known else { return .needsVector }

        let id = old?.image.id ?? nextImage()
        let isSame = old?.image.content == content
        if !isSame {
            try attach(id, content, known, transaction)
            if let old { try detach(id, old.image.content, old.slot, keeping: known.slot, transaction) }
        }
        let image = ImageRecord(
            id: id,
            key: file.key,
            content: content,
            format: known.format,
            width: known.width,
            height: known.height,
            byteCount: file.stamp.byteCount,
            modified: file.stamp.modified,
            added: isSame ? old?.image.added ?? now : now,
            document: document
        )
        let sequence = try record(old == nil ? .added : .replaced, known.slot, id, transaction)
        fields.willChange(id, from: old)
        try tables.put(ImageRow(slot: known.slot, sequence: sequence, image: image), transaction)
        file.state = .indexed(id)
        try tables.put(file, transaction)
        return .done(id)
    }

    /// Hands a vector to the index: as it is, or whitened and kept beside it as it was.
    private func stage(
        _ vector: [Float],
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> Slot {
        guard let whitening else {
            return try indexing { () throws(IndexError) in try index.stage(vector, in: transaction) }
        }
        let original = try indexing { () throws(IndexError) in try index.stored(vector) }
        let slot = try indexing { () throws(IndexError) in
            try index.stage(whitening.applied(to: original.floats), in: transaction) { slot in
                // Originals that differ in a last bit can be equal once whitened; without whitening they are two again.
                (try? tables.original(slot, transaction)) == original
            }
        }
        try tables.put(original, slot, transaction)
        return slot
    }

    /// Files whose vector the index cannot take are failed files: one image must not hold up its batch.
    private mutating func refuse(
        _ file: FileRow,
        _ old: ImageRow?,
        _ reason: String,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> CatalogOutcome {
        if let old { try removeImage(old.image.id, transaction) }
        var file = file
        file.state = .failed(FileFailure(kind: "unusable-vector", message: reason, attempts: 1, nextAttempt: nil))
        try tables.put(file, transaction)
        return .done(nil)
    }

    private mutating func restamp(
        _ key: FileKey,
        _ stamp: FileStamp,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> CatalogOutcome {
        guard var row = try tables.file(key, transaction) else { return .notFound }
        row.stamp = stamp
        try tables.put(row, transaction)
        guard let id = row.image else { return .done(nil) }
        var image = try tables.requiredImage(id, transaction)
        fields.willChange(id, from: image)
        image.image.byteCount = stamp.byteCount
        image.image.modified = stamp.modified
        try tables.put(image, transaction)
        return .done(id)
    }

    private mutating func move(
        _ from: FileKey,
        _ to: FileKey,
        _ stamp: FileStamp,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> CatalogOutcome {
        guard try isOpen(to.root, transaction) else { return .notFound }
        guard var row = try tables.file(from, transaction), let id = row.image else { return .needsVector }
        var image = try tables.requiredImage(id, transaction)
        if from != to {
            // A rename onto another file replaces that one.
            if let replaced = try tables.file(to, transaction)?.image { try removeImage(replaced, transaction) }
            try tables.removeFile(from, transaction)
        }
        row.key = to
        row.stamp = stamp
        try tables.put(row, transaction)
        fields.willChange(id, from: image)
        image.image.key = to
        image.image.byteCount = stamp.byteCount
        image.image.modified = stamp.modified
        image.sequence = try record(.moved, image.slot, id, transaction)
        try tables.put(image, transaction)
        return .done(id)
    }

    private mutating func setDocument(
        _ key: FileKey,
        _ document: [UInt8],
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> CatalogOutcome {
        guard let id = try tables.file(key, transaction)?.image else { return .notFound }
        var image = try tables.requiredImage(id, transaction)
        fields.willChange(id, from: image)
        image.image.document = document
        image.sequence = try record(.documented, image.slot, id, transaction)
        try tables.put(image, transaction)
        return .done(id)
    }

    private mutating func dismiss(
        _ id: ImageID,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> CatalogOutcome {
        guard let image = try tables.image(id, transaction) else { return .notFound }
        guard var row = try tables.file(image.image.key, transaction) else {
            throw .corrupted(FileRow.name(image.image.key), "missing")
        }
        try removeImage(id, transaction)
        row.state = .dismissed
        try tables.put(row, transaction)
        return .done(id)
    }

    // MARK: Parts

    private func isOpen(_ root: RootID, _ transaction: borrowing WriteTransaction) throws(CatalogFailure) -> Bool {
        guard let row = try tables.root(root, transaction) else { return false }
        return !row.isRemoved
    }

    private mutating func nextImage() -> ImageID {
        state.lastImage += 1
        return ImageID(rawValue: state.lastImage)
    }

    private mutating func attach(
        _ id: ImageID,
        _ content: SHA256Digest,
        _ row: ContentRow,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) {
        var row = row
        row.imageCount += 1
        try tables.put(row, content, transaction)
        try fields.willChangeImages(of: row.slot, tables, transaction)
        try storing { () throws(StorageError) in
            try transaction.put(row.slot.rawValue, id.rawValue, in: tables.duplicates)
        }
    }

    /// `kept` is the slot that the image has from now on, if any.
    private mutating func detach(
        _ id: ImageID,
        _ content: SHA256Digest,
        _ slot: Slot,
        keeping kept: Slot?,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) {
        guard var row = try tables.content(content, transaction), row.imageCount > 0 else {
            throw .corrupted(ContentRow.name(content), "missing, though image \(id) has it")
        }
        row.imageCount -= 1
        try tables.put(row, content, transaction)
        touchedContents.insert(content)
        guard slot != kept else { return }
        try fields.willChangeImages(of: slot, tables, transaction)
        try storing { () throws(StorageError) in
            try transaction.delete(slot.rawValue, value: id.rawValue, in: tables.duplicates)
        }
        touchedSlots.insert(slot)
    }

    mutating func removeImage(
        _ id: ImageID,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) {
        let row = try tables.requiredImage(id, transaction)
        fields.willChange(id, from: row)
        try detach(id, row.image.content, row.slot, keeping: nil, transaction)
        try storing { () throws(StorageError) in try transaction.delete(id.rawValue, in: tables.images) }
        _ = try record(.removed, row.slot, id, transaction)
    }

    private mutating func record(
        _ operation: EventRow.Operation,
        _ slot: Slot,
        _ image: ImageID,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) -> UInt64 {
        state.sequence += 1
        let sequence = state.sequence
        let row = EventRow(operation: operation, slot: slot, image: image).encoded(sequence)
        try storing { () throws(StorageError) in
            try transaction.append(sequence, row, in: tables.events)
            if sequence > eventLimit { try transaction.delete(sequence - eventLimit, in: tables.events) }
        }
        return sequence
    }
}
