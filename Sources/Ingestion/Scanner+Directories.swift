internal import Catalog
internal import Platform

/// The state of one directory scan.
private struct DirectoryScan {
    /// A folder to be entered.
    struct Pending {
        var path: RelativePath
        /// Of the folder above; nil for the root.
        var stack: IgnoreStack?
    }

    let classifier: EntryClassifier
    let isForced: Bool
    /// Of the whole root, not of a directory that appeared.
    let isWhole: Bool
    /// (device, inode) of directories met: a bind mount can make a loop.
    var visited: Set<[UInt64]> = []
    var pending: [Pending] = []
    var found: [ReadRequest] = []
    var directoryCount = 0
    /// Files with several names that could not be watched.
    var unwatchedCount = 0
    /// Set when a directory could not be watched; no further one is tried then.
    var watchFailure: SystemError?

    var root: OpenRoot { classifier.root }
}

extension Scanner {
    /// Lists a directory and everything below it: watches first, then looks, so that nothing falls between.
    func scanDirectory(_ place: FileKey, isForced: Bool) throws(CatalogError) {
        let (id, directory) = (place.root, place.path)
        let start = Instant.now
        guard let root = try directory == .root ? enter(id) : workQueue.read({ $0.openRoot(id) }),
            let rules = workQueue.read({ $0.rules(of: id) })
        else { return }
        var classifier = EntryClassifier(root, rules)
        var scan = DirectoryScan(classifier: classifier, isForced: isForced, isWhole: directory == .root)
        // What is not met any more is gone, or excluded now.
        workQueue.update { $0.censusBegan(root) }
        if directory == .root {
            scan.pending = [DirectoryScan.Pending(path: .root)]
        } else if let above = classifier.stack(of: directory.parent),
            classifier.classify(.directory, directory, above) == .folder
        {
            scan.pending = [DirectoryScan.Pending(path: directory, stack: above)]
        }
        // One after the other and each by its path, so that a scan holds one directory open, however deep it goes.
        while let next = scan.pending.popLast(), mayGoOn(root) { visit(next, &scan) }
        guard mayGoOn(root) else { return }
        flush(&scan)
        workQueue.update {
            $0.censusFinished(root, below: directory)
            $0.directoryScanned(place, of: root, at: .now)
        }
        if directory == .root {
            try compareRows(with: root)
            live(scan, seconds: .now - start)
        } else if let failure = scan.watchFailure {
            // The next scan of the whole root counts how many watches are needed.
            log.debug("\(failure)")
            workQueue.update { $0.directoryChanged(FileKey(root: id, path: .root), due: .now) }
        }
    }

    /// Ends a scan of the whole root: it is live, or polled where events cannot be had.
    private func live(_ scan: DirectoryScan, seconds: Double) {
        let configuration = workQueue.configuration
        var detail = ""
        if scan.root.isNetworked {
            detail = "on a network file system, which sends no events: it is looked through every few seconds"
        } else if watcher == nil {
            detail = watcherFailure
        } else if let failure = scan.watchFailure {
            detail = WatchLimits.detail(failure, neededCount: scan.directoryCount)
        } else if scan.unwatchedCount > 0 {
            detail = WatchLimits.detail(unwatchedFiles: scan.unwatchedCount, capacity: configuration.linkedCapacity)
        }
        let isPolled = !detail.isEmpty
        // A scan takes at most a twentieth of the time.
        let interval = scan.classifier.rules.settings.rescanInterval
        var nextScan = interval > 0 ? Instant.now + Double(interval) : nil
        if isPolled {
            let poll = Instant.now + max(configuration.pollInterval, 20 * seconds)
            nextScan = min(nextScan ?? poll, poll)
        }
        let isNews = workQueue.update { [detail, nextScan] in
            $0.rootScanned(scan.root, pollingBecause: detail, nextScan: nextScan)
        }
        if isNews, isPolled { log.warning("\(scan.root.record.path): \(detail)") }
    }

    /// Lists one directory.
    private func visit(_ folder: DirectoryScan.Pending, _ scan: inout DirectoryScan) {
        var counts = EntryCounts()
        switch scan.classifier.enter(folder.path, below: folder.stack) {
        case .absent: return
        case .excluded(let reason): counts[reason] = 1
        case .marked(let directory):
            counts[.rule] = 1
            // The event of the mark's end is all that tells of it.
            watch(directory, folder.path, &scan)
        case .entered(let directory, let status, let stack):
            if scan.visited.insert([status.device, status.inode]).inserted {
                scan.directoryCount += 1
                watch(directory, folder.path, &scan)
                list(directory, folder.path, stack, &counts, &scan)
            } else {
                // The same folder a second time is mounted here.
                counts[.otherFileSystem] = 1
            }
        }
        workQueue.update { [root = scan.root] in $0.entriesCounted(counts, in: folder.path, of: root) }
    }

