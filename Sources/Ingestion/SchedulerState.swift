internal import Catalog
internal import Platform

/// The scheduler state: everything that is to do, is being done, and was done, in one value behind one lock (`WorkQueue`).
///
/// All of it is private. Threads tell what happened, take what is next, and read values. No method does I/O or takes long,
/// so the watcher never waits. Every collection has a bound; beyond it one coarser entry takes the place of many.
struct SchedulerState: Sendable {
    /// A file between reading and commit. There is one at a time for each path, so that an older state never overtakes a newer.
    private struct InFlightJob {
        /// Its bytes are known.
        var isIdentified = false
        /// Something happened to the file meanwhile.
        var hasChanged = false
        /// An event had it read: its writer may go on without a further one.
        var isWatched = false
    }

    /// The outcome of an in-flight job.
    enum Outcome: Sendable {
        case committed
        /// Nothing to do, or nothing that can be done.
        case unchanged
        /// Look again soon: the file changed, or what it was compared with did.
        case again
        /// Not the file's fault: read it again.
        case requeued
        /// Its root is another directory by now, or away.
        case rootGone(OpenRoot)
        /// The file went away, or something that is no file took its name: a deletion, if the ledger has a row.
        case gone(hasRow: Bool)
    }

    private static let longestOrderedPath = 400
    private static let sideTaskCapacity = 1024

    let configuration: IngestionConfiguration
    private var debouncer: Debouncer
    private var roots: [RootID: RootWork] = [:]
    private var inFlight: [FileKey: InFlightJob] = [:]
    /// Changes on their way to the committer that belong to no in-flight job.
    private var sideTaskCount = 0
    /// The files that they are about.
    private var sideTasks: [FileKey: Int] = [:]
    /// The scanner is at a task.
    private(set) var isScannerBusy = false
    /// When to look next at what stands at the paths of the roots; nil before the first one is online.
    private var nextLook: Instant?
    /// When the first failed file is due again.
    private var nextRetry: Instant?
    private var storagePause: IngestionPause?
    private var devicePause: (pause: IngestionPause, until: Instant)?
    private(set) var isStopping = false
    private var progress = Progress()
    /// Where the next search for a file to read begins, so that roots advance together.
    private var turn = 0

    init(configuration: IngestionConfiguration) {
        self.configuration = configuration
        debouncer = Debouncer(configuration: configuration)
    }

    mutating func stop() { isStopping = true }

    // MARK: What happened to files

    /// Something happened to a file.
    mutating func fileChanged(_ key: FileKey, _ cause: Debouncer.Cause, at now: Instant) {
        guard let root = roots[key.root], root.state != .offline else { return }
        if !debouncer.record(key, cause, at: now) {
            directoryChanged(parent(of: key), due: now + configuration.probeInterval)
        }
    }

    /// A probe saw a file; nil: nothing is there.
    ///
    /// - Returns: true when the file is quiescent: the caller checks it.
    mutating func fileProbed(_ key: FileKey, _ status: FileStatus?, at now: Instant) -> Bool {
        debouncer.observe(key, status, at: now)
    }

    /// A quiescent file needs reading: an image by a reader, a sidecar by the scanner.
    ///
    /// - Parameters:
    ///   - key: the file.
    ///   - isForced: also where it failed and is not due.
    ///   - ignoresStamp: also where its stamp is the ledger's.
    ///   - now: the time.
    mutating func fileNeedsReading(
        _ key: FileKey,
        isForced: Bool = false,
        whateverItsStamp ignoresStamp: Bool = false,
        at now: Instant
    ) {
        if key.path.isSidecar { return fileChanged(key, .closed, at: now) }
        if defersToInFlightJob(key) { return }
        guard roots[key.root]?.hasRoom(.urgent, capacity: configuration.backlogCapacity) ?? false else {
            return directoryChanged(parent(of: key), due: now + configuration.probeInterval)
        }
        let request = ReadRequest(key: key, isForced: isForced, ignoresStamp: ignoresStamp)
        roots[key.root]?.enqueue(request, .urgent, capacity: configuration.backlogCapacity)
        refreshProgress(at: now)
    }

