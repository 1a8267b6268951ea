internal import Catalog
internal import Platform

/// What one walk remembers.
private struct Walk {
    let root: OpenRoot
    let isForced: Bool
    /// Of the whole root, not of a directory that appeared.
    let isWhole: Bool
    /// (device, inode) of directories met: a bind mount can make a loop.
    var visited: Set<[UInt64]> = []
    var found: [RootWork.Waiting] = []
    var seenCount = 0
    var directoryCount = 0
    var unreadableCount = 0
    /// Set when a directory could not be watched; no further one is tried then.
    var watchFailure: SystemError?
}

extension Scanner {
    /// Lists a directory and everything below it: watches first, then looks, so that nothing falls between.
    func walk(_ id: RootID, _ directory: RelativePath, isForced: Bool) throws(CatalogError) {
        let start = Instant.now
        guard let root = try directory == .root ? enter(id) : workQueue.read({ $0.roots[id]?.open }) else { return }
        var walk = Walk(root: root, isForced: isForced, isWhole: directory == .root)
        do throws(SystemError) {
            let opened = try root.directory.openDirectory(beneath: directory)
            try visit(opened, directory, depth: 0, &walk)
        } catch {
            // Gone again, or a link now: the sweep below sees to its rows.
            if !error.saysAbsent { log.warning("\(error)") }
        }
        flush(&walk)
        if walk.unreadableCount > 0 {
            log.warning("\(walk.unreadableCount) directories below \(root.record.path) cannot be read")
        }
        workQueue.update { scheduler in
            guard scheduler.roots[id]?.open === root else { return }
            scheduler.sweep(id, directory, due: .now)
        }
        if directory == .root {
            live(walk, seconds: .now - start)
        } else if let failure = walk.watchFailure {
            // The next walk of the whole root counts how many watches are needed.
            log.debug("\(failure)")
            workQueue.update { $0.scheduleScan(id, .root, due: .now) }
        }
    }

    /// Ends a walk of the whole root: it is live, or polled where events cannot be had.
    private func live(_ walk: Walk, seconds: Double) {
        let id = walk.root.record.id
        let configuration = workQueue.configuration
        var detail = ""
        if walk.root.isNetworked {
            detail = "on a network file system, which sends no events: it is looked through every few seconds"
        } else if watcher == nil {
            detail = watcherFailure
        } else if let failure = walk.watchFailure {
            detail = WatchLimits.detail(failure, neededCount: walk.directoryCount)
        }
        let isPolled = !detail.isEmpty
        // A walk takes at most a twentieth of the time.
        let pause = isPolled ? max(configuration.pollInterval, 20 * seconds) : configuration.rescanInterval
        let isNews = workQueue.update { scheduler -> Bool in
            guard scheduler.roots[id]?.open === walk.root else { return false }
            let isNews = scheduler.roots[id]?.detail != detail
            scheduler.roots[id]?.seenCount = walk.seenCount
            scheduler.roots[id]?.state = isPolled ? .polling : .live
            scheduler.roots[id]?.detail = detail
            scheduler.roots[id]?.nextVisit = .now + min(pause, configuration.rescanInterval)
            return isNews
        }
        if isNews, isPolled { log.warning("\(walk.root.record.path): \(detail)") }
    }

    private func visit(
        _ directory: borrowing OwnedDescriptor,
        _ path: RelativePath,
        depth: Int,
        _ walk: inout Walk
    ) throws(SystemError) {
        let status = try directory.status()
        guard status.device == walk.root.status.device, walk.visited.insert([status.device, status.inode]).inserted
        else {
            return
        }
        walk.directoryCount += 1
        watch(directory, path, &walk)
        var below: [[UInt8]] = []
        try directory.forEachEntry { entry in
            switch entry.kind ?? Self.kind(of: entry.name, in: directory) {
            case .directory:
                if !FileNames.skipsDirectory(entry.name) { below.append(entry.name) }
            case .regular:
                look(at: entry.name, in: directory, path.appending(entry.name), &walk)
            default: break
            }
            return !workQueue.isStopping
        }
        flush(&walk)
        guard depth < workQueue.configuration.maximumDepth else {
            if !below.isEmpty { log.warning("\(path) is too deep; what lies below it is not looked at") }
            return
        }
        for name in below where !workQueue.isStopping {
            do throws(SystemError) {
                let child = try directory.openDirectory(beneath: RelativePath(bytes: name))
                try visit(child, path.appending(name), depth: depth + 1, &walk)
            } catch {
                if !error.saysAbsent { walk.unreadableCount += 1 }
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

    private func watch(_ directory: borrowing OwnedDescriptor, _ path: RelativePath, _ walk: inout Walk) {
        guard let watcher, walk.watchFailure == nil else { return }
        do throws(SystemError) {
            try watcher.table.add(directory, at: FileKey(root: walk.root.record.id, path: path))
        } catch {
            walk.watchFailure = error
        }
    }

    /// Compares one file with its row.
    private func look(
        at name: [UInt8],
        in directory: borrowing OwnedDescriptor,
        _ path: RelativePath,
        _ walk: inout Walk
    ) {
        let key = FileKey(root: walk.root.record.id, path: path)
        let verdict = FileNames.verdict(name)
        guard verdict != .skipped else { return }
        do {
            guard let status = try directory.status(ofEntry: name), status.kind == .regular else { return }
            let stamp = FileStamp(status)
            let now = wallClockNanoseconds()
            if verdict == .sidecar { return try lookAtDocument(key, stamp, walk.root) }
            walk.seenCount += 1
            let row = try ledger.file(key)
            guard FileRow.needsWork(row, stamp: stamp, isForced: walk.isForced, now: now) else { return }
            if row?.stamp.matches(stamp) != true, stamp.isRecent(at: now, within: workQueue.configuration.racyWindow) {
                // Perhaps half written.
                workQueue.update { $0.fileChanged(key, .touched, at: .now) }
            } else {
                walk.found.append(RootWork.Waiting(path: path, isForced: walk.isForced))
                if walk.found.count >= 256 { flush(&walk) }
            }
        } catch {
            // The reader meets the same error and writes it down.
            log.debug("\(path): \(error)")
            walk.found.append(RootWork.Waiting(path: path, isForced: walk.isForced))
        }
    }

    /// Reads a document again that may be younger than what is stored of its image.
    private func lookAtDocument(_ key: FileKey, _ stamp: FileStamp, _ root: OpenRoot) throws(CatalogError) {
        let slack = Int64(workQueue.configuration.racyWindow * 1e9)
        let isYounger = try sidecars.images(of: key).contains { _, image in
            image.document.isEmpty || max(stamp.changed, stamp.modified) > image.added - slack
        }
        if isYounger { try refreshDocuments(of: key, root) }
    }

    private func flush(_ walk: inout Walk) {
        let found = walk.found
        guard !found.isEmpty else { return }
        walk.found.removeAll(keepingCapacity: true)
        let (id, isWhole) = (walk.root.record.id, walk.isWhole)
        workQueue.update { $0.enqueue(found, in: id, isWholeRoot: isWhole, at: .now) }
    }
}