    private func list(
        _ directory: borrowing OwnedDescriptor,
        _ folder: RelativePath,
        _ stack: IgnoreStack,
        _ counts: inout EntryCounts,
        _ scan: inout DirectoryScan
    ) {
        do throws(SystemError) {
            try directory.forEachEntry { entry in
                let path = folder.appending(entry.name)
                switch scan.classifier.classify(entry, in: directory, path, stack) {
                case nil: break
                case .folder: scan.pending.append(DirectoryScan.Pending(path: path, stack: stack))
                case .excluded(let reason): counts[reason] += 1
                case .document:
                    counts.documentCount += 1
                    look(at: entry.name, isDocument: true, in: directory, path, &counts, &scan)
                case .image:
                    counts.imageCount += 1
                    look(at: entry.name, isDocument: false, in: directory, path, &counts, &scan)
                }
                return mayGoOn(scan.root)
            }
        } catch {
            counts[.unreadableFolder] += 1
            log.debug("\(folder): \(error)")
        }
        flush(&scan)
    }

    private func watch(_ directory: borrowing OwnedDescriptor, _ path: RelativePath, _ scan: inout DirectoryScan) {
        guard let watcher, scan.watchFailure == nil else { return }
        do throws(SystemError) {
            try watcher.table.add(directory, at: FileKey(root: scan.root.record.id, path: path))
        } catch {
            scan.watchFailure = error
        }
    }

    /// Compares one file with its row.
    private func look(
        at name: [UInt8],
        isDocument: Bool,
        in directory: borrowing OwnedDescriptor,
        _ path: RelativePath,
        _ counts: inout EntryCounts,
        _ scan: inout DirectoryScan
    ) {
        let key = FileKey(root: scan.root.record.id, path: path)
        do {
            guard let status = try directory.status(ofEntry: name), status.kind == .regular else {
                // It went, or became something else, since it was listed: its event has it counted anew.
                if isDocument { counts.documentCount -= 1 } else { counts.imageCount -= 1 }
                return
            }
            if status.linkCount > 1, !watchNames(of: key, status, in: scan.root) { scan.unwatchedCount += 1 }
            let stamp = FileStamp(status)
            let now = wallClockNanoseconds()
            if isDocument { return try lookAtDocument(key, stamp, isForced: scan.isForced, scan.root) }
            if scan.classifier.isTooSmall(status) {
                counts.imageCount -= 1
                counts[.tooSmall] += 1
                return
            }
            let row = try ledger.file(key)
            let settings = scan.classifier.rules.settings
            guard FileRow.needsWork(row, stamp: stamp, settings, isForced: scan.isForced, now: now) else { return }
            if row?.stamp.matches(stamp) != true, stamp.isRacy(at: now, within: workQueue.configuration.racyWindow) {
                // Perhaps half written.
                workQueue.update { $0.fileChanged(key, .touched, at: .now) }
            } else {
                scan.found.append(ReadRequest(key: key, isForced: scan.isForced))
                if scan.found.count >= 256 { flush(&scan) }
            }
        } catch {
            // The reader meets the same error and writes it down.
            log.debug("\(path): \(error)")
            if !isDocument { scan.found.append(ReadRequest(key: key, isForced: scan.isForced)) }
        }
    }

    private func flush(_ scan: inout DirectoryScan) {
        let found = scan.found
        guard !found.isEmpty else { return }
        scan.found.removeAll(keepingCapacity: true)
        let (id, priority) = (scan.root.record.id, scan.isWhole ? ReadPriority.backlog : .fresh)
        workQueue.update { $0.filesFound(found, in: id, priority, at: .now) }
    }

    // MARK: Counts

    /// Counts the entries of one directory anew, without looking at its files.
    func countEntries(of place: FileKey) {
        guard let root = workQueue.read({ $0.openRoot(place.root) }),
            let rules = workQueue.read({ $0.rules(of: place.root) })
        else { return }
        let start = Instant.now
        var classifier = EntryClassifier(root, rules)
        var counts = EntryCounts()
        var above: IgnoreStack?
        if place.path != .root {
            // One that is left out may be watched still, since before a change of the rules: it is an entry of another folder.
            guard let stack = classifier.stack(of: place.path.parent),
                classifier.classify(.directory, place.path, stack) == .folder
            else { return }
            above = stack
        }
        switch classifier.enter(place.path, below: above) {
        case .absent: return workQueue.update { $0.entriesGone(place) }
        case .excluded(let reason): counts[reason] = 1
        case .marked: counts[.rule] = 1
        case .entered(let directory, _, let stack):
            do throws(SystemError) {
                try directory.forEachEntry { entry in
                    count(entry, in: directory, place.path, stack, classifier, &counts)
                    return !workQueue.isStopping
                }
            } catch {
                counts[.unreadableFolder] += 1
            }
        }
        workQueue.update { $0.entriesCounted(counts, in: place.path, of: root, seconds: .now - start) }
    }

    private func count(
        _ entry: DirectoryEntry,
        in directory: borrowing OwnedDescriptor,
        _ folder: RelativePath,
        _ stack: IgnoreStack,
        _ classifier: EntryClassifier,
        _ counts: inout EntryCounts
    ) {
        switch classifier.classify(entry, in: directory, folder.appending(entry.name), stack) {
        case nil, .folder: break
        case .excluded(let reason): counts[reason] += 1
        case .document: counts.documentCount += 1
        case .image:
            if classifier.rules.settings.minimumBytes > 0,
                let status = try? directory.status(ofEntry: entry.name), classifier.isTooSmall(status)
            {
                counts[.tooSmall] += 1
            } else {
                counts.imageCount += 1
            }
        }
    }
}