    /// A scan found files that need reading.
    mutating func filesFound(_ files: [ReadRequest], in root: RootID, _ priority: ReadPriority, at now: Instant) {
        for file in files { roots[root]?.enqueue(file, priority, capacity: configuration.backlogCapacity) }
        refreshProgress(at: now)
    }

    /// A document is about to be read whose image may be between reading and commit, read without it: the document is looked at
    /// again then.
    mutating func documentRead(_ sidecar: FileKey, at now: Instant) {
        let isInFlight = inFlight.keys.contains { key in
            key.root == sidecar.root && Sidecars.places(for: key.path).contains(sidecar.path)
        }
        if isInFlight { fileChanged(sidecar, .touched, at: now) }
    }

    /// A file is missing: keeps its deletion for another while if the file may yet turn up under a new name.
    ///
    /// - Parameters:
    ///   - key: the missing file.
    ///   - first: when it was found missing.
    ///   - now: the time.
    /// - Returns: false when the deletion's time has come.
    mutating func postponesRemoval(of key: FileKey, since first: Instant, at now: Instant) -> Bool {
        let last = roots[key.root]?.lastMove ?? first
        let isExpectingNames =
            debouncer.arrivingCount > 0 || roots.values.contains { $0.isExpectingNames }
        guard isExpectingNames, now - max(last, first) < configuration.removalTimeout else { return false }
        debouncer.postponeRemoval(key, since: first, at: now)
        return true
    }

    /// Whether the path is between reading and commit; if so, it is looked at again afterwards.
    mutating func defersToInFlightJob(_ key: FileKey) -> Bool {
        guard inFlight[key] != nil else { return false }
        inFlight[key]?.hasChanged = true
        return true
    }

    /// Whether a change about this file is on its way to the committer, so that the ledger does not know it yet; if so, the
    /// file is looked at again a little later.
    mutating func defersToSideTask(_ key: FileKey, at now: Instant) -> Bool {
        guard sideTasks[key] != nil else { return false }
        fileChanged(key, .closed, at: now)
        return true
    }

    /// Whether any change about this file is under way; if so, the file is looked at again afterwards.
    mutating func defersToChange(_ key: FileKey, at now: Instant) -> Bool {
        defersToInFlightJob(key) || defersToSideTask(key, at: now)
    }

    private func parent(of key: FileKey) -> FileKey { FileKey(root: key.root, path: key.path.parent) }

    // MARK: What happened to directories

    /// Something happened in a directory, or to it: it is scanned.
    mutating func directoryChanged(_ directory: FileKey, due: Instant) {
        roots[directory.root]?
            .scheduleScan(directory.path, due: due, capacity: configuration.dirtyDirectoryCapacity)
    }

    /// Other rules hold in a directory and below it: what they leave out goes, what they let in comes.
    ///
    /// What was found by the former rules and is not read yet is left to the scan that follows; what is being read is
    /// looked at again once it is stored, since that scan may be over by then.
    mutating func directoryRulesChanged(_ directory: FileKey, at now: Instant) {
        let special = roots[directory.root]?.takeRequests(below: directory.path) ?? []
        for request in special where request.ignoresStamp { fileChanged(request.key, .closed, at: now) }
        for key in inFlight.keys where key.root == directory.root && key.path.isWithin(directory.path) {
            inFlight[key]?.hasChanged = true
        }
        if special.contains(where: \.isForced) {
            rescanRequested(directory, at: now)
        } else if directory.path == .root {
            scheduleRescan(directory.root, isForced: false, at: now)
        } else {
            directoryChanged(directory, due: now)
        }
        refreshProgress(at: now)
    }

    /// An entry of a directory came or went: the directory is counted anew.
    mutating func entriesChanged(in directory: FileKey, at now: Instant) {
        roots[directory.root]?.scheduleCount(directory.path, at: now, configuration)
    }

