internal import Catalog
internal import Platform

/// The part of the scheduler state that belongs to one root: its plans, its priority queues of files to read, its counts.
struct RootWork: Sendable {
    /// Number and mix of the files that a pass missed: two passes with equal ones miss the same files.
    struct Missing: Hashable, Sendable {
        private(set) var count = 0
        private var mix = 0

        mutating func add(_ path: RelativePath) {
            count += 1
            mix ^= path.hashValue
        }
    }

    let record: RootRecord
    /// Nil while offline.
    private(set) var open: OpenRoot?
    private(set) var state = RootState.scanning
    private var detail = ""

    /// The root's settings, compiled.
    private(set) var rules = PathRules()

    /// Files to read, by priority.
    private var requests = [Fifo<ReadRequest>](repeating: Fifo(), count: ReadPriority.allCases.count)
    /// Files that scans found when a queue was full: another scan follows when the queues are empty.
    private var uncountedCount = 0
    /// Directories to scan, and when.
    private var directoryScans: [RelativePath: Instant] = [:]
    /// Directories whose rows are to be compared with the disk, and when.
    private var orphanScans: [RelativePath: Instant] = [:]
    /// The next scan that no event asks for: timer, poll, or a look whether an offline root is back.
    private var nextScan: Instant?
    /// The next scan takes failed files too.
    private var isForced = false
    /// When a file of this root was last found under a new name: a big folder's rename is being followed.
    private(set) var lastMove: Instant?

    /// Files between reading and commit.
    private(set) var inFlightCount = 0
    /// Those of them whose bytes are not known yet: each may be another file's new name.
    private var unidentifiedCount = 0

    /// What lies below the root, folder by folder.
    private var census = Census()
    /// Directories to be counted anew, and when.
    private var counts: [RelativePath: Instant] = [:]
    /// How long the slowest count of one directory took.
    private var slowestCount = 0.0
    /// Rows of the ledger by kind.
    private var rows: [RowKind: Int] = [:]
    /// Commits so far: counts taken from the ledger are good only if none came between.
    private(set) var commitCount = 0
    /// What the last pass missed, when that was too much to believe.
    private var missing: Missing?

    init(record: RootRecord, now: Instant) {
        self.record = record
        directoryScans[.root] = now
    }

    // MARK: What is to do

    private var queuedCount: Int { requests.reduce(uncountedCount) { $0 + $1.count } }

    var hasWork: Bool { queuedCount + inFlightCount > 0 }

    /// Whether everything that was asked for is done.
    var isIdle: Bool {
        state == .offline || (!hasWork && directoryScans.isEmpty && orphanScans.isEmpty && counts.isEmpty)
    }

    /// Whether every file that was found is known by its content.
    private var isIdentified: Bool { queuedCount == 0 && unidentifiedCount == 0 }

    /// Whether nothing here may yet turn out to be the new name of a file that is missing in any root.
    var expectsNoNames: Bool { directoryScans.isEmpty && isIdentified }

    /// Whether something here is on its way to being known by its content, the backlog left aside.
    var isExpectingNames: Bool {
        unidentifiedCount > 0 || !self[.urgent].isEmpty || !self[.fresh].isEmpty
            || directoryScans.keys.contains { $0 != .root }
    }

    private subscript(_ priority: ReadPriority) -> Fifo<ReadRequest> {
        get { requests[priority.rawValue] }
        _modify { yield &requests[priority.rawValue] }
    }

    /// Calls `consider` with each time at which something may become due.
    func forEachDue(removalTimeout: Double, _ consider: (Instant) -> Void) {
        if let nextScan { consider(nextScan) }
        directoryScans.values.forEach(consider)
        counts.values.forEach(consider)
        for time in orphanScans.values {
            consider(time)
            consider(max(time, lastMove ?? time) + removalTimeout + 0.001)
        }
    }

    // MARK: Scans

    /// Schedules a scan of a directory; too many of them become one scan of the whole root.
    mutating func scheduleScan(_ directory: RelativePath, due: Instant, capacity: Int) {
        guard state != .offline || directory == .root else { return }
        if let root = directoryScans[.root], directory != .root, root <= due { return }
        if directoryScans.count >= capacity, directoryScans[directory] == nil {
            directoryScans = [.root: due]
        } else {
            directoryScans[directory] = directoryScans[directory].map { min($0, due) } ?? due
        }
    }

