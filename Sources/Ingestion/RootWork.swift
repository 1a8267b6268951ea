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

    /// What to do with the files that an orphan scan missed.
    enum Belief: Equatable, Sendable {
        /// They are gone.
        case gone
        /// They are very many: a second scan must miss the same.
        case later
        /// Another directory stands there than when they were found: they may come back with the former one.
        case kept(isNews: Bool)
    }

    let record: RootRecord
    /// Nil while offline.
    private(set) var open: OpenRoot?
    /// Something else seems to stand there by now; a scan finds out.
    private(set) var isDoubted = false
    /// The directory that the rows agree with: as stored, and as it was seen since the start.
    private var storedIdentity: RootIdentity?
    private var seenIdentity: DirectoryIdentity?
    /// Whether `open` is that directory.
    private(set) var isConfirmed = false
    /// A user said that what is missing is gone for good.
    private(set) var acceptsMissing = false
    /// What the replacing directory lacks, in words; empty unless the state is `replaced`.
    private var replacement = ""
    /// When the rows are compared next with a directory that replaced another, and how long after that again.
    private var nextComparison: Instant?
    private var comparisonPause = 0.0
    private var comparedCommitCount = -1
    private(set) var state = RootState.scanning
    private var detail = ""

    /// The root's settings, compiled.
    var rules: PathRules

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
    /// Directories whose next scan takes failed files too.
    private var forcedScans: Set<RelativePath> = []
    /// Why nothing is read, because a user wants it so; files are watched and queued all the same.
    private(set) var pauseReason: String?
    /// The file that was begun last.
    private var currentPath: RelativePath?
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

    init(record: RootRecord, rules: PathRules, now: Instant) {
        self.record = record
        self.rules = rules
        storedIdentity = record.identity
        directoryScans[.root] = now
    }

    // MARK: What is to do

    private var queuedCount: Int { requests.reduce(uncountedCount) { $0 + $1.count } }

    var hasWork: Bool { queuedCount + inFlightCount > 0 }

    /// Whether everything that was asked for is done, or waits for a user.
    var isIdle: Bool {
        state == .offline || pauseReason != nil && inFlightCount == 0
            || (!hasWork && directoryScans.isEmpty && orphanScans.isEmpty && counts.isEmpty)
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
        if let nextComparison { consider(nextComparison) }
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

    /// Schedules a scan of a directory that takes failed files too.
    mutating func scheduleForcedScan(_ directory: RelativePath, at now: Instant, capacity: Int) {
        if directory == .root { return scheduleRescan(isForced: true, at: now) }
        scheduleScan(directory, due: now, capacity: capacity)
        if directoryScans[directory] != nil { forcedScans.insert(directory) } else { isForced = true }
    }

    /// Schedules an orphan scan; too many of them become one of the whole root.
    mutating func scheduleOrphanScan(_ directory: RelativePath, due: Instant, capacity: Int) {
        guard state != .offline else { return }
        // What the rows of one folder say is not enough while another directory stands there.
        if !isConfirmed, directory != .root {
            if replacement.isEmpty { orphanScans[.root] = due } else { scheduleComparison(due + comparisonPause) }
        } else if orphanScans.count >= capacity {
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
            isForced = isForced || !forcedScans.isEmpty
            forcedScans.removeAll()
            nextScan = nil
            isDoubted = false
            defer { isForced = false }
            return .scanDirectory(FileKey(root: id, path: .root), isForced: isForced)
        }
        guard let directory = directoryScans.first(where: { $0.value <= now })?.key else { return nil }
        directoryScans[directory] = nil
        let isForced = forcedScans.remove(directory) != nil
        return .scanDirectory(FileKey(root: id, path: directory), isForced: isForced)
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

    // MARK: Missing files

    private func isMany(_ missingCount: Int, of rowCount: Int, guardCount: Int) -> Bool {
        missingCount > guardCount && missingCount > max(rowCount, rows.values.reduce(0, +)) / 5
    }

    /// Whether files that an orphan scan missed are gone. Very many are believed only when the pass before missed the same, in the
    /// directory that they were found in; or when a user said so.
    mutating func belief(
        in missing: Missing,
        of rowCount: Int,
        below directory: RelativePath,
        _ configuration: IngestionConfiguration,
        at now: Instant
    ) -> Belief {
        let isMany = isMany(missing.count, of: rowCount, guardCount: configuration.guardCount)
        guard isMany, !acceptsMissing else {
            self.missing = nil
            if directory == .root { replacement = "" }
            settle()
            return .gone
        }
        guard isConfirmed else {
            let isNews = compared(missing.count, of: rowCount, guardCount: configuration.guardCount)
            let isStill = comparedCommitCount == commitCount
            comparisonPause = isStill ? min(2 * comparisonPause, configuration.longestComparisonPause) : 0
            comparisonPause = max(comparisonPause, configuration.guardDelay)
            comparedCommitCount = commitCount
            scheduleComparison(now + comparisonPause)
            return .kept(isNews: isNews)
        }
        let isBelieved = self.missing == missing
        self.missing = isBelieved ? nil : missing
        return isBelieved ? .gone : .later
    }

    /// Rows were compared with a directory that is another than when they were written.
    ///
    /// - Returns: whether the root is replaced and was not before.
    @discardableResult
    mutating func compared(_ missingCount: Int, of rowCount: Int, guardCount: Int) -> Bool {
        let wasReplaced = !replacement.isEmpty
        replacement =
            isMany(missingCount, of: rowCount, guardCount: guardCount) && !acceptsMissing
            ? Scanner.replacement(of: record.path, missing: missingCount, of: rowCount) : ""
        settle()
        return !wasReplaced && !replacement.isEmpty
    }

    private mutating func scheduleComparison(_ due: Instant) {
        nextComparison = nextComparison.map { min($0, due) } ?? due
    }

    /// Schedules the orphan scan that compares a replacing directory anew, if its time has come.
    mutating func promoteComparison(at now: Instant) {
        guard let due = nextComparison, due <= now else { return }
        nextComparison = nil
        if open != nil, !isConfirmed { orphanScans[.root] = now }
    }

    mutating func acceptMissing() { acceptsMissing = true }

    /// The rows agree with this directory.
    ///
    /// - Returns: whether the identity is to be stored.
    mutating func confirmed(_ root: OpenRoot) -> Bool {
        (isConfirmed, acceptsMissing) = (true, false)
        (nextComparison, comparisonPause, comparedCommitCount) = (nil, 0, -1)
        seenIdentity = root.identity
        defer { storedIdentity = root.storedIdentity }
        return storedIdentity != root.storedIdentity
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

    /// Takes out what waits below a directory; a scan of it follows.
    ///
    /// - Returns: what a scan that is not forced would not find again.
    /// - Complexity: O(requests).
    mutating func takeRequests(below directory: RelativePath) -> [ReadRequest] {
        var special: [ReadRequest] = []
        for priority in ReadPriority.allCases {
            self[priority].removeAll { request in
                guard request.key.path.isWithin(directory) else { return false }
                if request.isForced || request.ignoresStamp { special.append(request) }
                return true
            }
        }
        return special
    }

    func hasRoom(_ priority: ReadPriority, capacity: Int) -> Bool { self[priority].count < capacity }

    mutating func takeRequest(_ priority: ReadPriority) -> ReadRequest? {
        pauseReason == nil ? self[priority].popFirst() : nil
    }

    /// Reads nothing until `resume`. `drops` forgets what waits; a scan finds it again then.
    mutating func pause(_ reason: String, drops: Bool) {
        pauseReason = reason
        guard drops else { return }
        for priority in ReadPriority.allCases { self[priority].removeAll() }
        uncountedCount = 0
    }

    /// Reads again, what was dropped too.
    mutating func resume(at now: Instant) {
        guard pauseReason != nil else { return }
        pauseReason = nil
        scheduleRescan(isForced: false, at: now)
    }

    mutating func jobBegan(_ path: RelativePath) {
        currentPath = path
        inFlightCount += 1
        unidentifiedCount += 1
    }

    mutating func jobIdentified() { unidentifiedCount -= 1 }

    mutating func jobEnded() { inFlightCount -= 1 }

    // MARK: What happened to the root

    mutating func opened(_ root: OpenRoot) {
        open = root
        isConfirmed = seenIdentity == root.identity || root.isKnown(as: storedIdentity)
        if isConfirmed { seenIdentity = root.identity }
        (missing, nextComparison, comparisonPause, comparedCommitCount) = (nil, nil, 0, -1)
        replacement = ""
        state = .scanning
        detail = ""
    }

    /// Something else seems to stand at the path.
    mutating func doubted(at now: Instant) {
        isDoubted = true
        directoryScans[.root] = now
    }

    /// Forgets all plans; what is in flight goes on.
    mutating func wentOffline(detail: String, nextLook: Instant) {
        for priority in ReadPriority.allCases { self[priority].removeAll() }
        uncountedCount = 0
        directoryScans.removeAll()
        forcedScans.removeAll()
        orphanScans.removeAll()
        counts.removeAll()
        census = Census()
        (missing, nextComparison, acceptsMissing, isDoubted) = (nil, nil, false, false)
        replacement = ""
        open = nil
        state = .offline
        self.detail = detail
        nextScan = nextLook
    }

    /// A scan of the whole root ended.
    ///
    /// - Returns: whether `detail` is another than before.
    mutating func scanned(pollingBecause detail: String, nextScan: Instant?) -> Bool {
        let isNews = self.detail != detail
        self.detail = detail
        self.nextScan = nextScan
        state = .live
        settle()
        return isNews
    }

    /// The state of a root that was scanned, by what is known of it.
    private mutating func settle() {
        guard state != .offline, state != .scanning else { return }
        state = !replacement.isEmpty ? .replaced : detail.isEmpty ? .live : .polling
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
    /// is looked at again waits too, as if it were another one. So the counts add up at every moment, and are those of the
    /// disk once nothing waits.
    func status(debouncedCount: Int) -> RootStatus {
        let (indexed, failed) = (rows[.indexed, default: 0], rows[.failed, default: 0])
        let (removed, tooSmall) = (rows[.excluded, default: 0], rows[.tooSmall, default: 0])
        let badDocuments = rows[.badDocument, default: 0]
        let found = census.total
        let undecided = max(0, found.imageCount - indexed - failed - removed - tooSmall)
        let waiting = max(undecided, queuedCount + inFlightCount + debouncedCount)
        var excluded: [ExclusionReason: Int] = [:]
        for reason in ExclusionReason.allCases { excluded[reason] = found[reason] }
        excluded[.removed, default: 0] += removed
        excluded[.tooSmall, default: 0] += tooSmall
        excluded[.document, default: 0] += max(0, found.documentCount - badDocuments)
        excluded = excluded.filter { $0.value > 0 }
        var status = RootStatus(
            root: record,
            state: pauseReason != nil && state != .offline ? .paused : state,
            detail: pauseReason ?? (replacement.isEmpty ? detail : replacement),
            currentPath: inFlightCount > 0 ? currentPath : nil,
            entryCount: indexed + failed + badDocuments + waiting + excluded.values.reduce(0, +),
            excludedCounts: excluded,
            indexedCount: indexed,
            failedCount: failed + badDocuments,
            waitingCount: waiting,
            settings: rules.settings
        )
        status.tooSmallCount = tooSmall
        return status
    }
}