    /// A directory went away: its rows are compared with the disk, after the time in which a deletion waits.
    mutating func directoryRemoved(_ directory: FileKey, at now: Instant) {
        roots[directory.root]?.entriesGone(directory.path)
        scheduleOrphanScan(directory, due: now + configuration.removalDelay)
    }

    /// A scan begins to count the entries of the directories that it lists.
    mutating func censusBegan(_ root: OpenRoot) { roots[root.record.id]?.censusBegan() }

    /// A directory holds these entries now, and `seconds` were needed to count them.
    mutating func entriesCounted(
        _ counts: EntryCounts,
        in directory: RelativePath,
        of root: OpenRoot,
        seconds: Double = 0
    ) {
        guard roots[root.record.id]?.open === root else { return }
        roots[root.record.id]?.entriesCounted(counts, in: directory, seconds: seconds)
    }

    /// A directory that was to be counted is gone.
    mutating func entriesGone(_ directory: FileKey) { roots[directory.root]?.entriesGone(directory.path) }

    /// A scan met every directory at and below `directory`.
    mutating func censusFinished(_ root: OpenRoot, below directory: RelativePath) {
        guard roots[root.record.id]?.open === root else { return }
        roots[root.record.id]?.censusFinished(below: directory)
    }

    /// A scan of a directory of `root` ended: its rows are compared with the disk.
    mutating func directoryScanned(_ directory: FileKey, of root: OpenRoot, at now: Instant) {
        guard roots[directory.root]?.open === root else { return }
        scheduleOrphanScan(directory, due: now)
    }

    /// An orphan scan had no room for all that it found.
    mutating func orphanScanIncomplete(_ directory: FileKey, at now: Instant) {
        scheduleOrphanScan(directory, due: now)
    }

    /// An orphan scan found these files missing.
    ///
    /// - Parameters:
    ///   - missing: of `rowCount` rows below the directory.
    ///   - rowCount: all rows below it.
    ///   - directory: where.
    ///   - now: the time.
    /// - Returns: what to do with them; a further orphan scan is scheduled where that is to decide.
    mutating func orphansFound(
        _ missing: RootWork.Missing,
        of rowCount: Int,
        below directory: FileKey,
        at now: Instant
    ) -> RootWork.Belief {
        guard var root = roots[directory.root] else { return .later }
        let belief = root.belief(in: missing, of: rowCount, below: directory.path, configuration, at: now)
        roots[directory.root] = root
        if belief == .later { scheduleOrphanScan(directory, due: now + configuration.guardDelay) }
        return belief
    }

    /// The rows of a root were compared with a directory that is another than when they were written.
    ///
    /// - Returns: whether the root is replaced and was not before.
    mutating func rowsCompared(_ missingCount: Int, of rowCount: Int, with root: OpenRoot) -> Bool {
        guard roots[root.record.id]?.open === root else { return false }
        let guardCount = configuration.guardCount
        return roots[root.record.id]?.compared(missingCount, of: rowCount, guardCount: guardCount) ?? false
    }

    /// The rows of a root agree with its directory, or a user said that they do.
    ///
    /// - Returns: whether that is to be stored.
    mutating func rootConfirmed(_ root: OpenRoot) -> Bool {
        guard roots[root.record.id]?.open === root else { return false }
        return roots[root.record.id]?.confirmed(root) ?? false
    }

    private mutating func scheduleOrphanScan(_ directory: FileKey, due: Instant) {
        // The ledger keeps very long paths by digest, not in order: only an orphan scan of everything finds those.
        let isLong = directory.path.bytes.count > Self.longestOrderedPath
        roots[directory.root]?
            .scheduleOrphanScan(
                directory.path,
                due: due,
                capacity: isLong ? 0 : configuration.dirtyDirectoryCapacity
            )
    }

    // MARK: What happened to roots

