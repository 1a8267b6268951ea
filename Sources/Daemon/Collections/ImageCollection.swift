internal import Catalog
internal import Embedding
internal import Filters
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
    /// What is looked at below roots that have no settings of their own.
    var rootSettings = RootSettings()
    /// The state folder: nobody's images lie in it.
    var excludedDirectories: [ExcludedDirectory] = []
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

    private static let log = Log("daemon")
    private static let pauseReason = "loading is paused: likeness resume"

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
                try begin(ingestor)
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
        var configuration = IngestionConfiguration()
        configuration.excludedDirectories = services.excludedDirectories
        let ingestor = Ingestor(
            ledger: store,
            embedder: services.embedder,
            configuration: configuration,
            budget: services.budget,
            settings: { [rootList, services] root in
                var settings = services.rootSettings
                do throws(RuleError) { try settings.apply(rootList.settings(of: root.path)) } catch {
                    // They were checked when they were set.
                    Self.log.error("settings of \(root.path): \(error)")
                }
                return settings
            }
        )
        guard isStarted else { return ingestor }
        do { try begin(ingestor) } catch {
            // Some of its threads may run.
            ingestor.stop()
            throw error
        }
        return ingestor
    }

    private func begin(_ ingestor: Ingestor) throws {
        try ingestor.start()
        for root in try store.roots() where rootList.isPaused(root.path) {
            ingestor.pause(root.id, reason: Self.pauseReason, drops: false)
        }
    }

    private var ingestor: Ingestor? { watching.withLock { $0.ingestor } }

    // MARK: Folders

    var work: IngestionStatus { ingestor?.status ?? .sum([]) }

    /// Watches a folder, or gives one that is watched other settings.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - patch: a JSON merge patch (RFC 7396) of the root's settings: null takes a member back.
    /// - Returns: the root's state.
    /// - Throws: `RuleError` for settings that cannot be used; `IngestionError`, `CatalogError`, `SystemError`.
    func addRoot(_ path: String, _ patch: [String: JSONValue]) throws -> RootStatus {
        let ingestor = try watching.withLockNotifyingAll { (watching: inout Watching) throws -> Ingestor in
            if let ingestor = watching.ingestor { return ingestor }
            guard !watching.isEnded else { throw CatalogError.storage(detail: "the collection is closed") }
            let made = try makeIngestor(isStarted: watching.isStarted)
            watching.ingestor = made
            return made
        }
        let location = RootLocation(path)
        let known = try store.roots().first(where: location.names)
        var own = rootList.settings(of: known?.path ?? location.path)
        for (name, value) in patch {
            if case .null = value { own[name] = nil } else { own[name] = value }
        }
        var settings = services.rootSettings
        try settings.apply(patch.filter { if case .null = $0.value { false } else { true } })
        settings = services.rootSettings
        try settings.apply(own)
        let root = try ingestor.addRoot(path, settings: settings)
        rootList.set(own, of: root.path)
        try rootList.save(store)
        guard let status = ingestor.status.roots.first(where: { $0.root.id == root.id }) else {
            throw IngestionError.noSuchRoot(path: path)
        }
        return status
    }

    /// - Returns: what was removed.
    func removeRoot(_ path: String) throws -> RootRecord {
        guard let ingestor else { throw IngestionError.noSuchRoot(path: path) }
        let root = try ingestor.removeRoot(path)
        try rootList.save(store)
        return root
    }

    func acceptMissing(in path: String) throws {
        guard let ingestor else { throw IngestionError.noSuchRoot(path: path) }
        try ingestor.acceptMissing(in: path)
    }

    /// What lies at a path at or below a root, or everything with nil.
    ///
    /// - Returns: false when no root contains `path`.
    func rescan(_ path: RootLocation?) -> Bool {
        guard let path else {
            ingestor?.rescan(nil as RootID?)
            return true
        }
        guard let place = place(of: path) else { return false }
        ingestor?.rescan(place)
        return true
    }

    /// A path as its root and the path below that; nil when no root contains it.
    private func place(of path: RootLocation) -> FileKey? {
        for root in work.roots.map(\.root) {
            if let below = path.place(in: root) { return FileKey(root: root.id, path: below) }
        }
        return nil
    }

    /// Begins or ends a pause of loading, of one root or of all, and keeps it over a restart.
    ///
    /// - Parameters:
    ///   - isPaused: whether it begins.
    ///   - path: of the root; nil: all.
    ///   - drops: forgets what waits.
    /// - Returns: false when `path` is no root of the collection.
    /// - Throws: what storing the list of folders throws.
    func setLoading(isPaused: Bool, of path: RootLocation?, drops: Bool) throws -> Bool {
        let roots = work.roots.map(\.root).filter { path?.names($0) ?? true }
        if roots.isEmpty { return path == nil }
        for root in roots {
            rootList.set(isPaused: isPaused, of: root.path)
            if isPaused {
                let reason = drops ? "loading was cancelled; the rest is loaded by likeness resume" : Self.pauseReason
                ingestor?.pause(root.id, reason: reason, drops: drops)
            } else {
                ingestor?.resume(root.id)
            }
        }
        try rootList.save(store)
        return true
    }

    /// Tries failed files again.
    ///
    /// - Returns: how many were queued; nil when no root contains `path`.
    /// - Throws: `CatalogError`.
    func retryFailures(kind: String?, below path: RootLocation?) throws(CatalogError) -> Int? {
        guard let path else { return try ingestor?.retryFailures(kind: kind, below: nil) ?? 0 }
        guard let place = place(of: path) else { return nil }
        return try ingestor?.retryFailures(kind: kind, below: place)
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
