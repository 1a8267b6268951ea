internal import Catalog
internal import Platform

extension Scanner {
    /// Opens a root, or finds out that it is away.
    ///
    /// - Returns: nil when it is; its images stay as they are, and the next look comes after a few seconds.
    func enter(_ id: RootID) throws(CatalogError) -> OpenRoot? {
        guard let work = workQueue.read({ $0.roots[id] }) else { return nil }
        let opened: OpenRoot
        let isEmpty: Bool
        do throws(SystemError) {
            opened = try OpenRoot.open(work.record)
            isEmpty = try opened.isEmpty()
        } catch {
            leave(work, "it cannot be opened: \(error)")
            return nil
        }
        if isEmpty, try !ledger.files(in: id, after: nil, limit: 1).isEmpty {
            leave(work, "it is empty but had files: is its disk mounted? If they are gone for good, stop watching it")
            return nil
        }
        if let old = work.open, old.isSame(as: opened) { return old }
        watcher?.table.remove(id, .root)
        try countRows(of: id)
        workQueue.update { scheduler in
            scheduler.roots[id]?.open = opened
            scheduler.roots[id]?.state = .scanning
            scheduler.roots[id]?.detail = ""
        }
        if work.state == .offline { log.notice("\(work.record.path) is back") }
        return opened
    }

    private func leave(_ work: RootWork, _ detail: String) {
        let id = work.record.id
        watcher?.table.remove(id, .root)
        workQueue.update { $0.setOffline(id, detail: detail, at: .now) }
        if work.state != .offline { log.warning("\(work.record.path) is offline: \(detail)") }
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
            workQueue.update { scheduler in
                scheduler.roots[id]?.indexedCount = counts[.indexed] ?? 0
                scheduler.roots[id]?.failedCount = counts[.failed] ?? 0
            }
            return .success(next)
        }
        guard let next = try result.get() else { return }
        let due = Instant.now + Double(next - wallClockNanoseconds()) / 1e9
        workQueue.update { scheduler in scheduler.nextRetry = scheduler.nextRetry.map { min($0, due) } ?? due }
    }

    /// Corrects the counts of the status, which follow the commits, by what was counted.
    ///
    /// - Parameters:
    ///   - counts: rows by kind.
    ///   - id: the root.
    ///   - commitCount: of the root before the counting began.
    func setCounts(_ counts: [RowKind: Int], of id: RootID, at commitCount: Int?) {
        workQueue.update { scheduler in
            // A commit meanwhile changed rows that were counted before or after; one that is not told yet would be
            // counted twice. A file that moves away is in flight in the root that it moves to.
            guard scheduler.roots[id]?.commitCount == commitCount, scheduler.sideTaskCount == 0,
                scheduler.roots.values.allSatisfy({ $0.inFlightCount == 0 })
            else { return }
            scheduler.roots[id]?.indexedCount = counts[.indexed] ?? 0
            scheduler.roots[id]?.failedCount = counts[.failed] ?? 0
        }
    }
}