    /// A root is watched from now on, or by other rules: then every file of it is looked at again.
    mutating func rootAdded(_ record: RootRecord, _ rules: PathRules, at now: Instant) {
        guard let known = roots[record.id] else {
            roots[record.id] = RootWork(record: record, rules: rules, now: now)
            return
        }
        guard known.rules.settings != rules.settings else { return }
        roots[record.id]?.rules = rules
        directoryRulesChanged(FileKey(root: record.id, path: .root), at: now)
    }

    mutating func rootRemoved(_ root: RootID, at now: Instant) {
        roots[root] = nil
        debouncer.removeAll(in: root)
        refreshProgress(at: now)
    }

    mutating func rootOpened(_ root: OpenRoot, at now: Instant) {
        // What happened in a directory that stood there before says nothing of this one.
        debouncer.removeAll(in: root.record.id)
        roots[root.record.id]?.opened(root)
        if nextLook == nil { nextLook = now + configuration.lookInterval }
    }

    /// Something else seems to stand at the path of a root that was online: it is looked for and scanned at once.
    mutating func rootDoubted(_ root: OpenRoot, at now: Instant) {
        guard roots[root.record.id]?.open === root else { return }
        roots[root.record.id]?.doubted(at: now)
    }

    /// A long pass asks whether it may go on, and takes over a look that is due.
    ///
    /// - Returns: whether the pass is over, and whether the caller is to look at the roots.
    mutating func beginLookInPass(over root: OpenRoot, at now: Instant) -> (isOver: Bool, isLookDue: Bool) {
        if isStopping || !isTrusted(root) { return (true, false) }
        return (false, takeLook(at: now))
    }

    /// Takes a look at the roots over if one is due. No thread waits for it.
    mutating func takeLook(at now: Instant) -> Bool {
        guard let due = nextLook, due <= now, roots.values.contains(where: { $0.open != nil }) else { return false }
        nextLook = now + configuration.lookInterval
        return true
    }

    /// The root is away: nothing in it is touched until it is back.
    mutating func rootWentOffline(_ root: RootID, detail: String, at now: Instant) {
        guard roots[root] != nil else { return }
        debouncer.removeAll(in: root)
        roots[root]?.wentOffline(detail: detail, nextLook: now + configuration.offlineInterval)
        refreshProgress(at: now)
    }

    /// A scan of the whole root ended.
    ///
    /// - Parameters:
    ///   - root: what was scanned.
    ///   - detail: why it is polled, empty where events can be had.
    ///   - nextScan: when the next scan is due that no event asks for.
    /// - Returns: whether `detail` is news.
    mutating func rootScanned(
        _ root: OpenRoot,
        pollingBecause detail: String,
        nextScan: Instant?
    ) -> Bool {
        let id = root.record.id
        guard roots[id]?.open === root else { return false }
        return roots[id]?.scanned(pollingBecause: detail, nextScan: nextScan) ?? false
    }

    /// A file with several names could not be watched: the scan of its root finds out whether that root must be polled.
    mutating func linksUnwatched(in root: RootID, at now: Instant) {
        if roots[root]?.state == .live { directoryChanged(FileKey(root: root, path: .root), due: now) }
    }

    /// Events were lost, or the ledger could not be read: every root is scanned.
    mutating func eventsLost(at now: Instant) { scheduleRescan(nil, isForced: false, at: now) }

    /// Somebody wants every file of a root (nil: of all) looked at, failed ones too.
    mutating func rescanRequested(_ root: RootID?, at now: Instant) { scheduleRescan(root, isForced: true, at: now) }

    /// Somebody wants a directory below a root looked at, failed files too.
    mutating func rescanRequested(_ directory: FileKey, at now: Instant) {
        roots[directory.root]?
            .scheduleForcedScan(directory.path, at: now, capacity: configuration.dirtyDirectoryCapacity)
    }

