internal import Catalog
internal import Embedding
internal import Imaging
internal import Ingestion
internal import LinearAlgebra
internal import Platform
internal import Server

/// The services that all collections share: one model, one device.
struct Services: Sendable {
    let embedder: any ImageEmbedding
    /// Length of the model's vectors.
    let dimension: Int
    let decoder: any ImageDecoder
    /// Of the model, head and preprocessing.
    let fingerprint: String
    let budget = ReadBudget()
}

/// One open collection: its store, the folders that it keeps up with, and what does that.
///
/// Without a folder it costs its store's two threads; an ingestor is made with the first one.
final class ImageCollection: ServedCollection {
    private struct Watching {
        var ingestor: Ingestor?
        var isStarted = false
        var isEnded = false
    }

    /// Addresses that each but the standard one reserves, so that 64 fit together into what a process has: enough for
    /// 35 million images of 512 components, and it grows where it is not.
    private static let mapByteCount = 1 << 36

    let id: CollectionName
    let store: Catalog
    let rootList: RootListFile
    private let services: Services
    private let watching = Monitor(Watching())

    /// Opens the collection's store, or makes an empty one.
    ///
    /// - Throws: `CatalogError`; `SystemError` and `ConfigurationError` of the list of folders.
    init(_ id: CollectionName, in folder: CollectionsFolder, services: Services) throws {
        self.id = id
        self.services = services
        var options = CatalogOptions()
        if id != .standard { options.mapByteCount = Self.mapByteCount }
        store = try Catalog(
            directory: folder.store(of: id, fingerprint: services.fingerprint),
            dimension: services.dimension,
            fingerprint: services.fingerprint,
            options: options
        )
        rootList = RootListFile(file: folder.rootList(of: id))
        try rootList.reconcile(store)
    }

    // MARK: Life

    /// Begins to watch its folders, now and whenever one is added.
    func start() throws {
        let hasRoots = try !store.roots().isEmpty
        try watching.withLockNotifyingAll { (watching: inout Watching) throws in
            guard !watching.isStarted, !watching.isEnded else { return }
            watching.isStarted = true
            if let ingestor = watching.ingestor {
                try ingestor.start()
            } else if hasRoots {
                watching.ingestor = try makeIngestor(isStarted: true)
            }
        }
    }

    /// Ends watching; what is embedded is committed.
    func stopWatching() {
        let ingestor = watching.withLockNotifyingAll { watching in
            defer { watching.ingestor = nil }
            watching.isEnded = true
            return watching.ingestor
        }
        ingestor?.stop()
    }

    /// Ends everything; waits for what reads it. What is asked of it from now on fails.
    func close() {
        stopWatching()
        rootList.close()
        store.close()
    }

    private func makeIngestor(isStarted: Bool) throws -> Ingestor {
        let ingestor = Ingestor(
            ledger: store,
            embedder: services.embedder,
            configuration: IngestionConfiguration(),
            budget: services.budget
        )
        guard isStarted else { return ingestor }
        do { try ingestor.start() } catch {
            // Some of its threads may run.
            ingestor.stop()
            throw error
        }
        return ingestor
    }

    private var ingestor: Ingestor? { watching.withLock { $0.ingestor } }

    // MARK: Folders

    var work: IngestionStatus { ingestor?.status ?? .sum([]) }

    func addRoot(_ path: String) throws -> RootStatus {
        let ingestor = try watching.withLockNotifyingAll { (watching: inout Watching) throws -> Ingestor in
            if let ingestor = watching.ingestor { return ingestor }
            guard !watching.isEnded else { throw CatalogError.storage(detail: "the collection is closed") }
            let made = try makeIngestor(isStarted: watching.isStarted)
            watching.ingestor = made
            return made
        }
        let root = try ingestor.addRoot(path)
        try rootList.save(store)
        guard let status = ingestor.status.roots.first(where: { $0.root.id == root.id }) else {
            throw IngestionError.noSuchRoot(path: path)
        }
        return status
    }

    func removeRoot(_ path: String) throws {
        guard let ingestor else { throw IngestionError.noSuchRoot(path: path) }
        try ingestor.removeRoot(path)
        try rootList.save(store)
    }

    /// One root, or all of them.
    ///
    /// - Returns: false when `path` is none of them.
    func rescan(_ path: String?) -> Bool {
        guard let path else {
            ingestor?.rescan(nil)
            return true
        }
        guard let root = work.roots.first(where: { $0.root.path.description == path }) else { return false }
        ingestor?.rescan(root.root.id)
        return true
    }

    // MARK: As the routes see it

    var name: String { id.description }
    var catalog: any ImageCatalog { store }

    func open(_ image: ImageRecord) throws(DaemonError) -> OwnedDescriptor {
        do throws(SystemError) {
            guard let ingestor else { throw SystemError(code: SystemError.absent, operation: "open \(image.key.path)") }
            return try ingestor.open(image)
        } catch {
            throw .fileUnavailable(image.id, cause: error)
        }
    }

    func exclusions(reason: ExclusionReason?, after: FileKey?, limit: Int) throws(DaemonError) -> [Exclusion] {
        do throws(CatalogError) {
            return try ingestor?.exclusions(reason: reason, after: after, limit: limit) ?? []
        } catch { throw .catalog(error) }
    }

    func thumbnail(_ image: ImageRecord, longSide: Int) throws(DaemonError) -> [UInt8] {
        let file = try open(image)
        let encoded: [UInt8]
        do { encoded = try file.readAll(limit: ImageLimits().maximumByteCount) } catch {
            throw .fileUnavailable(image.id, cause: error)
        }
        do { return try services.decoder.thumbnail(encoded, longSide: longSide) } catch {
            throw .embedding(.image(error))
        }
    }

    var status: CollectionStatus {
        CollectionStatus(name: name, stored: store.statistics, work: work, whitening: store.whitening)
    }
}

/// Whitening. The collection refuses changes once it is written anew, so the daemon restarts in place.
extension ImageCollection {
    func learnWhitening() throws(DaemonError) -> Whitening {
        do throws(CatalogError) {
            let whitening = try store.learnWhitening()
            try store.rewrite(whitening: whitening)
            Signals.requestRestart()
            return whitening
        } catch { throw .catalog(error) }
    }

    func removeWhitening() throws(DaemonError) {
        guard store.whitening != nil else { return }
        do throws(CatalogError) {
            try store.rewrite(whitening: nil)
            Signals.requestRestart()
        } catch { throw .catalog(error) }
    }
}
