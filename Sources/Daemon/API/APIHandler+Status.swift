internal import Catalog
internal import Embedding
internal import Inference
internal import Ingestion
internal import ModelFiles
internal import Platform
internal import Server

/// Everything at a glance, of one collection or of all.
extension APIHandler {
    func status(_ collection: String?) throws(DaemonError) -> DaemonStatus {
        let chosen = try all.chosen(collection).map(\.status)
        // A warning is everybody's.
        let everything = collection == nil ? chosen.map(\.work) : all.open.map(\.work)
        let memory = ProcessUsage.memory()
        return DaemonStatus(
            uptimeSeconds: Instant.now - information.start,
            collections: chosen,
            conditions: conditions(.sum(everything)),
            model: information.model,
            head: information.head,
            deviceReason: information.device.reason,
            knownDevices: information.device.knownDevices(),
            embedding: embedder.statistics,
            memory: DaemonStatus.Memory(byteCount: memory.now, peakByteCount: memory.peak)
        )
    }

    func conditions() -> DaemonConditions { conditions(.sum(all.open.map(\.work))) }

    private func conditions(_ work: IngestionStatus) -> DaemonConditions {
        DaemonConditions(
            work: work,
            unusable: all.unusable,
            unwatched: configuredRoots.failures.map { UnwatchedRoot(path: $0.path, reason: $0.reason) },
            isModelUntrained: information.model.summary.isUntrained,
            backend: embedder.backendDescription,
            devices: embedder.deviceHealth,
            freeDiskByteCount: ProcessUsage.freeBytes(at: information.folder.path)
        )
    }
}
