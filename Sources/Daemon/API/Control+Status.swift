internal import Catalog
internal import Embedding
internal import Inference
internal import Ingestion
internal import Platform
internal import Wire

/// Everything at a glance, of one collection or of all.
extension Control {
    func status(_ collection: String?) throws(Problem) -> StatusResponse {
        let chosen = try all.chosen(collection).map { (collection: $0, work: $0.work) }
        let work = IngestionStatus.sum(chosen.map(\.work))
        // A warning is everybody's.
        let everything = collection == nil ? work : .sum(all.open.map(\.work))
        let bodies = chosen.map { $0.collection.body($0.work) }
        let memory = ProcessUsage.memory()
        let diskFree = ProcessUsage.freeBytes(at: facts.folder.path)
        let backend = embedder.backendDescription
        let graphics = embedder.deviceHealth.map(GraphicsHealth.init)
        let isAway = !graphics.isEmpty && !backend.backend.contains("vulkan")
        return StatusResponse(
            version: Version.number,
            uptime: Instant.now - facts.start,
            counts: bodies.reduce(into: StatusResponse.Counts.none) { $0.add($1.counts) },
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
                reason: isAway ? graphics.map(\.reason).joined(separator: "; ") : facts.device.reason,
                graphics: graphics.isEmpty ? nil : graphics,
                known: facts.device.knownDevices()
            ),
            roots: chosen.flatMap { one in one.work.roots.map { RootBody($0, of: one.collection) } },
            resources: StatusResponse.Resources(
                memory: memory.now,
                memoryPeak: memory.peak,
                disk: bodies.reduce(0) { $0 + $1.disk },
                diskFree: diskFree
            ),
            limits: facts.limits,
            warnings: Warnings.all(
                model: facts.model,
                work: everything,
                unusable: all.unusable,
                unwatched: configuredRoots.failures,
                graphics: graphics,
                diskFree: diskFree
            ),
            work: self.work,
            whitening: (bodies.first { $0.name == collection ?? CollectionName.standard.description })?.whitening,
            collections: collection == nil ? withUnusable(bodies) : bodies
        )
    }

    /// Those that are open, as given, and those that cannot be used, by name.
    func withUnusable(_ bodies: [CollectionBody]) -> [CollectionBody] {
        let unusable = all.unusable.map { name, reason in
            CollectionBody(name: name.description, counts: .none, roots: 0, disk: 0, problem: reason)
        }
        return (bodies + unusable).sorted { $0.name < $1.name }
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
}

extension StatusResponse.Counts {
    static let none = StatusResponse.Counts(images: 0, vectors: 0, files: 0, failed: 0, waiting: 0)

    mutating func add(_ other: StatusResponse.Counts) {
        images += other.images
        vectors += other.vectors
        files += other.files
        failed += other.failed
        waiting += other.waiting
    }
}
