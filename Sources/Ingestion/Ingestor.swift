package import Catalog
package import Embedding
package import Platform

/// What a root is doing.
package enum RootState: String, Sendable, Codable {
    case scanning, live, polling, offline
}

/// A root's place in the work, for status.
package struct RootStatus: Sendable {
    package var root: RootRecord
    package var state: RootState
    /// Why it is offline or polling, and what to do; empty when all is well.
    package var detail: String
    /// Image files seen by the running or last scan.
    package var seenCount: Int
    /// Indexed, failed, and waiting files.
    package var indexedCount: Int
    package var failedCount: Int
    package var waitingCount: Int

    package init(
        root: RootRecord,
        state: RootState,
        detail: String,
        seenCount: Int,
        indexedCount: Int,
        failedCount: Int,
        waitingCount: Int
    ) {
        self.root = root
        self.state = state
        self.detail = detail
        self.seenCount = seenCount
        self.indexedCount = indexedCount
        self.failedCount = failedCount
        self.waitingCount = waitingCount
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
    /// Why ingestion stands still (disk full, device gone) and what to do; nil when it does not.
    package var pauseReason: String?

    package init(
        roots: [RootStatus],
        waitingCount: Int,
        doneCount: Int,
        imagesPerSecond: Double,
        remainingSeconds: Double?,
        pauseReason: String?
    ) {
        self.roots = roots
        self.waitingCount = waitingCount
        self.doneCount = doneCount
        self.imagesPerSecond = imagesPerSecond
        self.remainingSeconds = remainingSeconds
        self.pauseReason = pauseReason
    }
}

/// Why a root cannot be watched.
package enum IngestionError: Error, Sendable, CustomStringConvertible {
    case notADirectory(path: String)
    case rootUnreadable(path: String, cause: SystemError)
    /// One root inside another would index files twice.
    case overlapping(path: String, existing: String)
    case noSuchRoot(path: String)
    case catalog(CatalogError)

    package var description: String {
        switch self {
        case .notADirectory(let path): "\(path) is not a directory"
        case .rootUnreadable(let path, let cause): "cannot read \(path): \(cause)"
        case .overlapping(let path, let existing): "\(path) overlaps with the watched folder \(existing)"
        case .noSuchRoot(let path): "\(path) is not watched"
        case .catalog(let error): error.description
        }
    }
}

/// Watch, settle, read, embed, commit: keeps one catalog equal to the image files of its roots.
package final class Ingestor: Sendable {
    package init(catalog: Catalog, embedder: Embedder) { fatalError("interface only") }

    /// Starts the threads and a scan of every root in the catalog.
    package func start() throws { fatalError("interface only") }

    /// Stops watching, drops what is not embedded (the next scan finds it), commits what is, joins all threads. Callable once.
    package func stop() { fatalError("interface only") }

    /// Watches a folder from now on; the same folder twice is the same root.
    ///
    /// - Parameter path: absolute; symbolic links are resolved once, here.
    package func addRoot(_ path: String) throws(IngestionError) -> RootRecord { fatalError("interface only") }

    /// Stops watching and forgets the root's images; the files stay untouched.
    package func removeRoot(_ path: String) throws(IngestionError) { fatalError("interface only") }

    /// Looks at every file of a root (nil: of all) again, failed ones too.
    package func rescan(_ root: RootID?) { fatalError("interface only") }

    /// Whether all roots are scanned and nothing waits; blocks until then or `deadline`.
    package func waitUntilIdle(until deadline: Instant) -> Bool { fatalError("interface only") }

    package var status: IngestionStatus { fatalError("interface only") }

    /// Opens an image's file for reading, below its root only, when it is still the file that was indexed.
    package func open(_ image: ImageRecord) throws(SystemError) -> OwnedDescriptor { fatalError("interface only") }
}
