internal import Catalog
internal import DeviceReports
internal import Embedding
internal import Inference
internal import Ingestion
internal import LinearAlgebra
internal import ModelFiles
internal import Platform
internal import Wire

extension StatusResponse {
    /// - Parameters:
    ///   - status: of the collections that were asked for.
    ///   - name: the one that was asked for; nil: all.
    ///   - version: the program's.
    ///   - limits: the server's.
    init(_ status: DaemonStatus, of name: String?, version: DaemonVersion, limits: ServerLimits) {
        let work = IngestionStatus.sum(status.collections.map(\.work))
        let conditions = status.conditions
        let usable = status.collections.map { CollectionBody($0) }
        let unusable = name == nil ? conditions.unusable.map { CollectionBody($0) } : []
        let shown = name ?? CollectionName.standard.description
        self.init(
            version: version.number,
            uptime: status.uptimeSeconds,
            counts: Counts(status.collections),
            progress: LoadProgress(
                done: work.doneCount,
                total: work.doneCount + work.waitingCount,
                imagesPerSecond: work.imagesPerSecond,
                remaining: work.remainingSeconds,
                paused: work.pauseReason
            ),
            model: ModelBody(status.model),
            head: status.head.rawValue,
            device: Device(conditions, reason: status.deviceReason, known: status.knownDevices),
            roots: status.collections.flatMap { one in one.work.roots.map { RootBody($0, of: one.name) } },
            resources: Resources(
                memoryBytes: status.memory.byteCount,
                memoryPeakBytes: status.memory.peakByteCount,
                diskBytes: usable.reduce(0) { $0 + $1.diskBytes },
                diskFreeBytes: conditions.freeDiskByteCount
            ),
            limits: limits.named,
            warnings: Warning.all(conditions),
            work: Work(status.embedding),
            whitening: usable.first { $0.name == shown }?.whitening,
            collections: (usable + unusable).sorted { $0.name < $1.name }
        )
    }
}

extension StatusResponse.Counts {
    /// Of several collections together.
    init(_ collections: [CollectionStatus]) {
        self.init(
            images: collections.reduce(0) { $0 + $1.stored.imageCount },
            vectors: collections.reduce(0) { $0 + $1.stored.vectorCount },
            files: collections.reduce(0) { $0 + $1.stored.fileCount },
            failed: collections.reduce(0) { sum, collection in
                let tooSmallCount = collection.work.roots.reduce(0) { $0 + $1.tooSmallCount }
                return sum + max(0, collection.stored.failedFileCount - tooSmallCount)
            },
            waiting: collections.reduce(0) { $0 + $1.work.waitingCount }
        )
    }
}

extension StatusResponse.Work {
    init(_ counts: EmbeddingStatistics) {
        self.init(
            images: counts.imageCount,
            queries: counts.queryCount,
            failures: counts.failureCount,
            batches: counts.batchCount,
            decode: counts.decodeSeconds,
            compute: counts.computeSeconds
        )
    }
}

extension StatusResponse.Device {
    init(_ conditions: DaemonConditions, reason: String, known: [GraphicsDevice]?) {
        let (backend, devices) = (conditions.backend, conditions.devices)
        // The processor computes in their place: why they do not matters more than why they were chosen.
        let areAway = !devices.isEmpty && !backend.backend.contains("vulkan")
        self.init(
            backend: backend.backend,
            device: backend.device,
            tier: backend.tier,
            threads: backend.threads,
            reason: areAway ? devices.map(\.reason).joined(separator: "; ") : reason,
            graphics: devices.isEmpty ? nil : devices,
            known: known
        )
    }
}

extension CollectionBody {
    init(_ status: CollectionStatus) {
        self.init(
            name: status.name,
            counts: StatusResponse.Counts([status]),
            roots: status.work.roots.count,
            diskBytes: UInt64(status.stored.diskByteCount),
            whitening: status.whitening.map { WhiteningBody($0) }
        )
    }

    init(_ collection: UnusableCollection) {
        let counts = StatusResponse.Counts([])
        self.init(name: collection.name, counts: counts, roots: 0, diskBytes: 0, problem: collection.reason)
    }
}

extension RootBody {
    init(_ status: RootStatus, of collection: String) {
        let settings = status.settings.differences()
        let path = PathBody(status.root.path)
        self.init(
            path: path.text,
            state: status.state.rawValue,
            detail: status.detail,
            currentPath: status.currentPath.map { "\(status.root.path)/\($0)" },
            entries: status.entryCount,
            indexedFiles: status.indexedCount,
            failedFiles: status.failedCount,
            waitingFiles: status.waitingCount,
            excludedFiles: Dictionary(uniqueKeysWithValues: status.excludedCounts.map { ($0.rawValue, $1) }),
            settings: settings.isEmpty ? nil : settings,
            collection: collection,
            pathBytes: path.bytes
        )
    }
}

extension WhiteningBody {
    init(_ whitening: Whitening) {
        self.init(vectors: whitening.sampleCount, sha256: whitening.digest.description)
    }
}

extension VersionResponse {
    init(_ version: DaemonVersion) {
        var libraries = version.libraries
        libraries["libmicrohttpd"] = HTTPServer.libraryVersion
        self.init(
            name: "likenessd",
            version: version.number,
            api: 1,
            capabilities: WireProtocol.capabilities,
            libraries: libraries
        )
    }
}

extension ReadinessResponse {
    init(_ conditions: DaemonConditions, indexFault: String?) {
        let index = Check(name: "index", ok: indexFault == nil, detail: indexFault ?? "open")
        let fault = conditions.work.pause.flatMap { $0.kind == .device ? $0.reason : nil }
        let device = Check(name: "device", ok: fault == nil, detail: fault ?? conditions.backend.device)
        // A folder that is away makes nothing else unsearchable, its own images included: a reason, but no refusal.
        let away = conditions.work.roots.filter { [.offline, .replaced].contains($0.state) }.map {
            "\($0.root.path): \($0.detail)"
        }
        let missing = away + conditions.unwatched.map { "\($0.path): \($0.reason)" }
        let roots = Check(
            name: "roots",
            ok: missing.isEmpty,
            detail: missing.isEmpty ? "all there" : missing.joined(separator: "; ")
        )
        self.init(ready: index.ok && device.ok, checks: [index, device, roots])
    }
}
