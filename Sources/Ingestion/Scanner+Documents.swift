internal import Catalog
internal import Platform

/// The reconciliation of sidecar files with the ledger: a good one is the document of the images beside it, a bad one is a
/// row of its own as long as it lies beside an image.
///
/// Each examination looks at the files themselves and at the ledger, and does what makes the two agree. It does not matter
/// what brought it about: an event, a directory scan, an orphan scan, a commit or a restart.
extension Scanner {
    /// Brings the images beside a file and the file's own row up to date.
    ///
    /// - Parameters:
    ///   - key: of the file.
    ///   - isLeftOut: it is an exclusion with a reason of its own.
    ///   - root: its root.
    /// - Throws: what reading the ledger throws.
    func examineSidecar(_ key: FileKey, isLeftOut: Bool = false, in root: OpenRoot) throws(CatalogError) {
        // One examination at a time: two before a commit would both count the row that they add.
        if workQueue.update({ $0.defersToSideTask(key, at: .now) }) { return }
        // Before the ledger is read: an image that is committed meanwhile may have been read without it.
        workQueue.update { $0.documentRead(key, at: .now) }
        let rows = try sidecars.rows(beside: key)
        for row in rows { try refreshDocument(of: row, in: root) }
        let row = try ledger.file(key)
        if !rows.isEmpty, !isLeftOut, let fault = sidecars.fault(of: key, in: root, after: row) {
            list(fault, key, row)
        } else if let row {
            try forget(row)
        }
    }

    private func list(_ fault: Sidecars.Fault, _ key: FileKey, _ row: FileRow?) {
        if let row, row.stamp.matches(fault.stamp), row.state == .failed(fault.failure) { return }
        if RowKind(row) != .badDocument {
            log.warning("\(key.path) is not a usable document: \(fault.failure.message)")
        }
        let change = CatalogChange.fail(key: key, stamp: fault.stamp, content: nil, failure: fault.failure)
        var entry = CommitEntry(key: key, changes: [change], before: RowKind(row), after: .badDocument)
        entry.nextAttempt = fault.failure.nextAttempt
        // Once more: its image may go before the row is there, and who takes the image out sees no row then.
        entry.sidecars = [key]
        entry.isRacy = fault.isRacy
        submit(entry)
    }

    /// Brings the document of one image up to date.
    func refreshDocument(of row: FileRow, in root: OpenRoot) throws(CatalogError) {
        switch row.state {
        case .indexed(let id):
            guard let image = try ledger.image(id) else { return }
            let finding = sidecars.look(beside: row.key, in: root)
            if finding.document.isEmpty, sidecars.isRequired(in: row.key.root) {
                if workQueue.update({ $0.defersToChange(row.key, at: .now) }) { return }
                guard try ledger.file(row.key)?.state == row.state else { return }
                let failure = FileFailure.missingDocument(of: row.key.path, badly: !finding.others.isEmpty)
                let change = CatalogChange.fail(key: row.key, stamp: row.stamp, content: row.content, failure: failure)
                submit(CommitEntry(key: row.key, changes: [change], before: .indexed, after: .failed))
            } else if finding.document != image.document {
                let change = CatalogChange.setDocument(key: row.key, document: finding.document)
                submit(CommitEntry(key: row.key, changes: [change], before: .indexed, after: .indexed))
            }
        case .failed(let failure) where failure.kind == FileFailure.documentMissing:
            let isRequired = sidecars.isRequired(in: row.key.root)
            if !isRequired || !sidecars.look(beside: row.key, in: root).document.isEmpty {
                workQueue.update { $0.fileNeedsReading(row.key, isForced: true, at: .now) }
            }
        case .failed, .excluded: return
        }
    }

    /// A directory scan met a sidecar: it is examined where what the ledger has may be older than the file.
    func lookAtDocument(_ key: FileKey, _ stamp: FileStamp, isForced: Bool, _ root: OpenRoot) throws(CatalogError) {
        let now = wallClockNanoseconds()
        if let row = try ledger.file(key) {
            // The settings say nothing of documents that are none.
            let needsWork = FileRow.needsWork(row, stamp: stamp, RootSettings(), isForced: isForced, now: now)
            if needsWork { try examineSidecar(key, in: root) }
            return
        }
        let slack = Int64(workQueue.configuration.racyWindow * 1e9)
        let age = max(stamp.changed, stamp.modified)
        for row in try sidecars.rows(beside: key) {
            switch row.state {
            case .indexed(let id):
                guard let image = try ledger.image(id) else { continue }
                // One that does not decide the document may be bad all the same.
                if image.document.isEmpty || age > image.added - slack
                    || sidecars.strongestFile(beside: row.key, in: root) != key.path
                {
                    return try examineSidecar(key, in: root)
                }
            case .failed, .excluded: return try examineSidecar(key, in: root)
            }
        }
    }

    /// Whether the document that the ledger has of a file is another than what lies beside it. An orphan scan asks this of
    /// every row whose file is there.
    ///
    /// - Parameters:
    ///   - row: of an image or of a bad document.
    ///   - directoryChanged: when an entry of its directory last came or went, nanoseconds since 1970.
    ///   - root: its root.
    /// - Returns: whether the row is to be refreshed.
    /// - Throws: what reading the ledger throws.
    func isOutdated(_ row: FileRow, directoryChanged: Int64, in root: OpenRoot) throws(CatalogError) -> Bool {
        switch row.state {
        case .indexed(let id):
            guard let image = try ledger.image(id) else { return false }
            if image.document.isEmpty { return sidecars.isRequired(in: row.key.root) }
            if sidecars.strongestFile(beside: row.key, in: root) == nil { return true }
            // A weaker document may have taken the place of one that is gone: that needs reading.
            let slack = Int64(workQueue.configuration.racyWindow * 1e9)
            return directoryChanged > image.added - slack
                && sidecars.look(beside: row.key, in: root).document != image.document
        case .failed(let failure) where failure.kind == FileFailure.documentMissing:
            return !sidecars.isRequired(in: row.key.root)
                || !sidecars.look(beside: row.key, in: root).document.isEmpty
        case .failed where row.key.path.isSidecar:
            return try sidecars.rows(beside: row.key).isEmpty
        case .failed, .excluded: return false
        }
    }

    /// What an orphan scan found outdated.
    func refresh(_ rows: [FileRow], in root: OpenRoot) throws(CatalogError) {
        for row in rows where !workQueue.isStopping {
            if row.key.path.isSidecar {
                try examineSidecar(row.key, in: root)
            } else {
                try refreshDocument(of: row, in: root)
            }
        }
    }
}