    /// A user wants nothing of a root (nil: of any) read for now.
    mutating func rootPaused(_ root: RootID?, _ reason: String, drops: Bool, at now: Instant) {
        for id in root.map({ [$0] }) ?? Array(roots.keys) { roots[id]?.pause(reason, drops: drops) }
        refreshProgress(at: now)
    }

    mutating func rootResumed(_ root: RootID?, at now: Instant) {
        for id in root.map({ [$0] }) ?? Array(roots.keys) { roots[id]?.resume(at: now) }
    }

    /// Somebody says that whatever is missing in a root is gone for good.
    mutating func missingAccepted(in root: RootID, at now: Instant) {
        roots[root]?.acceptMissing()
        scheduleRescan(root, isForced: false, at: now)
    }

    private mutating func scheduleRescan(_ root: RootID?, isForced: Bool, at now: Instant) {
        for id in root.map({ [$0] }) ?? Array(roots.keys) { roots[id]?.scheduleRescan(isForced: isForced, at: now) }
    }

    /// The rows of a root were counted while no commit could come between.
    mutating func rowsCounted(_ counts: [RowKind: Int], in root: RootID) { roots[root]?.rowsCounted(counts) }

    /// The rows of a root were counted while commits went on.
    ///
    /// - Parameters:
    ///   - counts: rows by kind.
    ///   - root: the root.
    ///   - commitCount: of the root, before the counting began.
    mutating func rowsCounted(_ counts: [RowKind: Int], in root: RootID, sinceCommit commitCount: Int?) {
        // A commit meanwhile changed rows that were counted before or after; one that is not told yet would be counted
        // twice. A file that moves away is in flight in the root that it moves to.
        guard roots[root]?.commitCount == commitCount, sideTaskCount == 0,
            roots.values.allSatisfy({ $0.inFlightCount == 0 })
        else { return }
        rowsCounted(counts, in: root)
    }

    // MARK: What happened to jobs and side tasks

    /// The job's bytes are known, and whether they are another file's.
    mutating func jobIdentified(_ key: FileKey) {
        guard inFlight[key]?.isIdentified == false else { return }
        inFlight[key]?.isIdentified = true
        roots[key.root]?.jobIdentified()
    }

    /// The job ends, with one outcome.
    mutating func jobEnded(_ key: FileKey, _ outcome: Outcome, at now: Instant) {
        endJob(key, outcome, imageCount: 0, at: now)
    }

    private mutating func endJob(_ key: FileKey, _ outcome: Outcome, imageCount: Int, at now: Instant) {
        if case .committed = outcome, inFlight[key]?.isWatched == true { fileChanged(key, .later, at: now) }
        jobIdentified(key)
        guard let job = inFlight.removeValue(forKey: key) else {
            preconditionFailure("\(key.path) has a second outcome: \(outcome)")
        }
        roots[key.root]?.jobEnded()
        switch outcome {
        case .committed: progress.add(fileCount: 1, imageCount: imageCount, at: now)
        case .unchanged, .gone: progress.add(fileCount: 1, imageCount: 0, at: now)
        case .again: fileChanged(key, .touched, at: now)
        case .requeued: fileNeedsReading(key, at: now)
        case .rootGone(let root):
            progress.add(fileCount: 1, imageCount: 0, at: now)
            rootDoubted(root, at: now)
        }
        if job.hasChanged { fileChanged(key, .closed, at: now) }
        if case .gone(hasRow: true) = outcome { fileChanged(key, .removed, at: now) }
        refreshProgress(at: now)
    }

    /// Begins a side task about a file if there is room for another.
    mutating func beginSideTask(_ key: FileKey) -> Bool {
        guard sideTaskCount < Self.sideTaskCapacity else { return false }
        sideTaskCount += 1
        sideTasks[key, default: 0] += 1
        return true
    }

    private mutating func endSideTask(_ key: FileKey) {
        sideTaskCount -= 1
        guard let count = sideTasks[key] else { return }
        sideTasks[key] = count > 1 ? count - 1 : nil
    }

