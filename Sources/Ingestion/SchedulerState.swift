internal import Catalog
internal import Platform

/// Everything that is to do, is being done, and was done, in one value behind one lock (`WorkQueue`).
///
/// The watcher adds events, the scanner takes tasks, readers take files, the committer reports. No method does I/O or
/// takes long, so the watcher never waits. Every collection has a bound; beyond it one coarser entry takes the place of many.
struct SchedulerState: Sendable {
    /// A file on its way from reading to commit. One at a time for each path, so that an older state never overtakes a newer.
    struct InFlightJob: Sendable {
        /// Its bytes are known.
        var isDecided = false
        /// Something happened to the file meanwhile.
        var again = false
    }

    /// What became of a job.
    enum Outcome: Sendable {
        case committed(before: RowKind, after: RowKind)
        /// Nothing to do, or nothing that can be done.
        case unchanged
        /// Look again soon: it changed, or what it was compared with did.
        case again
        /// Not the file's fault: read it again.
        case requeued
    }

    private static let longestOrderedPath = 400

    let configuration: IngestionConfiguration
    var debouncer: Debouncer
    var roots: [RootID: RootWork] = [:]
    var inFlight: [FileKey: InFlightJob] = [:]
    /// Changes on their way to the committer that belong to no in-flight job.
    var sideTaskCount = 0
    /// The scanner is at a task.
    var isScannerBusy = false
    /// When the first failed file is due again.
    var nextRetry: Instant?
    var storagePause: IngestionPause?
    var devicePause: (pause: IngestionPause, until: Instant)?
    var isStopping = false
    var progress = Progress()
    /// Where the next search for a file to read begins, so that roots advance together.
    var turn = 0

    init(configuration: IngestionConfiguration) {
        self.configuration = configuration
        debouncer = Debouncer(configuration: configuration)
    }

    // MARK: Events

    /// Something happened to a file.
    mutating func fileChanged(_ key: FileKey, _ cause: Debouncer.Cause, at now: Instant) {
        guard let root = roots[key.root], root.state != .offline else { return }
        if !debouncer.record(key, cause, at: now) {
            scheduleScan(key.root, key.path.parent, due: now + configuration.probeInterval)
        }
    }

    /// A directory is to be scanned.
    mutating func scheduleScan(_ root: RootID, _ directory: RelativePath, due: Instant) {
        roots[root]?.scheduleScan(directory, due: due, capacity: configuration.dirtyDirectoryCapacity)
    }

    /// The rows below a directory are to be compared with the disk.
    mutating func scheduleOrphanScan(_ root: RootID, _ directory: RelativePath, due: Instant) {
        guard let work = roots[root], work.state != .offline else { return }
        // The ledger keeps very long paths by digest, not in order: only an orphan scan of everything finds those.
        let isLong = directory.bytes.count > Self.longestOrderedPath
        if isLong || work.orphanScans.count >= configuration.dirtyDirectoryCapacity {
            roots[root]?.orphanScans = [.root: due]
        } else {
            roots[root]?.orphanScans[directory] = due
        }
    }

    /// Every file of a root (nil: of all) is to be looked at.
    mutating func rescan(_ root: RootID?, isForced: Bool, at now: Instant) {
        for id in root.map({ [$0] }) ?? Array(roots.keys) {
            roots[id]?.dirty[.root] = now
            guard isForced else { continue }
            roots[id]?.isForced = true
        }
    }

    // MARK: Files to read

    /// A quiescent file needs reading.
    mutating func enqueueUrgent(_ key: FileKey, at now: Instant) {
        if inFlight[key] != nil {
            inFlight[key]?.again = true
        } else if let count = roots[key.root]?.urgent.count, count < configuration.backlogCapacity {
            roots[key.root]?.urgent.append(RootWork.Waiting(path: key.path, isForced: false))
            refreshProgress(at: now)
        } else {
            scheduleScan(key.root, key.path.parent, due: now + configuration.probeInterval)
        }
    }

