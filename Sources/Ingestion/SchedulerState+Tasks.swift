internal import Catalog
internal import Platform

/// What the scanner does next.
enum ScannerTask: Sendable {
    /// Look at a file that may still be changing.
    case probe(FileKey, OpenRoot)
    /// Compare a quiescent file with the ledger.
    case check(FileKey, OpenRoot, isRemoval: Bool, since: Instant)
    /// A directory scan: list a directory and everything below it, and compare each file with its row.
    case scanDirectory(RootID, RelativePath, isForced: Bool)
    /// An orphan scan: compare the ledger's rows below a directory with the disk.
    case removeOrphans(OpenRoot, RelativePath)
    /// Find the failed files that are due.
    case retryFailures
}

/// A file to read.
struct ReadJob: Sendable {
    var key: FileKey
    var root: OpenRoot
    var isForced: Bool
}

extension SchedulerState {
    /// Takes the most urgent task that can be done now: quiescent files first, directory scans next, orphan scans last.
    mutating func takeTask(at now: Instant) -> ScannerTask? {
        isScannerBusy = false
        let task = nextTask(at: now)
        isScannerBusy = task != nil
        return task
    }

    private mutating func nextTask(at now: Instant) -> ScannerTask? {
        while let due = debouncer.takeDue(at: now) {
            switch due {
            case .probe(let key):
                if let open = roots[key.root]?.open { return .probe(key, open) }
                _ = debouncer.observe(key, nil, at: now)
            case .check(let key, let isRemoval, let since):
                if let open = roots[key.root]?.open {
                    return .check(key, open, isRemoval: isRemoval, since: since)
                }
            }
        }
        if let nextRetry, nextRetry <= now {
            self.nextRetry = nil
            return .retryFailures
        }
        for id in roots.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            if let task = takeDirectoryScan(in: id, at: now) ?? takeOrphanScan(in: id, at: now) { return task }
        }
        return nil
    }

    private mutating func takeDirectoryScan(in id: RootID, at now: Instant) -> ScannerTask? {
        guard let root = roots[id] else { return nil }
        let isDue = root.nextVisit.map { $0 <= now } ?? false
        // The files that the backlog had no room for.
        let isIncomplete = root.uncountedCount > 0 && root.backlog.isEmpty && root.fresh.isEmpty
        if isDue || isIncomplete || root.dirty[.root].map({ $0 <= now }) ?? false {
            let isForced = root.isForced
            // A scan of everything finds again what waits.
            roots[id]?.backlog.removeAll()
            roots[id]?.uncountedCount = 0
            roots[id]?.dirty.removeAll()
            roots[id]?.nextVisit = nil
            roots[id]?.isForced = false
            return .scanDirectory(id, .root, isForced: isForced)
        }
        guard let directory = root.dirty.first(where: { $0.value <= now })?.key else { return nil }
        roots[id]?.dirty[directory] = nil
        return .scanDirectory(id, directory, isForced: false)
    }

    /// Deletes come after adds: a file that is being read may be the new name of one that is gone.
    private mutating func takeOrphanScan(in id: RootID, at now: Instant) -> ScannerTask? {
        guard let root = roots[id], let open = root.open,
            let (directory, due) = root.orphanScans.min(by: { $0.value < $1.value }), due <= now
        else { return nil }
        let isOverdue = now - (root.lastMove.map { max($0, due) } ?? due) > configuration.removalTimeout
        let isRead = root.queuedCount == 0 && root.undecidedCount == 0
        // The new name may be in another root.
        let isQuiet =
            debouncer.waitingCount(in: id) == 0 && debouncer.arrivingCount == 0
            && roots.values.allSatisfy { $0.dirty.isEmpty && $0.queuedCount == 0 && $0.undecidedCount == 0 }
        guard isQuiet || (isOverdue && (isRead || directory != .root)) else { return nil }
        roots[id]?.orphanScans[directory] = nil
        return .removeOrphans(open, directory)
    }

    /// When `takeTask` may have something that it has not at `now`, unless somebody changes the scheduler before.
    func nextDue(after now: Instant) -> Instant? {
        var earliest: Instant?
        func consider(_ time: Instant?) {
            if let time, time > now, earliest.map({ time < $0 }) ?? true { earliest = time }
        }
        consider(debouncer.nextDue)
        consider(nextRetry)
        for root in roots.values {
            consider(root.nextVisit)
            for time in root.dirty.values { consider(time) }
            for time in root.orphanScans.values {
                consider(time)
                consider(max(time, root.lastMove ?? time) + configuration.removalTimeout + 0.001)
            }
        }
        return earliest
    }

    /// When reading may go on, if it pauses for the device at `now`.
    func pauseEnd(after now: Instant) -> Instant? {
        devicePause.flatMap { $0.until > now ? $0.until : nil }
    }

    /// Takes a file to read: quiescent ones first, then what came in new directories, then what else scans found; from each
    /// root in turn.
    mutating func takeRead(at now: Instant) -> ReadJob? {
        guard pauseEnd(after: now) == nil, inFlight.count < configuration.inFlightCapacity else { return nil }
        let ids = roots.keys.sorted { $0.rawValue < $1.rawValue }
        turn &+= 1
        for queue in [\RootWork.urgent, \.fresh, \.backlog] {
            for index in ids.indices {
                let id = ids[(index + turn & 0xFFFF) % ids.count]
                if let job = takeRead(in: id, from: queue) { return job }
            }
        }
        return nil
    }

    private mutating func takeRead(
        in id: RootID,
        from queue: WritableKeyPath<RootWork, Fifo<RootWork.Waiting>>
    ) -> ReadJob? {
        while let next = roots[id]?[keyPath: queue].popFirst() {
            let key = FileKey(root: id, path: next.path)
            guard let open = roots[id]?.open, !defersToInFlightJob(key) else { continue }
            inFlight[key] = InFlightJob()
            roots[id]?.inFlightCount += 1
            roots[id]?.undecidedCount += 1
            return ReadJob(key: key, root: open, isForced: next.isForced)
        }
        return nil
    }
}
