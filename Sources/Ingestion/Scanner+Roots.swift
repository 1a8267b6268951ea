internal import Catalog
internal import Platform

extension Scanner {
    /// Opens a root, or finds out that it is away.
    ///
    /// - Returns: nil when it is; its images stay as they are, and the next look comes after a few seconds.
    func enter(_ id: RootID) throws(CatalogError) -> OpenRoot? {
        guard let work = board.read({ $0.roots[id] }) else { return nil }
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
        board.update { agenda in
            agenda.roots[id]?.open = opened
            agenda.roots[id]?.state = .scanning
            agenda.roots[id]?.detail = ""
        }
        if work.state == .offline { log.notice("\(work.record.path) is back") }
        return opened
    }

    private func leave(_ work: RootWork, _ detail: String) {
        let id = work.record.id
        watcher?.table.remove(id, .root)
        board.update { $0.setOffline(id, detail: detail, at: .now) }
        if work.state != .offline { log.warning("\(work.record.path) is offline: \(detail)") }
    }

    /// Counts a root's rows for the status and finds out when its first failed file is due.
    private func countRows(of id: RootID) throws(CatalogError) {
        var counts: [RowKind: Int] = [:]
        var next: Int64?
        try ledger.forEachRow(in: id, below: .root) { row in
            counts[RowKind(row), default: 0] += 1
            if case .failed(let failure) = row.state, let due = failure.nextAttempt { next = min(next ?? due, due) }
            return !board.isStopping
        }
        let due = next.map { Instant.now + Double($0 - wallClockNanoseconds()) / 1e9 }
        setCounts(counts, of: id)
        guard let due else { return }
        board.update { agenda in agenda.nextRetry = agenda.nextRetry.map { min($0, due) } ?? due }
    }

    /// Corrects the counts of the status, which follow the commits, by what was counted.
    func setCounts(_ counts: [RowKind: Int], of id: RootID) {
        board.update { agenda in
            // What is in flight changes rows that may have been counted before or after.
            guard agenda.roots[id]?.flightCount == 0 else { return }
            agenda.roots[id]?.indexedCount = counts[.indexed] ?? 0
            agenda.roots[id]?.failedCount = counts[.failed] ?? 0
        }
    }
}
