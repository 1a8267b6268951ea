internal import Catalog
internal import Platform

extension Scanner {
    /// Opens a root, or finds out that it is away.
    ///
    /// - Returns: nil when it is; its images stay as they are, and the next look comes after a few seconds.
    func enter(_ id: RootID) throws(CatalogError) -> OpenRoot? {
        guard let (record, old, isOffline) = workQueue.read({ $0.root(id) }) else { return nil }
        let opened: OpenRoot
        let isEmpty: Bool
        do throws(SystemError) {
            opened = try OpenRoot.open(record)
            isEmpty = try opened.isEmpty()
        } catch {
            leave(record, isOffline, "it cannot be opened: \(error)")
            return nil
        }
        if isEmpty, try !ledger.files(in: id, after: nil, limit: 1).isEmpty {
            leave(
                record,
                isOffline,
                "it is empty but had files: is its disk mounted? If they are gone for good, stop watching it"
            )
            return nil
        }
        if let old, old.isSame(as: opened) { return old }
        watcher?.table.remove(id, .root)
        try countRows(of: id)
        workQueue.update { $0.rootOpened(opened) }
        if isOffline { log.notice("\(record.path) is back") }
        return opened
    }

    private func leave(_ record: RootRecord, _ isOffline: Bool, _ detail: String) {
        let id = record.id
        watcher?.table.remove(id, .root)
        workQueue.update { $0.rootWentOffline(id, detail: detail, at: .now) }
        if !isOffline { log.warning("\(record.path) is offline: \(detail)") }
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