    /// Schedules a scan of everything, also while the root is offline.
    mutating func scheduleRescan(isForced: Bool, at now: Instant) {
        directoryScans[.root] = now
        if isForced { self.isForced = true }
    }

    /// Schedules an orphan scan; too many of them become one of the whole root.
    mutating func scheduleOrphanScan(_ directory: RelativePath, due: Instant, capacity: Int) {
        guard state != .offline else { return }
        if orphanScans.count >= capacity {
            orphanScans = [.root: due]
        } else {
            orphanScans[directory] = due
        }
    }

    /// Takes a directory to scan whose time has come.
    mutating func takeDirectoryScan(at now: Instant) -> ScanTask? {
        let id = record.id
        let isDue = nextScan.map { $0 <= now } ?? false
        // The files that the queues had no room for.
        let isIncomplete = uncountedCount > 0 && self[.backlog].isEmpty && self[.fresh].isEmpty
        if isDue || isIncomplete || directoryScans[.root].map({ $0 <= now }) ?? false {
            // A scan of everything finds again what waits.
            self[.backlog].removeAll()
            uncountedCount = 0
            directoryScans.removeAll()
            nextScan = nil
            defer { isForced = false }
            return .scanDirectory(FileKey(root: id, path: .root), isForced: isForced)
        }
        guard let directory = directoryScans.first(where: { $0.value <= now })?.key else { return nil }
        directoryScans[directory] = nil
        return .scanDirectory(FileKey(root: id, path: directory), isForced: false)
    }

    /// Schedules a count of a directory's entries; too many of them become one scan of the whole root.
    mutating func scheduleCount(_ directory: RelativePath, at now: Instant, _ configuration: IngestionConfiguration) {
        guard state != .offline, counts[directory] == nil else { return }
        // A big directory in which files come and go all the time takes at most a twentieth of the scanner's time.
        let due = now + max(configuration.countDelay, 20 * slowestCount)
        if counts.count >= configuration.dirtyDirectoryCapacity {
            counts.removeAll()
            scheduleScan(.root, due: due, capacity: configuration.dirtyDirectoryCapacity)
        } else {
            counts[directory] = due
        }
    }

    /// Takes a directory to count whose time has come.
    mutating func takeCount(at now: Instant) -> ScanTask? {
        guard open != nil, let directory = counts.first(where: { $0.value <= now })?.key else { return nil }
        counts[directory] = nil
        return .countEntries(FileKey(root: record.id, path: directory))
    }

    /// The directory whose orphan scan has waited longest, if its time has come.
    ///
    /// - Parameters:
    ///   - now: the time.
    ///   - removalTimeout: after so many seconds, counted anew by each rename that was followed, the scan waits no longer
    ///     for files that may be new names.
    /// - Returns: the directory and whether it waits no longer; `orphanScanTaken` follows when it is scanned.
    func dueOrphanScan(at now: Instant, removalTimeout: Double) -> (directory: RelativePath, isOverdue: Bool)? {
        guard open != nil, let (directory, due) = orphanScans.min(by: { $0.value < $1.value }), due <= now else {
            return nil
        }
        let isOverdue = now - (lastMove.map { max($0, due) } ?? due) > removalTimeout
        return (directory, isOverdue && (isIdentified || directory != .root))
    }

    mutating func orphanScanTaken(_ directory: RelativePath) { orphanScans[directory] = nil }

    /// Whether files that an orphan scan missed are gone: very many are believed only when the pass before missed the same.
    mutating func believes(_ missing: Missing, of rowCount: Int, guardCount: Int) -> Bool {
        let knownCount = max(rowCount, rows.values.reduce(0, +))
        let isMany = missing.count > guardCount && missing.count > knownCount / 5
        let isBelieved = !isMany || self.missing == missing
        self.missing = isBelieved ? nil : missing
        return isBelieved
    }

    // MARK: Files to read

    /// Takes a file in, or counts it when the queue is full.
    mutating func enqueue(_ request: ReadRequest, _ priority: ReadPriority, capacity: Int) {
        if self[priority].count < capacity {
            self[priority].append(request)
        } else {
            uncountedCount += 1
        }
    }

