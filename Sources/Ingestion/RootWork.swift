internal import Catalog
internal import Platform

/// What is known of one root and what is to do in it. Part of the `SchedulerState`.
struct RootWork: Sendable {
    /// A file to read.
    struct Waiting: Sendable {
        var path: RelativePath
        /// Failed files too, whatever their time.
        var isForced: Bool
    }

    /// Number and mix of the files that a pass missed: two passes with equal ones miss the same files.
    struct Missing: Hashable, Sendable {
        var count = 0
        var mix = 0

        mutating func add(_ path: RelativePath) {
            count += 1
            mix ^= path.hashValue
        }
    }

    let record: RootRecord
    /// Nil while offline.
    var open: OpenRoot?
    var state = RootState.scanning
    var detail = ""

    /// Files that became quiescent: read before all others.
    var urgent = Fifo<Waiting>()
    /// Files that scans found in directories that appeared: read before the backlog, since they may be new names.
    var fresh = Fifo<Waiting>()
    /// Files that scans of the whole root found.
    var backlog = Fifo<Waiting>()
    /// Files that scans found when these were full: another scan follows when they are empty.
    var uncountedCount = 0
    /// When a file of this root was last found under a new name: a big folder's rename is being followed.
    var lastMove: Instant?
    /// Directories to scan, and when.
    var dirty: [RelativePath: Instant] = [:]
    /// Directories whose rows are to be compared with the disk, and when.
    var orphanScans: [RelativePath: Instant] = [:]
    /// The next scan that no event asks for: timer, poll, or a look whether an offline root is back.
    var nextVisit: Instant?
    /// The next scan takes failed files too.
    var isForced = false

    /// Files between reading and commit.
    var inFlightCount = 0
    /// Those of them whose bytes are not known yet: each may be another file's new name.
    var undecidedCount = 0

    var seenCount = 0
    var indexedCount = 0
    var failedCount = 0
    /// Commits so far: counts taken from the ledger are good only if none came between.
    var commitCount = 0
    /// What the last pass missed, when that was too much to believe.
    var missing: Missing?

    init(record: RootRecord, now: Instant) {
        self.record = record
        dirty[.root] = now
    }

    /// Files that need work and are not being debounced.
    var queuedCount: Int { urgent.count + fresh.count + backlog.count + uncountedCount }

    var hasWork: Bool { queuedCount + inFlightCount > 0 }

    /// Whether everything that was asked for is done.
    var isIdle: Bool { state == .offline || (!hasWork && dirty.isEmpty && orphanScans.isEmpty) }

    /// Schedules a scan of a directory; too many of them become one scan of the whole root.
    mutating func scheduleScan(_ directory: RelativePath, due: Instant, capacity: Int) {
        guard state != .offline || directory.bytes.isEmpty else { return }
        if let root = dirty[.root], directory != .root, root <= due { return }
        if dirty.count >= capacity, dirty[directory] == nil {
            dirty = [.root: due]
        } else {
            dirty[directory] = dirty[directory].map { min($0, due) } ?? due
        }
    }

    /// Forgets all plans; what is in flight goes on.
    mutating func clearPlans() {
        urgent.removeAll()
        fresh.removeAll()
        backlog.removeAll()
        uncountedCount = 0
        dirty.removeAll()
        orphanScans.removeAll()
        missing = nil
    }

    mutating func count(_ kind: RowKind, _ step: Int) {
        commitCount += 1
        switch kind {
        case .indexed: indexedCount = max(0, indexedCount + step)
        case .failed: failedCount = max(0, failedCount + step)
        case .none, .dismissed: break
        }
    }
}
