internal import Catalog
internal import Platform

/// The reconciliation of disk and ledger, one task at a time: single quiescent files, whole directories, and rows whose
/// files may be gone. It finds work and leaves the reading to other threads, so a scan ends soon however much there is to embed.
final class Scanner: Sendable {
    let workQueue: WorkQueue
    let ledger: any FileLedger
    let committer: Committer
    let sidecars: Sidecars
    /// Nil where the system has no inotify instance left: then every root is polled.
    let watcher: Watcher?
    /// Why `watcher` is nil.
    let watcherFailure: String
    /// Nil where the system does not show it.
    let mounts: MountTable?
    let log = Log("scan")

    init(
        workQueue: WorkQueue,
        ledger: any FileLedger,
        committer: Committer,
        sidecars: Sidecars,
        watcher: Watcher?,
        watcherFailure: String
    ) {
        self.workQueue = workQueue
        self.ledger = ledger
        self.committer = committer
        self.sidecars = sidecars
        self.watcher = watcher
        self.watcherFailure = watcherFailure
        var mounts: MountTable?
        do throws(SystemError) { mounts = try MountTable() } catch {
            log.warning("mounts below watched folders are found by scans only: \(error)")
        }
        self.mounts = mounts
    }

    /// The thread's body; returns when the work queue stops.
    func run() {
        while let task = workQueue.nextTask() {
            do throws(CatalogError) {
                switch task {
                case .probe(let key): try probe(key)
                case .check(let key, let cause, let since): try check(key, cause, since: since)
                case .scanDirectory(let directory, let isForced): try scanDirectory(directory, isForced: isForced)
                case .countEntries(let directory): countEntries(of: directory)
                case .removeOrphans(let directory): try removeOrphans(below: directory)
                case .lookAtRoots: lookAtRoots()
                case .retryFailures: try retryFailures()
                }
            } catch {
                log.error("the ledger cannot be read: \(error); looking at every file again later")
                workQueue.pause(seconds: workQueue.configuration.pauseInterval)
                workQueue.update { $0.eventsLost(at: .now) }
            }
        }
    }

    // MARK: One file

    /// Whether a file that sends no close is quiescent.
    private func probe(_ key: FileKey) throws(CatalogError) {
        guard let root = workQueue.read({ $0.openRoot(key.root) }) else { return }
        let status: FileStatus?
        do throws(SystemError) {
            status = try root.status(beneath: key.path)
        } catch {
            // The reader will meet the same error and write it down.
            status = nil
        }
        let now = Instant.now
        if workQueue.update({ $0.fileProbed(key, status, at: now) }) {
            try check(key, .touched, since: now)
        }
    }

    private func check(_ key: FileKey, _ cause: Debouncer.Cause, since: Instant) throws(CatalogError) {
        guard let root = workQueue.read({ $0.openRoot(key.root) }) else { return }
        let status: FileStatus?
        do throws(SystemError) {
            status = try root.status(beneath: key.path)
        } catch {
            log.debug("\(error)")
            guard root.stands else { return workQueue.update { $0.rootDoubted(root, at: .now) } }
            return workQueue.update { $0.fileNeedsReading(key, at: .now) }
        }
        guard let rules = workQueue.read({ $0.rules(of: key.root) }) else { return }
        var classifier = EntryClassifier(root, rules)
        let entry = classifier.stack(of: key.path.parent).map { stack in
            // What is gone is judged by what its name says that it was.
            classifier.classify(status?.kind ?? .regular, key.path, stack)
        }
        watchNames(of: key, status, in: root)
        switch (status?.kind, entry) {
        case (_, .document):
            try examineSidecar(key, in: root)
        case (.directory, _):
            workQueue.update { $0.directoryChanged(key, due: .now) }
            // The folder may have taken the name of a file that has a row.
            try leave(key, root, isRemoval: cause == .removed, since: since)
        case (.regular, .image) where status.map(classifier.isTooSmall) == false:
            let row = try ledger.file(key)
            let stamp = status.map { FileStamp($0) }
            let now = wallClockNanoseconds()
            guard let stamp else { return }
            if FileRow.needsWork(row, stamp: stamp, rules.settings, isForced: false, now: now) {
                workQueue.update { $0.fileNeedsReading(key, at: .now) }
            } else if let row, try obeys(row, rules, in: root) {
                // Its bytes are known, and other settings than when it was read hold now.
            } else if cause == .closed, stamp.isRacy(at: now, within: workQueue.configuration.mappedWindow) {
                workQueue.update { $0.fileNeedsReading(key, whateverItsStamp: true, at: .now) }
            }
        default: try leave(key, root, isRemoval: cause == .removed, since: since)
        }
    }

    /// What lies at a path is no file to be looked at, or nothing does: a row that it has goes.
    private func leave(_ key: FileKey, _ root: OpenRoot, isRemoval: Bool, since: Instant) throws(CatalogError) {
        if key.path.isSidecar { return try examineSidecar(key, isLeftOut: true, in: root) }
        guard let row = try ledger.file(key) else { return }
        if !isRemoval { return workQueue.update { $0.fileChanged(key, .removed, at: .now) } }
        if !workQueue.update({ $0.postponesRemoval(of: key, since: since, at: .now) }) { try forget(row) }
    }

    /// Takes a row and its image out, unless another change of it is under way: then it is looked at again afterwards.
    ///
    /// - Parameter known: the row, perhaps from before the last change of it was stored.
    /// - Throws: what reading the ledger throws.
    func forget(_ known: FileRow) throws(CatalogError) {
        if workQueue.update({ $0.defersToChange(known.key, at: .now) }) { return }
        guard let row = try ledger.file(known.key) else { return }
        var entry = CommitEntry(key: row.key, changes: [.delete(key: row.key)], before: RowKind(row), after: .none)
        entry.vacated = row.key
        submit(entry)
    }

    /// Hands over a change that belongs to no in-flight job, waiting while too many are under way.
    func submit(_ entry: CommitEntry) {
        guard workQueue.beginSideTask(entry.key) else { return }
        var sideTask = entry
        sideTask.isSideTask = true
        committer.submit(sideTask)
    }

    // MARK: Failed files

    /// Queues the failed files that are due and finds out when the next one is.
    private func retryFailures() throws(CatalogError) {
        let now = wallClockNanoseconds()
        var next: Int64?
        var last: FileKey?
        while !workQueue.isStopping {
            let page = try ledger.failures(after: last, limit: 1024)
            for row in page {
                guard case .failed(let failure) = row.state, let due = failure.nextAttempt else { continue }
                if due <= now {
                    workQueue.update { $0.fileNeedsReading(row.key, at: .now) }
                } else {
                    next = min(next ?? due, due)
                }
            }
            guard let end = page.last, page.count == 1024 else { break }
            last = end.key
        }
        guard let next else { return }
        workQueue.update { $0.retryScheduled(Instant(wallClock: next)) }
    }
}