    func hasRoom(_ priority: ReadPriority, capacity: Int) -> Bool { self[priority].count < capacity }

    mutating func takeRequest(_ priority: ReadPriority) -> ReadRequest? { self[priority].popFirst() }

    mutating func jobBegan() {
        inFlightCount += 1
        unidentifiedCount += 1
    }

    mutating func jobIdentified() { unidentifiedCount -= 1 }

    mutating func jobEnded() { inFlightCount -= 1 }

    // MARK: What happened to the root

    mutating func opened(_ root: OpenRoot) {
        open = root
        state = .scanning
        detail = ""
    }

    /// Forgets all plans; what is in flight goes on.
    mutating func wentOffline(detail: String, nextLook: Instant) {
        for priority in ReadPriority.allCases { self[priority].removeAll() }
        uncountedCount = 0
        directoryScans.removeAll()
        orphanScans.removeAll()
        counts.removeAll()
        census = Census()
        missing = nil
        open = nil
        state = .offline
        self.detail = detail
        nextScan = nextLook
    }

    /// A scan of the whole root ended.
    ///
    /// - Returns: whether `detail` is another than before.
    mutating func scanned(pollingBecause detail: String, nextScan: Instant) -> Bool {
        defer { self.detail = detail }
        state = detail.isEmpty ? .live : .polling
        self.nextScan = nextScan
        return self.detail != detail
    }

    // MARK: Counts

    mutating func censusBegan() { census.beginPass() }

    mutating func entriesCounted(_ counts: EntryCounts, in directory: RelativePath, seconds: Double) {
        census.count(directory, counts)
        slowestCount = max(slowestCount, seconds)
    }

    mutating func entriesGone(_ directory: RelativePath) { census.remove(directory) }

    mutating func censusFinished(below directory: RelativePath) { census.finishPass(below: directory) }

    mutating func rowsCounted(_ counts: [RowKind: Int]) { rows = counts }

    /// A commit changed a row from one kind to another.
    mutating func committed(before: RowKind, after: RowKind) {
        count(before, -1)
        count(after, 1)
    }

    /// A commit moved an image from this root to a new name.
    mutating func imageMoved(at now: Instant) {
        count(.indexed, -1)
        lastMove = now
    }

    private mutating func count(_ kind: RowKind, _ step: Int) {
        commitCount += 1
        guard kind != .none else { return }
        rows[kind] = max(0, rows[kind, default: 0] + step)
    }

    /// The root for status; `debouncedCount` files are not queued yet.
    ///
    /// Files on the disk come from the census, files that are decided from the rows. Either may be a moment ahead of the
    /// other: a file without a row waits, and a row whose file is gone counts until it is deleted. A file with a row that
    /// is looked at again waits too, and is not counted as indexed meanwhile. So the counts add up at every moment.
    func status(debouncedCount: Int) -> RootStatus {
        let failed = rows[.failed, default: 0]
        let (removed, tooSmall) = (rows[.excluded, default: 0], rows[.tooSmall, default: 0])
        let badDocuments = rows[.badDocument, default: 0]
        let found = census.total
        let undecided = max(0, found.imageCount - rows[.indexed, default: 0] - failed - removed - tooSmall)
        let waiting = max(undecided, queuedCount + inFlightCount + debouncedCount)
        let indexed = max(0, rows[.indexed, default: 0] - (waiting - undecided))
        var excluded: [ExclusionReason: Int] = [:]
        for reason in ExclusionReason.allCases { excluded[reason] = found[reason] }
        excluded[.removed, default: 0] += removed
        excluded[.tooSmall, default: 0] += tooSmall
        excluded[.document, default: 0] += max(0, found.documentCount - badDocuments)
        excluded = excluded.filter { $0.value > 0 }
        return RootStatus(
            root: record,
            state: state,
            detail: detail,
            entryCount: indexed + failed + badDocuments + waiting + excluded.values.reduce(0, +),
            excludedCounts: excluded,
            indexedCount: indexed,
            failedCount: failed + badDocuments,
            waitingCount: waiting
        )
    }
}
