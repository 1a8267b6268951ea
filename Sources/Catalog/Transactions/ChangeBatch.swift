internal import Filters
internal import Platform
internal import Storage
internal import VectorIndex

/// Applies changes inside one write transaction: the ledger, images, contents, vectors and the events stay in step.
///
/// A vector goes when the transaction ends without an image that has it, not with the change that took its last one:
/// a file that leaves one place and appears at another in the same batch keeps its vector.
struct ChangeBatch: ~Copyable {
    let transaction: CatalogWriteTransaction
    private let contents: CatalogStore.Contents
    let limits: FeedLimits
    private let firstSequence: UInt64
    let now: Int64
    var state: CatalogState
    private var touchedContents: Set<SHA256Digest> = []
    private var touchedSlots: Set<Slot> = []
    private var fields = FieldChanges()

    /// Begins a write transaction, which this batch owns: without `commit` it is undone.
    ///
    /// - Throws: `.storage`, `.corrupted` when the state record cannot be read.
    init(
        _ environment: Environment,
        _ contents: CatalogStore.Contents,
        _ limits: FeedLimits
    ) throws(CatalogFailure) {
        let transaction = try CatalogWriteTransaction(environment, contents.tables)
        let state = try CatalogState(transaction)
        self.transaction = transaction
        self.contents = contents
        self.limits = limits
        firstSequence = state.sequence
        now = wallClockNanoseconds()
        self.state = state
    }

    /// Makes everything durable; `finish` comes before it.
    ///
    /// - Throws: nothing was stored, unless the store panicked.
    consuming func commit() throws(CatalogFailure) { try transaction.commit() }

    mutating func apply(_ change: CatalogChange) throws(CatalogFailure) -> CatalogOutcome {
        switch change {
        case .index(let key, let stamp, let content, let embedded, let document):
            let file = FileRow(key: key, stamp: stamp, content: content, state: .excluded)
            return try store(file, content, embedded, document)
        case .fail(let key, let stamp, let content, let failure):
            guard try isOpen(key.root) else { return .notFound }
            let before = try transaction.file(key)
            if let before, case .excluded = before.state, content == nil || content == before.content {
                // Nothing says that the bytes changed. The old stamp stays: the file is looked at again.
                return .done(nil)
            }
            if let id = before?.image { try removeImage(id) }
            try transaction.put(FileRow(key: key, stamp: stamp, content: content, state: .failed(failure)))
            return .done(nil)
        case .refreshStat(let key, let stamp):
            return try refreshStat(key, stamp)
        case .move(let from, let to, let stamp):
            return try move(from, to, stamp)
        case .setDocument(let key, let document):
            return try setDocument(key, document)
        case .delete(let key):
            guard let row = try transaction.file(key) else { return .notFound }
            if let id = row.image { try removeImage(id) }
            try transaction.deleteFile(key)
            return .done(row.image)
        case .exclude(let id):
            return try exclude(id)
        }
    }

    /// The last step before the commit.
    mutating func finish() throws(CatalogFailure) {
        for content in touchedContents {
            guard let row = try transaction.content(content), row.imageCount == 0 else { continue }
            try transaction.delete(content.bytes, in: transaction.tables.contents)
        }
        for slot in touchedSlots.sorted() where try transaction.images(of: slot, limit: 1).isEmpty {
            try contents.stageRemoval(slot, transaction)
        }
        try fields.finish(transaction)
        try trimFeed(appended: state.sequence - firstSequence)
        state.commitCount += 1
        try state.store(transaction)
    }

    /// A part of what the index holds back, in a transaction of its own.
    ///
    /// - Returns: whether there is more.
    func checkpointIndex() throws(CatalogFailure) -> Bool {
        try contents.checkpoint(transaction)
    }

    /// Deletes all links of the graph.
    func removeLinks() throws(CatalogFailure) { try contents.stageLinkRemoval(transaction) }

    /// Takes more images of an older collection into the records for filters.
    ///
    /// - Returns: whether there are more.
    func indexFields(limit: Int) throws(CatalogFailure) -> Bool {
        try FieldChanges.indexMore(limit: limit, transaction)
    }

    /// Removes the images that a user's filter names, as far as they still match.
    ///
    /// - Returns: how many.
    mutating func exclude(
        _ ids: [ImageID],
        matching filter: Filter
    ) throws(CatalogFailure) -> Int {
        var subjects = FilterSubjects()
        var count = 0
        for id in ids {
            guard let row = try transaction.image(id), try subjects.matches(filter, row, transaction) else {
                continue
            }
            if case .done = try exclude(id) { count += 1 }
        }
        return count
    }

    // MARK: Changes

