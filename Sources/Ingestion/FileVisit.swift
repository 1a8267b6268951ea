internal import Catalog
internal import Embedding
internal import Imaging
internal import Inference
internal import Platform

/// One visit of a reader to one file, from reading it to handing it over.
///
/// It holds what is known of the file: the ledger's row, the stamp and the digest that its bytes have for certain, and the
/// document beside it. It holds no bytes, so that a visit may wait for the embedder. Reading ends in exactly one action, and
/// if that is to embed, the embedder's result ends in exactly one more.
struct FileVisit: Sendable {
    /// What is to be done with the file.
    enum Action: Sendable {
        case commit(CommitEntry)
        /// The bytes are a new image.
        case embed([UInt8])
        /// Nothing is to be stored.
        case finish(SchedulerState.Outcome)
        /// The system is short of descriptors or memory: wait, and read the file again.
        case waitForResources
        /// No device computes: readers pause, and this file is read again.
        case waitForDevice(detail: String)
    }

    let key: FileKey
    private let root: OpenRoot
    private let isForced: Bool
    private let settings: RootSettings
    private let ignoresStamp: Bool
    /// Names that the file had when it was read.
    private var linkCount: UInt64 = 1
    private var row: FileRow?
    private var stamp = FileStamp(device: 0, inode: 0, byteCount: 0, modified: 0, changed: 0)
    /// The stamp is racy: it is smudged in the ledger, and the file is read once more later.
    private var isRacy = false
    /// Digest of the bytes; nil until they are read.
    private(set) var content: SHA256Digest?
    /// Of the image beside which it lies; empty when it has none.
    private var document: [UInt8] = []
    /// Other files beside it that are called like a document of it: examined once the file has a row.
    private var sidecars: [FileKey] = []
    /// Bytes taken from the budget; the reader gives them back when the action is done.
    private(set) var heldByteCount = 0
    private static let log = Log("ingest")

    init(_ request: ReadRequest, in root: OpenRoot, _ rules: PathRules) {
        key = request.key
        settings = rules.settings
        self.root = root
        isForced = request.isForced
        ignoresStamp = request.ignoresStamp
    }

    // MARK: Reading

    /// Reads the file and decides by its content what it is.
    ///
    /// - Parameter services: of the reader.
    /// - Returns: the one action of this reading.
    /// - Throws: what reading the ledger throws.
    mutating func read(_ services: ReadServices) throws(CatalogError) -> Action {
        row = try services.ledger.file(key)
        let action: Action
        do throws(SystemError) {
            action = try load(services)
        } catch {
            // That the root is away says nothing of the file.
            guard root.stands else { return .finish(.rootGone(root)) }
            if error.saysAbsent { return gone }
            return error.saysExhausted ? .waitForResources : unreadable(error, services)
        }
        guard case .embed(let bytes) = action else { return action }
        return try decide(bytes, services)
    }

    /// Reads the whole file, with one status before and one after.
    ///
    /// - Returns: `.embed` with the bytes, unless the visit ends here.
    private mutating func load(_ services: ReadServices) throws(SystemError) -> Action {
        let file = try root.openFile(beneath: key.path)
        let status = try file.status()
        guard status.kind == .regular else { return gone }
        stamp = FileStamp(status)
        linkCount = status.linkCount
        let now = wallClockNanoseconds()
        let limit = services.configuration.maximumFileByteCount
        guard ignoresStamp || FileRow.needsWork(row, stamp: stamp, settings, isForced: isForced, now: now) else {
            return .finish(.unchanged)
        }
        if stamp.byteCount == 0 {
            sidecars = services.sidecars.files(beside: key, in: root)
            return failure(.image(ImagingError(.empty, "the file has no bytes")))
        }
        guard stamp.byteCount <= UInt64(limit) else {
            let detail = "\(stamp.byteCount) bytes; at most \(limit) are read"
            sidecars = services.sidecars.files(beside: key, in: root)
            return failure(.image(ImagingError(.limitExceeded, detail)))
        }
        let byteCount = Int(stamp.byteCount)
        services.budget.take(byteCount)
        heldByteCount = byteCount
        let bytes = try file.readAll(limit: limit)
        guard FileStamp(try file.status()).matches(stamp), bytes.count == byteCount else { return .finish(.again) }
        isRacy = stamp.isRacy(at: now, within: services.configuration.racyWindow)
        content = SHA256Digest(of: bytes)
        return .embed(bytes)
    }

    private var gone: Action { .finish(.gone(hasRow: row != nil)) }

    private mutating func unreadable(_ error: SystemError, _ services: ReadServices) -> Action {
        if let row { stamp = row.stamp }
        do throws(SystemError) {
            guard let status = try root.status(beneath: key.path) else { return gone }
            stamp = FileStamp(status)
        } catch {
            Self.log.warning("\(error)")
        }
        isRacy = false
        content = nil
        sidecars = services.sidecars.files(beside: key, in: root)
        return failure(transient("unreadable", error.description, services.configuration))
    }

    // MARK: Deciding

    /// A file that the ledger has with the same bytes.
    private enum Twin {
        case none
        case copy(ImageRecord)
        /// The file of this image is gone: it has a new name.
        case renamed(ImageRecord)

        var image: ImageRecord? {
            switch self {
            case .none: nil
            case .copy(let image), .renamed(let image): image
            }
        }
    }

