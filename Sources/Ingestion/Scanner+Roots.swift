internal import Catalog
internal import Platform

extension Scanner {
    /// Finds what stands at a root's path, or that the root is away.
    ///
    /// - Returns: nil when it is; its images stay as they are, and the next look comes after a few seconds.
    func enter(_ id: RootID) throws(CatalogError) -> OpenRoot? {
        guard let (record, old, isOffline) = workQueue.read({ $0.root(id) }) else { return nil }
        let excluded = workQueue.configuration.excludedDirectories
        let found: OpenRoot
        let isEmpty: Bool
        do throws(SystemError) {
            found = try OpenRoot(finding: record, excluding: excluded)
            isEmpty = try found.isEmpty()
        } catch {
            leave(record, isOffline, "it cannot be opened: \(error)")
            return nil
        }
        // A link may lead elsewhere than when the root was added.
        if let refusal = found.refusal(excluding: excluded) ?? overlap(of: found) {
            leave(record, isOffline, "it leads to \(found.resolvedPath) now: \(refusal)")
            return nil
        }
        let hasRows = try !ledger.files(in: id, after: nil, limit: 1).isEmpty
        if isEmpty, hasRows, !workQueue.read({ $0.acceptsMissing(id) }) {
            let path = record.path
            leave(
                record,
                isOffline,
                "it is empty but had files: is its disk mounted? If they are gone for good: \(Self.acceptance(path))"
            )
            return nil
        }
        if let old, old.isSame(as: found) { return old }
        watcher?.table.remove(id, .root)
        try countRows(of: id)
        workQueue.update { $0.rootOpened(found, at: .now) }
        if old != nil { log.notice("another directory stands at \(record.path): it is looked through") }
        if isOffline { log.notice("\(record.path) is back") }
        if !hasRows { try confirm(found) }
        return found
    }

    /// Another root that is online and shares files with this one.
    private func overlap(of root: OpenRoot) -> IngestionError? {
        let others = workQueue.read { $0.openRoots.values.filter { $0.record.id != root.record.id } }
        guard let other = others.first(where: { RootLocation.overlap($0.resolvedPath, root.resolvedPath) }) else {
            return nil
        }
        return .overlapping(path: root.record.path.description, existing: other.record.path.description)
    }

    private static func acceptance(_ path: RelativePath) -> String { "likeness rescan --accept-missing \(path)" }

    private func leave(_ record: RootRecord, _ isOffline: Bool, _ detail: String) {
        let id = record.id
        watcher?.table.remove(id, .root)
        workQueue.update { $0.rootWentOffline(id, detail: detail, at: .now) }
        if !isOffline { log.warning("\(record.path) is offline: \(detail)") }
    }

    // MARK: Looks

    /// Looks whether each root that is online still stands at its path; one that does not is scanned at once. A folder below
    /// one that something was mounted over, or unmounted from, is scanned too.
    func lookAtRoots() {
        let roots = workQueue.read { Array($0.openRoots.values) }
        for root in roots where !root.stands { workQueue.update { $0.rootDoubted(root, at: .now) } }
        for path in mounts?.changes() ?? [] {
            for root in roots where path != root.resolvedPath && path.isWithin(root.resolvedPath) {
                let below = RelativePath(bytes: Array(path.bytes.dropFirst(root.resolvedPath.bytes.count + 1)))
                workQueue.update { $0.directoryChanged(FileKey(root: root.record.id, path: below), due: .now) }
            }
        }
    }

    /// Whether a long pass over a root may go on: not when the daemon stops, nor when another directory stands there. Looks
    /// at the roots when that is due, since the scanner does nothing else meanwhile.
    func mayGoOn(_ root: OpenRoot) -> Bool {
        let (isOver, isLookDue) = workQueue.note { $0.beginLookInPass(over: root, at: .now) }
        guard !isOver, isLookDue else { return !isOver }
        lookAtRoots()
        return workQueue.read { $0.isTrusted(root) }
    }

    // MARK: Comparison

    /// Compares the rows of a root with a directory that is another than when they were written, and that was just scanned: says
    /// how many are missing while its files are still being read.
    func compareRows(with root: OpenRoot) throws(CatalogError) {
        let id = root.record.id
        guard workQueue.read({ !$0.isConfirmed(root) }), let rules = workQueue.read({ $0.rules(of: id) }) else {
            return
        }
        var lookup = Lookup(EntryClassifier(root, rules))
        var (missingCount, rowCount) = (0, 0)
        try ledger.forEachRow(in: id, below: .root) { (row) throws(CatalogError) in
            // What a user left out is not missing, as for the orphan scan.
            if lookup.isLeftOut(row.key.path) { return mayGoOn(root) }
            rowCount += 1
            if lookup.isGone(row.key.path) { missingCount += 1 }
            return mayGoOn(root)
        }
        guard workQueue.read({ $0.isTrusted(root) }) else { return }
        let isNews = workQueue.update { [missingCount, rowCount] in
            $0.rowsCompared(missingCount, of: rowCount, with: root)
        }
        if isNews { warn(ofReplaced: root, missing: missingCount, of: rowCount) }
    }

    func warn(ofReplaced root: OpenRoot, missing: Int, of rowCount: Int) {
        let path = root.record.path
        log.warning("\(path): \(Self.replacement(of: path, missing: missing, of: rowCount))")
    }

    /// What to say of a root whose directory was replaced by one that lacks very many files.
    static func replacement(of path: RelativePath, missing: Int, of rowCount: Int) -> String {
        "another directory or file system stands here than when its files were loaded, and \(missing) of \(rowCount) are not in "
            + "it: none is removed. Put the former one back, or if they are gone for good: \(acceptance(path))"
    }

    /// The rows of the root agree with this directory: a later start compares it with this one.
    func confirm(_ root: OpenRoot) throws(CatalogError) {
        if workQueue.update({ $0.rootConfirmed(root) }) {
            try ledger.confirmRoot(root.record.id, root.storedIdentity)
        }
    }

    /// Counts a root's rows for the status and finds out when its first failed file is due.
    private func countRows(of id: RootID) throws(CatalogError) {
        // Files may be on their way from this root to another: the counts of the status follow the commits from here on.
        let result = committer.withoutCommits { () -> Result<Int64?, CatalogError> in
            var counts: [RowKind: Int] = [:]
            var next: Int64?
            do throws(CatalogError) {
                try ledger.forEachRow(in: id, below: .root) { row in
                    counts[RowKind(row), default: 0] += 1
                    if case .failed(let failure) = row.state, let due = failure.nextAttempt {
                        next = min(next ?? due, due)
                    }
                    return !workQueue.isStopping
                }
            } catch {
                return .failure(error)
            }
            workQueue.update { $0.rowsCounted(counts, in: id) }
            return .success(next)
        }
        guard let next = try result.get() else { return }
        workQueue.update { $0.retryScheduled(Instant(wallClock: next)) }
    }
}