    /// The committer is done with an entry.
    mutating func entryEnded(_ entry: CommitEntry, _ outcome: Outcome, at now: Instant) {
        if entry.isSideTask {
            endSideTask(entry.key)
        } else {
            endJob(entry.key, outcome, imageCount: entry.after == .indexed ? 1 : 0, at: now)
        }
        guard case .committed = outcome else { return }
        roots[entry.key.root]?.committed(before: entry.before, after: entry.after)
        if let old = entry.movedFrom { roots[old]?.imageMoved(at: now) }
        if entry.isRacy { fileChanged(entry.key, .recheck, at: now) }
        for sidecar in entry.sidecars { fileChanged(sidecar, .closed, at: now) }
        if let next = entry.nextAttempt { retryScheduled(Instant(wallClock: next)) }
    }

    /// A failed file is due again at a time.
    mutating func retryScheduled(_ due: Instant) { nextRetry = nextRetry.map { min($0, due) } ?? due }

    private mutating func refreshProgress(at now: Instant) {
        progress.setBusy(roots.values.contains { $0.hasWork }, at: now)
    }

    // MARK: Pauses

    /// Nothing can be stored.
    ///
    /// - Returns: whether that is news.
    mutating func storagePaused(_ pause: IngestionPause) -> Bool {
        defer { storagePause = pause }
        return storagePause == nil
    }

    mutating func storageResumed() { storagePause = nil }

    mutating func devicePaused(_ pause: IngestionPause, until end: Instant) { devicePause = (pause, end) }

    mutating func deviceResumed() { devicePause = nil }

    /// When reading may go on, if it pauses for the device at `now`.
    func pauseEnd(after now: Instant) -> Instant? {
        devicePause.flatMap { $0.until > now ? $0.until : nil }
    }

    // MARK: What is next

    mutating func scannerTaskEnded() { isScannerBusy = false }

    /// Takes the most urgent task that can be done now: quiescent files first, directory scans next, orphan scans last.
    mutating func takeTask(at now: Instant) -> ScanTask? {
        let task = nextTask(at: now)
        isScannerBusy = task != nil
        return task
    }