    private mutating func decide(_ bytes: [UInt8], _ services: ReadServices) throws(CatalogError) -> Action {
        guard let content else { return .finish(.again) }
        if let row, row.content == content, !isDue(row) {
            if row.stamp == ledgerStamp { return .finish(.unchanged) }
            // Touched, copied over itself, or only looked at too early before: a stat refresh.
            return commit([.refreshStat(key: key, stamp: ledgerStamp)], after: RowKind(row))
        }
        let finding = services.sidecars.look(beside: key, in: root)
        (document, sidecars) = (finding.document, finding.others)
        if document.isEmpty, services.sidecars.isRequired(in: key.root) {
            return failure(.missingDocument(of: key.path, badly: !sidecars.isEmpty))
        }
        let twin = try twin(of: content, services)
        if let image = twin.image, let failure = FileFailure.tooSmall(image.width, image.height, settings.minimumPixels)
        {
            return self.failure(failure)
        }
        switch twin {
        case .none: return .embed(bytes)
        case .copy: return commit([index(content, nil)], after: .indexed)
        case .renamed(let old):
            var changes = [CatalogChange.move(from: old.key, to: key, stamp: ledgerStamp)]
            if old.document != document { changes.append(.setDocument(key: key, document: document)) }
            return commit(changes, after: .indexed, movedFrom: old.key)
        }
    }

    /// Whether a failed file with the same bytes is to be tried again.
    private func isDue(_ row: FileRow) -> Bool {
        guard case .failed(let failure) = row.state else { return false }
        return isForced || failure.isDue(settings, now: wallClockNanoseconds())
    }

    /// Looks for the old name of bytes that turned up under a new one. Nothing is paired by events: the content decides.
    ///
    /// The ledger has a content exactly as long as a file with it is indexed, so one look-up answers both whether the bytes
    /// are known and where they were.
    private func twin(of content: SHA256Digest, _ services: ReadServices) throws(CatalogError) -> Twin {
        let keys = try services.ledger.files(withContent: content, limit: linkCount > 1 ? 256 : 16)
        if linkCount > 1, let table = services.watches {
            // Other names of this file, which were perhaps its only ones when they were looked at.
            for other in keys where other != key {
                if try services.ledger.file(other)?.stamp.inode == stamp.inode { table.addName(other, beside: key) }
            }
        }
        // In roots that are offline nothing is known to be gone.
        let roots = services.workQueue.read { $0.openRoots }
        var copy: ImageRecord?
        for old in try services.ledger.files(withContent: content, limit: 16) {
            guard case .indexed(let id) = try services.ledger.file(old)?.state,
                let image = try services.ledger.image(id)
            else { continue }
            copy = image
            if old != key, let root = roots[old.root], root.lacks(old.path) { return .renamed(image) }
        }
        return copy.map { .copy($0) } ?? .none
    }

    // MARK: Embedding

    /// The action that follows an embedding of these bytes.
    ///
    /// - Parameters:
    ///   - result: the embedder's.
    ///   - leads: whether this file leads the single flight of its content.
    ///   - configuration: says how transient errors back off.
    /// - Returns: the one action.
    func action(
        after result: SingleFlight.Result,
        leads: Bool,
        _ configuration: IngestionConfiguration
    ) -> Action {
        guard let content else { return .finish(.again) }
        switch result {
        case .success(let image):
            let (width, height) = (image.properties.width, image.properties.height)
            if let failure = FileFailure.tooSmall(width, height, settings.minimumPixels) {
                return self.failure(failure, leading: leads ? content : nil)
            }
            return commit([index(content, image)], after: .indexed, leading: leads ? content : nil)
        case .failure(.image(let error)): return failure(.image(error))
        case .failure(.backend(.nonFinite)):
            return failure(transient("non-finite", "the network gave no finite vector", configuration))
        case .failure(.backend(let error)): return .waitForDevice(detail: error.description)
        case .failure(.overloaded): return .finish(.requeued)
        // The next start finds the file again.
        case .failure(.stopped): return .finish(.unchanged)
        }
    }

    // MARK: Commit entries

    private var ledgerStamp: FileStamp { isRacy ? stamp.smudged : stamp }

    private func index(_ content: SHA256Digest, _ image: EmbeddedImage?) -> CatalogChange {
        .index(
            key: key,
            stamp: ledgerStamp,
            content: content,
            embedded: image.map { image in
                ImageFeatures(
                    vector: image.vector,
                    format: image.properties.format.rawValue,
                    width: image.properties.width,
                    height: image.properties.height
                )
            },
            document: document
        )
    }

    private func transient(_ kind: String, _ message: String, _ configuration: IngestionConfiguration) -> FileFailure {
        .transient(kind, message, after: row, delays: configuration.backoffDelays, now: wallClockNanoseconds())
    }

    private func failure(_ failure: FileFailure, leading: SHA256Digest? = nil) -> Action {
        Self.log.info("\(key.path) cannot be searched: \(failure.kind): \(failure.message)")
        // The stamp of bytes that were not read is not racy.
        let change = CatalogChange.fail(key: key, stamp: ledgerStamp, content: content, failure: failure)
        var entry = CommitEntry(key: key, changes: [change], before: RowKind(row), after: RowKind(failure))
        entry.ledFlight = leading
        entry.isRacy = isRacy
        entry.nextAttempt = failure.nextAttempt
        entry.sidecars = sidecars
        return .commit(entry)
    }

    private func commit(
        _ changes: [CatalogChange],
        after: RowKind,
        leading: SHA256Digest? = nil,
        movedFrom: FileKey? = nil
    ) -> Action {
        var entry = CommitEntry(key: key, changes: changes, before: RowKind(row), after: after)
        entry.ledFlight = leading
        entry.movedFrom = movedFrom?.root
        entry.vacated = movedFrom
        entry.isRacy = isRacy
        entry.sidecars = sidecars
        return .commit(entry)
    }
}
