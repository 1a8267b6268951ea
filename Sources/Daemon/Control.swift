internal import Catalog
internal import Embedding
internal import Foundation
internal import Imaging
internal import Inference
internal import Ingestion
internal import Platform
internal import Server
internal import Wire

/// The daemon as its routes see it: every answer is put together here from the rooms below.
final class Control: DaemonControl {
    let collection: Catalog
    private let embedder: Embedder
    private let ingestor: Ingestor
    private let decoder: any ImageDecoder
    let library: ModelLibrary
    private let rootList: RootList
    private let configuredRoots: ConfiguredRoots
    let facts: Facts
    /// The page's address with its token, known when the server listens; nil where no page is served.
    let page = Monitor<String?>(nil)
    /// The backup, verification or rebuilding at work.
    let maintenance = MaintenanceClaim.Current(nil)

    /// What does not change while the daemon runs.
    struct Facts: Sendable {
        let model: ModelBody
        let head: Head
        /// Why this backend was chosen.
        let backendReason: String
        let folder: StateFolder
        /// The model is a file outside the library.
        let modelIsFile: Bool
        /// `--weights` or `--model` was given, so that another model cannot be chosen over the socket.
        let modelIsFixed: Bool
        /// The head that the settings name, whatever is chosen over the socket.
        let fixedHead: Head?
        /// The backend that was chosen at the start; another one computes when its device fell out.
        let backend: String
        let limits: [String: Double]
        let start = Instant.now
    }

    init(
        catalog: Catalog,
        embedder: Embedder,
        ingestor: Ingestor,
        decoder: any ImageDecoder,
        library: ModelLibrary,
        rootList: RootList,
        configuredRoots: ConfiguredRoots,
        facts: Facts
    ) {
        collection = catalog
        self.embedder = embedder
        self.ingestor = ingestor
        self.decoder = decoder
        self.library = library
        self.rootList = rootList
        self.configuredRoots = configuredRoots
        self.facts = facts
    }

    var catalog: any ImageCatalog { collection }

    func version() -> VersionResponse { Version.response }

    func readiness() -> ReadinessResponse {
        let work = ingestor.status
        let index = indexCheck()
        let fault = work.pause.flatMap { $0.kind == .device ? $0.reason : nil }
        let device = ReadinessResponse.Check(
            name: "device",
            ok: fault == nil,
            detail: fault ?? embedder.backendDescription.device
        )
        // A folder that is away makes nothing else unsearchable, its own images included: a reason, but no refusal.
        let away = work.roots.filter { $0.state == .offline }.map { "\($0.root.path): \($0.detail)" }
        let missing = away + configuredRoots.failures.map { "\($0.path): \($0.reason)" }
        let roots = ReadinessResponse.Check(
            name: "roots",
            ok: missing.isEmpty,
            detail: missing.isEmpty ? "all there" : missing.joined(separator: "; ")
        )
        return ReadinessResponse(ready: index.ok && device.ok, checks: [index, device, roots])
    }

    /// Reads from the collection: a store that fell over says so here.
    private func indexCheck() -> ReadinessResponse.Check {
        do throws(CatalogError) {
            _ = try collection.roots()
            return ReadinessResponse.Check(name: "index", ok: true, detail: "open")
        } catch {
            return ReadinessResponse.Check(name: "index", ok: false, detail: "\(error)")
        }
    }