    private mutating func store(
        _ file: FileRow,
        _ content: SHA256Digest,
        _ embedded: ImageFeatures?,
        _ document: [UInt8]
    ) throws(CatalogFailure) -> CatalogOutcome {
        guard try isOpen(file.key.root) else { return .notFound }
        var file = file
        let before = try transaction.file(file.key)
        if let before, case .excluded = before.state, before.content == content {
            // The user took this image out while its file was on the way through the pipeline.
            try transaction.put(file)
            return .done(nil)
        }
        let old: ImageRow? =
            if let id = before?.image { try transaction.requiredImage(id) } else { nil }
        var known = try transaction.content(content)
        if known == nil, let embedded {
            do throws(CatalogFailure) {
                known = ContentRow(
                    slot: try contents.stage(embedded.vector, transaction),
                    imageCount: 0,
                    width: embedded.width,
                    height: embedded.height,
                    format: embedded.format
                )
            } catch {
                guard case .catalog(.unusableVector(let reason)) = error else { throw error }
                return try refuse(file, old, reason)
            }
        }
        guard let known else { return .needsVector }

        let id = old?.image.id ?? nextImage()
        let isSame = old?.image.content == content
        if !isSame {
            try attach(id, content, known)
            if let old { try detach(id, old.image.content, old.slot, keeping: known.slot) }
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
        let sequence = try record(old == nil ? .added : .replaced, id)
        fields.willChange(id, from: old)
        try transaction.put(ImageRow(slot: known.slot, sequence: sequence, image: image))
        file.state = .indexed(id)
        try transaction.put(file)
        return .done(id)
    }

    /// Files whose vector the index cannot take are failed files: one image must not hold up its batch.
    private mutating func refuse(
        _ file: FileRow,
        _ old: ImageRow?,
        _ reason: String
    ) throws(CatalogFailure) -> CatalogOutcome {
        if let old { try removeImage(old.image.id) }
        var file = file
        file.state = .failed(FileFailure(kind: "unusable-vector", message: reason, attempts: 1, nextAttempt: nil))
        try transaction.put(file)
        return .done(nil)
    }

    private mutating func refreshStat(
        _ key: FileKey,
        _ stamp: FileStamp
    ) throws(CatalogFailure) -> CatalogOutcome {
        guard var row = try transaction.file(key) else { return .notFound }
        row.stamp = stamp
        try transaction.put(row)
        guard let id = row.image else { return .done(nil) }
        var image = try transaction.requiredImage(id)
        let isShown = image.image.byteCount != stamp.byteCount || image.image.modified != stamp.modified
        guard isShown else { return .done(id) }
        fields.willChange(id, from: image)
        image.image.byteCount = stamp.byteCount
        image.image.modified = stamp.modified
        image.sequence = try record(.refreshed, id)
        try transaction.put(image)
        return .done(id)
    }

    private mutating func move(
        _ from: FileKey,
        _ to: FileKey,
        _ stamp: FileStamp
    ) throws(CatalogFailure) -> CatalogOutcome {
        guard try isOpen(to.root) else { return .notFound }
        guard var row = try transaction.file(from), let id = row.image else { return .needsVector }
        var image = try transaction.requiredImage(id)
        if from != to {
            // A rename onto another file replaces that one.
            if let replaced = try transaction.file(to)?.image { try removeImage(replaced) }
            try transaction.deleteFile(from)
        }
        row.key = to
        row.stamp = stamp
        try transaction.put(row)
        fields.willChange(id, from: image)
        image.image.key = to
        image.image.byteCount = stamp.byteCount
        image.image.modified = stamp.modified
        image.sequence = try record(.moved, id)
        try transaction.put(image)
        return .done(id)
    }

    private mutating func setDocument(
        _ key: FileKey,
        _ document: [UInt8]
    ) throws(CatalogFailure) -> CatalogOutcome {
        guard let id = try transaction.file(key)?.image else { return .notFound }
        var image = try transaction.requiredImage(id)
        fields.willChange(id, from: image)
        image.image.document = document
        image.sequence = try record(.documented, id)
        try transaction.put(image)
        return .done(id)
    }

    private mutating func exclude(_ id: ImageID) throws(CatalogFailure) -> CatalogOutcome {
        guard let image = try transaction.image(id) else { return .notFound }
        guard var row = try transaction.file(image.image.key) else {
            throw .corrupted(FileRow.name(image.image.key), "missing")
        }
        try removeImage(id)
        row.state = .excluded
        try transaction.put(row)
        return .done(id)
    }

    // MARK: Parts

    private func isOpen(_ root: RootID) throws(CatalogFailure) -> Bool {
        guard let row = try transaction.root(root) else { return false }
        return !row.isRemoved
    }

    private mutating func nextImage() -> ImageID {
        state.lastImage += 1
        return ImageID(rawValue: state.lastImage)
    }

    private mutating func attach(
        _ id: ImageID,
        _ content: SHA256Digest,
        _ row: ContentRow
    ) throws(CatalogFailure) {
        var row = row
        row.imageCount += 1
        try transaction.put(row, content)
        try fields.willChangeImages(of: row.slot, transaction)
        try transaction.put(row.slot.rawValue, id.rawValue, in: transaction.tables.duplicates)
    }

    /// `kept` is the slot that the image has from now on, if any.
    private mutating func detach(
        _ id: ImageID,
        _ content: SHA256Digest,
        _ slot: Slot,
        keeping kept: Slot?
    ) throws(CatalogFailure) {
        guard var row = try transaction.content(content), row.imageCount > 0 else {
            throw .corrupted(ContentRow.name(content), "missing, though image \(id) has it")
        }
        row.imageCount -= 1
        try transaction.put(row, content)
        touchedContents.insert(content)
        guard slot != kept else { return }
        try fields.willChangeImages(of: slot, transaction)
        try transaction.delete(slot.rawValue, value: id.rawValue, in: transaction.tables.duplicates)
        touchedSlots.insert(slot)
    }

    mutating func removeImage(_ id: ImageID) throws(CatalogFailure) {
        let row = try transaction.requiredImage(id)
        fields.willChange(id, from: row)
        try detach(id, row.image.content, row.slot, keeping: nil)
        try transaction.delete(id.rawValue, in: transaction.tables.images)
        _ = try record(.removed, id)
    }
}
