internal import Catalog
internal import Platform

/// The state of one directory scan.
private struct DirectoryScan {
    let root: OpenRoot
    let isForced: Bool
    /// Of the whole root, not of a directory that appeared.
    let isWhole: Bool
    /// (device, inode) of directories met: a bind mount can make a loop.
    var visited: Set<[UInt64]> = []
    var found: [ReadRequest] = []
    var seenCount = 0
    var directoryCount = 0
    var unreadableCount = 0
    /// Set when a directory could not be watched; no further one is tried then.
    var watchFailure: SystemError?
}

extension Scanner {
    /// Lists a directory and everything below it: watches first, then looks, so that nothing falls between.
    func scanDirectory(_ place: FileKey, isForced: Bool) throws(CatalogError) {
        let (id, directory) = (place.root, place.path)
        let start = Instant.now
        guard let root = try directory == .root ? enter(id) : workQueue.read({ $0.openRoot(id) }) else { return }
        var scan = DirectoryScan(root: root, isForced: isForced, isWhole: directory == .root)
        do throws(SystemError) {
            let opened = try root.directory.openDirectory(beneath: directory)
            try visit(opened, directory, depth: 0, &scan)
        } catch {
            // Gone again, or a link now: the orphan scan below sees to its rows.
            if !error.saysAbsent { log.warning("\(error)") }
        }
        flush(&scan)
        if scan.unreadableCount > 0 {
            log.warning("\(scan.unreadableCount) directories below \(root.record.path) cannot be read")
        }
        workQueue.update { $0.directoryScanned(place, of: root, at: .now) }
        if directory == .root {
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
        }
        let isPolled = !detail.isEmpty
        // A scan takes at most a twentieth of the time.
        let pause = isPolled ? max(configuration.pollInterval, 20 * seconds) : configuration.rescanInterval
        let nextScan = Instant.now + min(pause, configuration.rescanInterval)
        let isNews = workQueue.update { [detail] in
            $0.rootScanned(scan.root, seenCount: scan.seenCount, pollingBecause: detail, nextScan: nextScan)
        }
        if isNews, isPolled { log.warning("\(scan.root.record.path): \(detail)") }
    }

    private func visit(
        _ directory: borrowing OwnedDescriptor,
        _ path: RelativePath,
        depth: Int,
        _ scan: inout DirectoryScan
    ) throws(SystemError) {
        let status = try directory.status()
        guard status.device == scan.root.status.device, scan.visited.insert([status.device, status.inode]).inserted
        else {
            return
        }
        scan.directoryCount += 1
        watch(directory, path, &scan)
        var below: [[UInt8]] = []
        try directory.forEachEntry { entry in
            switch entry.kind ?? Self.kind(of: entry.name, in: directory) {
            case .directory:
                if !FileNames.skipsDirectory(entry.name) { below.append(entry.name) }
            case .regular:
                look(at: entry.name, in: directory, path.appending(entry.name), &scan)
            default: break
            }
            return !workQueue.isStopping
        }
        flush(&scan)
        guard depth < workQueue.configuration.maximumDepth else {
            if !below.isEmpty { log.warning("\(path) is too deep; what lies below it is not looked at") }
            return
        }
        for name in below where !workQueue.isStopping {
            do throws(SystemError) {
                let child = try directory.openDirectory(beneath: RelativePath(bytes: name))
                try visit(child, path.appending(name), depth: depth + 1, &scan)
            } catch {
                if !error.saysAbsent { scan.unreadableCount += 1 }
            }
        }
    }

    private static func kind(of name: [UInt8], in directory: borrowing OwnedDescriptor) -> FileStatus.Kind? {
        do throws(SystemError) {
            return try directory.status(ofEntry: name)?.kind
        } catch {
            return nil
        }
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
        in directory: borrowing OwnedDescriptor,
        _ path: RelativePath,
        _ scan: inout DirectoryScan
    ) {
        let key = FileKey(root: scan.root.record.id, path: path)
        let verdict = FileNames.verdict(name)
        guard verdict != .skipped else { return }
        do {
            guard let status = try directory.status(ofEntry: name), status.kind == .regular else { return }
            let stamp = FileStamp(status)
            let now = wallClockNanoseconds()
            if verdict == .sidecar { return try lookAtDocument(key, stamp, isForced: scan.isForced, scan.root) }
            scan.seenCount += 1
            let row = try ledger.file(key)
            guard FileRow.needsWork(row, stamp: stamp, isForced: scan.isForced, now: now) else { return }
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
            scan.found.append(ReadRequest(key: key, isForced: scan.isForced))
        }
    }

    private func flush(_ scan: inout DirectoryScan) {
        let found = scan.found
        guard !found.isEmpty else { return }
        scan.found.removeAll(keepingCapacity: true)
        let (id, priority) = (scan.root.record.id, scan.isWhole ? ReadPriority.backlog : .fresh)
        workQueue.update { $0.filesFound(found, in: id, priority, at: .now) }
    }
}