    func status() throws(Problem) -> StatusResponse {
        let work = ingestor.status
        let stored = collection.statistics
        let memory = ProcessUsage.memory()
        let diskFree = ProcessUsage.freeBytes(at: facts.folder.path)
        let backend = embedder.backendDescription
        let isDeviceLost = backend.backend != facts.backend
        return StatusResponse(
            version: Version.number,
            uptime: Instant.now - facts.start,
            counts: StatusResponse.Counts(
                images: stored.imageCount,
                vectors: stored.vectorCount,
                files: stored.fileCount,
                failed: stored.failedFileCount,
                waiting: work.waitingCount
            ),
            progress: StatusResponse.Progress(
                done: work.doneCount,
                total: work.doneCount + work.waitingCount,
                imagesPerSecond: work.imagesPerSecond,
                remaining: work.remainingSeconds,
                paused: work.pauseReason
            ),
            model: facts.model,
            head: facts.head.rawValue,
            device: StatusResponse.Device(
                backend: backend.backend,
                device: backend.device,
                tier: backend.tier,
                threads: backend.threads,
                reason: isDeviceLost ? "the graphics device fell out" : facts.backendReason
            ),
            roots: work.roots.map(Self.body),
            resources: StatusResponse.Resources(
                memory: memory.now,
                memoryPeak: memory.peak,
                disk: UInt64(stored.diskByteCount),
                diskFree: diskFree
            ),
            limits: facts.limits,
            warnings: Warnings.all(
                model: facts.model,
                work: work,
                unwatched: configuredRoots.failures,
                isDeviceLost: isDeviceLost,
                diskFree: diskFree
            ),
            work: self.work,
            whitening: collection.whitening.map { WhiteningBody($0) }
        )
    }

    private var work: StatusResponse.Work {
        let counts = embedder.statistics
        return StatusResponse.Work(
            images: counts.imageCount,
            queries: counts.queryCount,
            failures: counts.failureCount,
            batches: counts.batchCount,
            decode: counts.decodeSeconds,
            compute: counts.computeSeconds
        )
    }

    func embed(_ encoded: [UInt8]) throws(Problem) -> [Float] {
        do { return try embedder.embed(encoded).vector } catch { throw Problem(error) }
    }

    func rootPath(_ id: RootID) -> RelativePath? {
        ingestor.status.roots.first { $0.root.id == id }?.root.path
    }

    func open(_ image: ImageRecord) throws(Problem) -> OwnedDescriptor {
        do { return try ingestor.open(image) } catch {
            throw Problem(.notFound, "image \(image.id): its file cannot be opened: \(error)")
        }
    }

    func thumbnail(_ image: ImageRecord, longSide: Int) throws(Problem) -> [UInt8] {
        let file = try open(image)
        let encoded: [UInt8]
        do { encoded = try file.readAll(limit: ImageLimits().maximumByteCount) } catch {
            throw Problem(.notFound, "image \(image.id): its file cannot be read: \(error)")
        }
        do { return try decoder.thumbnail(encoded, longSide: longSide) } catch {
            throw Problem(EmbeddingError.image(error))
        }
    }

    func addRoot(_ path: String) throws(Problem) -> RootBody {
        do {
            let root = try ingestor.addRoot(path)
            try rootList.save(collection)
            let found = ingestor.status.roots.first { $0.root.id == root.id }
            guard let found else { throw IngestionError.noSuchRoot(path: path) }
            return Self.body(found)
        } catch let error as IngestionError {
            throw Problem(error)
        } catch {
            throw Problem(.internal, "\(error)")
        }
    }

    func removeRoot(_ path: String) throws(Problem) {
        do {
            try ingestor.removeRoot(path)
            try rootList.save(collection)
        } catch let error as IngestionError {
            throw Problem(error)
        } catch {
            throw Problem(.internal, "\(error)")
        }
    }

    func rescan(_ path: String?) throws(Problem) {
        guard let path else { return ingestor.rescan(nil) }
        guard let root = ingestor.status.roots.first(where: { $0.root.path.description == path }) else {
            throw Problem(IngestionError.noSuchRoot(path: path))
        }
        ingestor.rescan(root.root.id)
    }

    /// Absolute paths of the watched folders.
    var rootPaths: [String] { ingestor.status.roots.map(\.root.path.description) }

    var pageLink: String? { page.read { $0 } }

    private static func body(_ status: RootStatus) -> RootBody {
        RootBody(
            path: status.root.path.description,
            state: status.state.rawValue,
            detail: status.detail,
            seen: status.seenCount,
            indexed: status.indexedCount,
            failed: status.failedCount,
            waiting: status.waitingCount
        )
    }
}
