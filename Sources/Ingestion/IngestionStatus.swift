package import Catalog
package import Platform

/// What a root is doing.
package enum RootState: String, Sendable, Codable {
    case scanning, live, polling, offline, paused
    /// Another directory stands there than when its files were loaded, and lacks so many of them that none is removed.
    case replaced
}

/// A root's place in the work, for status.
package struct RootStatus: Sendable {
    package var root: RootRecord
    package var state: RootState
    /// Why it is offline, replaced or polling, and what to do; empty when all is well.
    package var detail: String
    /// The file that is being loaded, or the latest of several.
    package var currentPath: RelativePath?
    /// All that lies below the root: every file, and every folder that is not entered. It equals the sum of the counts
    /// below at every moment, and what a plain walk counts once nothing waits.
    package var entryCount: Int
    /// Entries that are left out, by reason; no zeros.
    package var excludedCounts: [ExclusionReason: Int]
    /// Indexed, failed, and waiting files.
    package var indexedCount: Int
    package var failedCount: Int
    package var waitingCount: Int
    /// Rows of images with too few pixels. The catalog has them as failed files, the counts as excluded.
    package var tooSmallCount = 0
    /// What is looked at below it.
    package var settings: RootSettings

    package init(
        root: RootRecord,
        state: RootState,
        detail: String,
        currentPath: RelativePath? = nil,
        entryCount: Int,
        excludedCounts: [ExclusionReason: Int],
        indexedCount: Int,
        failedCount: Int,
        waitingCount: Int,
        settings: RootSettings = RootSettings()
    ) {
        self.settings = settings
        self.root = root
        self.state = state
        self.detail = detail
        self.currentPath = currentPath
        self.entryCount = entryCount
        self.excludedCounts = excludedCounts
        self.indexedCount = indexedCount
        self.failedCount = failedCount
        self.waitingCount = waitingCount
    }
}

/// Why ingestion stands still.
package struct IngestionPause: Sendable, Equatable {
    package enum Kind: Sendable {
        /// No space is left for the collection.
        case storageFull
        /// The collection cannot be written for another reason.
        case storageFailing
        /// Neither the device nor its fallback computes.
        case device
    }

    package var kind: Kind
    /// What happened, and what to do.
    package var reason: String

    package init(kind: Kind, reason: String) {
        self.kind = kind
        self.reason = reason
    }
}

/// The whole ingestion at a glance.
package struct IngestionStatus: Sendable {
    package var roots: [RootStatus]
    /// Files known to need work and not done yet.
    package var waitingCount: Int
    /// Files done since the present load began; with `waitingCount` it makes a progress bar.
    package var doneCount: Int
    /// Images made searchable a second, over the last 30 s of work; 0 when idle.
    package var imagesPerSecond: Double
    /// Seconds until `waitingCount` is 0 at that rate; nil when idle or unknown.
    package var remainingSeconds: Double?
    /// Why ingestion stands still; nil when it does not.
    package var pause: IngestionPause?
    package var pauseReason: String? { pause?.reason }

    package init(
        roots: [RootStatus],
        waitingCount: Int,
        doneCount: Int,
        imagesPerSecond: Double,
        remainingSeconds: Double?,
        pause: IngestionPause?
    ) {
        self.roots = roots
        self.waitingCount = waitingCount
        self.doneCount = doneCount
        self.imagesPerSecond = imagesPerSecond
        self.remainingSeconds = remainingSeconds
        self.pause = pause
    }
}

extension IngestionStatus {
    /// The work of several ingestors, which share one device, as one.
    package static func sum(_ parts: [IngestionStatus]) -> IngestionStatus {
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
