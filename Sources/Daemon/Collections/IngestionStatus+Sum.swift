internal import Ingestion

extension IngestionStatus {
    /// The work of several ingestors, which share one device, as one.
    static func sum(_ parts: [IngestionStatus]) -> IngestionStatus {
        // What was loaded before the present load is not part of its progress.
        let busy = parts.filter { $0.waitingCount > 0 }
        let pauses = parts.compactMap(\.pause)
        let waitingCount = parts.reduce(0) { $0 + $1.waitingCount }
        let rate = parts.reduce(0) { $0 + $1.imagesPerSecond }
        return IngestionStatus(
            roots: parts.flatMap(\.roots),
            waitingCount: waitingCount,
            doneCount: (busy.isEmpty ? parts : busy).reduce(0) { $0 + $1.doneCount },
            imagesPerSecond: rate,
            remainingSeconds: waitingCount > 0 && rate > 0 ? Double(waitingCount) / rate : nil,
            // One collection's store concerns it alone, the device all of them.
            pause: pauses.first { $0.kind == .device } ?? pauses.first
        )
    }
}