    private mutating func nextTask(at now: Instant) -> ScanTask? {
        while let task = debouncer.takeDue(at: now) {
            switch task {
            case .probe(let key) where roots[key.root]?.open == nil: _ = debouncer.observe(key, nil, at: now)
            case .check(let key, _, _) where roots[key.root]?.open == nil: break
            default: return task
            }
        }
        if let nextRetry, nextRetry <= now {
            self.nextRetry = nil
            return .retryFailures
        }
        for id in roots.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            if let task = roots[id]?.takeDirectoryScan(at: now) ?? roots[id]?.takeCount(at: now)
                ?? takeOrphanScan(in: id, at: now)
            {
                return task
            }
        }
        return nil
    }

    /// Deletes come after adds: a file that is being read may be the new name of one that is gone, in any root.
    private mutating func takeOrphanScan(in id: RootID, at now: Instant) -> ScanTask? {
        roots[id]?.promoteComparison(at: now)
        guard let scan = roots[id]?.dueOrphanScan(at: now, removalTimeout: configuration.removalTimeout) else {
            return nil
        }
        let isQuiet =
            debouncer.waitingCount(in: id) == 0 && debouncer.arrivingCount == 0
            && roots.values.allSatisfy { $0.expectsNoNames }
        guard isQuiet || scan.isOverdue else { return nil }
        roots[id]?.orphanScanTaken(scan.directory)
        return .removeOrphans(FileKey(root: id, path: scan.directory))
    }

    /// When `takeTask` may have something that it has not at `now`, unless somebody changes the state before.
    func nextDue(after now: Instant) -> Instant? {
        var earliest: Instant?
        func consider(_ time: Instant) {
            if time > now, earliest.map({ time < $0 }) ?? true { earliest = time }
        }
        if let due = debouncer.nextDue { consider(due) }
        if let nextRetry { consider(nextRetry) }
        if let nextLook, roots.values.contains(where: { $0.open != nil }) { consider(nextLook) }
        for root in roots.values { root.forEachDue(removalTimeout: configuration.removalTimeout, consider) }
        return earliest
    }

    /// Takes a file to read, by priority, and of each priority from each root in turn.
    mutating func takeVisit(at now: Instant) -> FileVisit? {
        guard pauseEnd(after: now) == nil, inFlight.count < configuration.inFlightCapacity else { return nil }
        let ids = roots.keys.sorted { $0.rawValue < $1.rawValue }
        turn &+= 1
        for priority in ReadPriority.allCases {
            for index in ids.indices {
                if let visit = takeVisit(in: ids[(index + turn & 0xFFFF) % ids.count], priority) { return visit }
            }
        }
        return nil
    }

    private mutating func takeVisit(in id: RootID, _ priority: ReadPriority) -> FileVisit? {
        while let request = roots[id]?.takeRequest(priority) {
            guard let open = roots[id]?.open, let rules = roots[id]?.rules, !defersToInFlightJob(request.key) else {
                continue
            }
            inFlight[request.key] = InFlightJob(isWatched: priority == .urgent)
            roots[id]?.jobBegan(request.key.path)
            return FileVisit(request, in: open, rules)
        }
        return nil
    }

    // MARK: Values

    /// The directory of a root that is online.
    func openRoot(_ root: RootID) -> OpenRoot? { roots[root]?.open }

    /// The directories of all roots that are online.
    var openRoots: [RootID: OpenRoot] { roots.compactMapValues(\.open) }

    func hasRoot(_ root: RootID) -> Bool { roots[root] != nil }

    /// What must be known to open a root.
    func root(_ root: RootID) -> (record: RootRecord, open: OpenRoot?, isOffline: Bool)? {
        roots[root].map { ($0.record, $0.open, $0.state == .offline) }
    }

    /// What is looked at below a root.
    func rules(of root: RootID) -> PathRules? { roots[root]?.rules }

    /// What is looked at below each root.
    var rules: [RootID: PathRules] { roots.mapValues(\.rules) }

    /// Whether nothing speaks against the directory that was opened for a root.
    func isTrusted(_ root: OpenRoot) -> Bool {
        guard let work = roots[root.record.id] else { return false }
        return work.open === root && !work.isDoubted
    }

    /// Whether the rows of a root are known to agree with its directory.
    func isConfirmed(_ root: OpenRoot) -> Bool { roots[root.record.id]?.isConfirmed ?? false }

    func acceptsMissing(_ root: RootID) -> Bool { roots[root]?.acceptsMissing ?? false }

    func commitCount(of root: RootID) -> Int? { roots[root]?.commitCount }

    var isDevicePaused: Bool { devicePause != nil }

    var isIdle: Bool {
        !isScannerBusy && sideTaskCount == 0
            && roots.allSatisfy { $0.value.isIdle && debouncer.waitingCount(in: $0.key) == 0 }
    }

    func status(at now: Instant) -> IngestionStatus {
        let list = roots.values.sorted { $0.record.id.rawValue < $1.record.id.rawValue }.map { root in
            root.status(debouncedCount: debouncer.waitingCount(in: root.record.id))
        }
        let waitingCount = list.reduce(0) { $0 + $1.waitingCount }
        return IngestionStatus(
            roots: list,
            waitingCount: waitingCount,
            doneCount: progress.doneCount,
            imagesPerSecond: progress.imagesPerSecond(at: now),
            remainingSeconds: progress.remainingSeconds(waitingCount: waitingCount, at: now),
            pause: storagePause ?? devicePause?.pause
        )
    }
}

extension Instant {
    /// The moment at which the system clock shows `wallClock`, nanoseconds since 1970, unless it is set.
    init(wallClock: Int64) { self = .now + Double(wallClock - wallClockNanoseconds()) / 1e9 }
}