    /// A scan found files that need reading: of the whole root, or of a directory that appeared.
    mutating func enqueue(
        _ files: [RootWork.Waiting],
        in root: RootID,
        isWholeRoot: Bool,
        at now: Instant
    ) {
        guard let count = isWholeRoot ? roots[root]?.backlog.count : roots[root]?.fresh.count else { return }
        var room = configuration.backlogCapacity - count
        for file in files {
            if room > 0 {
                room -= 1
                if isWholeRoot { roots[root]?.backlog.append(file) } else { roots[root]?.fresh.append(file) }
            } else {
                roots[root]?.uncountedCount += 1
            }
        }
        refreshProgress(at: now)
    }

    // MARK: Flights

    /// The job's bytes are known, and whether they are another file's.
    mutating func decide(_ key: FileKey) {
        guard inFlight[key]?.isDecided == false else { return }
        inFlight[key]?.isDecided = true
        roots[key.root]?.undecidedCount -= 1
    }

    /// The job ends.
    mutating func finish(_ key: FileKey, _ outcome: Outcome, at now: Instant) {
        guard let job = inFlight[key] else { return }
        decide(key)
        inFlight[key] = nil
        roots[key.root]?.inFlightCount -= 1
        switch outcome {
        case .committed(_, let after):
            progress.add(fileCount: 1, imageCount: after == .indexed ? 1 : 0, at: now)
        case .unchanged: progress.add(fileCount: 1, imageCount: 0, at: now)
        case .again: fileChanged(key, .touched, at: now)
        case .requeued: enqueueUrgent(key, at: now)
        }
        if job.again { fileChanged(key, .closed, at: now) }
        refreshProgress(at: now)
    }

    /// Whether a file that is missing may yet turn up under a new name: something is on its way to being known by content.
    var isExpectingNames: Bool {
        debouncer.arrivingCount > 0
            || roots.values.contains { work in
                work.undecidedCount > 0 || !work.urgent.isEmpty || !work.fresh.isEmpty
                    || work.dirty.keys.contains { $0 != .root }
            }
    }

    /// Whether the path is between reading and commit; if so, it is looked at again afterwards.
    mutating func defersToInFlightJob(_ key: FileKey) -> Bool {
        guard inFlight[key] != nil else { return false }
        inFlight[key]?.again = true
        return true
    }

    private mutating func refreshProgress(at now: Instant) {
        progress.setBusy(roots.values.contains { $0.hasWork }, at: now)
    }

    // MARK: Roots

    /// The root is away: nothing in it is touched until it is back.
    mutating func setOffline(_ root: RootID, detail: String, at now: Instant) {
        guard roots[root] != nil else { return }
        debouncer.removeAll(in: root)
        roots[root]?.clearPlans()
        roots[root]?.open = nil
        roots[root]?.state = .offline
        roots[root]?.detail = detail
        roots[root]?.nextVisit = now + configuration.offlineInterval
        refreshProgress(at: now)
    }

    mutating func removeRoot(_ root: RootID, at now: Instant) {
        roots[root] = nil
        debouncer.removeAll(in: root)
        refreshProgress(at: now)
    }

    // MARK: Status

    var isIdle: Bool {
        !isScannerBusy && sideTaskCount == 0
            && roots.allSatisfy { $0.value.isIdle && debouncer.waitingCount(in: $0.key) == 0 }
    }

    func status(at now: Instant) -> IngestionStatus {
        let list = roots.values.sorted { $0.record.id.rawValue < $1.record.id.rawValue }.map { work in
            RootStatus(
                root: work.record,
                state: work.state,
                detail: work.detail,
                seenCount: work.seenCount,
                indexedCount: work.indexedCount,
                failedCount: work.failedCount,
                waitingCount: work.queuedCount + work.inFlightCount + debouncer.waitingCount(in: work.record.id)
            )
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
