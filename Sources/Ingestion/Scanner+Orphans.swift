internal import Catalog
internal import Platform

extension Scanner {
    /// Rows held in memory at once by an orphan scan; another follows for the rest.
    private static let gatheredCount = 16_384

    /// An orphan scan: takes out the rows below a directory whose files are gone, and documents whose files are gone.
    ///
    /// A pass that misses very many files is not believed before a second one misses the same: a disk that was half
    /// unmounted, or a program that moves everything, looks like that for a moment.
    func removeOrphans(below directory: FileKey) throws(CatalogError) {
        let id = directory.root
        guard let root = workQueue.read({ $0.openRoot(id) }) else { return }
        var gathered: [FileRow] = []
        var missing = RootWork.Missing()
        var rowCount = 0
        var counts: [RowKind: Int] = [:]
        let commitCount = workQueue.read { $0.commitCount(of: id) }
        guard let rules = workQueue.read({ $0.rules(of: id) }) else { return }
        var lookup = Lookup(EntryClassifier(root, rules))
        var outdated: [FileRow] = []
        var leftOut: [FileRow] = []
        try ledger.forEachRow(in: id, below: directory.path) { (row) throws(CatalogError) in
            counts[RowKind(row), default: 0] += 1
            if lookup.isLeftOut(row.key.path) {
                if leftOut.count < Self.gatheredCount { leftOut.append(row) }
                return mayGoOn(root)
            }
            rowCount += 1
            if lookup.isGone(row.key.path) {
                missing.add(row.key.path)
                if gathered.count < Self.gatheredCount { gathered.append(row) }
            } else if let failure = try tooSmall(row, rules) {
                try exclude(row, failure)
            } else if outdated.count < Self.gatheredCount,
                try isOutdated(row, directoryChanged: lookup.directoryChanged, in: root)
            {
                outdated.append(row)
            }
            return mayGoOn(root)
        }
        guard mayGoOn(root) else { return }
        if directory.path == .root {
            workQueue.update { [counts] in $0.rowsCounted(counts, in: id, sinceCommit: commitCount) }
        }
        try refresh(outdated, in: root)
        // What a user left out is not missing: nothing has to be believed.
        for row in leftOut { try forget(row) }
        if max(outdated.count, leftOut.count) == Self.gatheredCount {
            workQueue.update { $0.orphanScanIncomplete(directory, at: .now) }
        }
        let belief = workQueue.update { [missing, rowCount] in
            $0.orphansFound(missing, of: rowCount, below: directory, at: .now)
        }
        switch belief {
        case .gone: break
        case .later:
            return log.warning(
                "\(missing.count) of \(rowCount) files are missing; looking once more before they are taken out"
            )
        case .kept(let isNews):
            if isNews { warn(ofReplaced: root, missing: missing.count, of: rowCount) }
            return
        }
        for row in gathered { try forget(row) }
        if missing.count > gathered.count {
            workQueue.update { $0.orphanScanIncomplete(directory, at: .now) }
        } else if directory.path == .root {
            try confirm(root)
        }
    }

    /// Makes the row of a file whose bytes are known what the settings want, where they changed while it was read.
    ///
    /// - Returns: whether that is more than to leave it as it is.
    /// - Throws: what reading the ledger throws.
    func obeys(_ row: FileRow, _ rules: PathRules, in root: OpenRoot) throws(CatalogError) -> Bool {
        if let failure = try tooSmall(row, rules) {
            try exclude(row, failure)
            return true
        }
        guard try isOutdated(row, directoryChanged: .min, in: root) else { return false }
        try refreshDocument(of: row, in: root)
        return true
    }

    /// Why the settings leave an image out that has too few pixels for them by now.
    private func tooSmall(_ row: FileRow, _ rules: PathRules) throws(CatalogError) -> FileFailure? {
        guard rules.settings.minimumPixels > 0, case .indexed(let id) = row.state, let image = try ledger.image(id)
        else {
            return nil
        }
        return .tooSmall(image.width, image.height, rules.settings.minimumPixels)
    }

    /// Makes an image a file that is left out.
    private func exclude(_ row: FileRow, _ failure: FileFailure) throws(CatalogError) {
        if workQueue.update({ $0.defersToChange(row.key, at: .now) }) { return }
        // The row may be from before the last change of it was stored.
        guard try ledger.file(row.key)?.state == row.state else { return }
        let change = CatalogChange.fail(key: row.key, stamp: row.stamp, content: row.content, failure: failure)
        submit(CommitEntry(key: row.key, changes: [change], before: .indexed, after: RowKind(failure)))
    }
}

/// Looks up one path after the other, keeping the directory of the last one open: rows come in order of path.
struct Lookup: ~Copyable {
    private var classifier: EntryClassifier
    private var parent: RelativePath?
    private var directory: OwnedDescriptor?
    /// Of that directory; nil where the rules exclude it.
    private var stack: IgnoreStack?
    /// The folder that was asked for last, and whether the settings alone leave it out.
    private var leftOut: (folder: RelativePath, Bool) = (.root, false)
    /// When an entry of that directory last came or went, nanoseconds since 1970.
    private(set) var directoryChanged: Int64 = 0

    init(_ classifier: EntryClassifier) { self.classifier = classifier }

    /// Whether the settings alone leave out the path, whatever lies there.
    mutating func isLeftOut(_ path: RelativePath) -> Bool {
        let folder = path.parent
        if leftOut.folder != folder { leftOut = (folder, classifier.rules.leavesOut(folder: folder)) }
        return leftOut.1 || classifier.rules.leavesOut(path)
    }

    /// Whether there is no regular file at the path, for certain, or one that the rules leave out.
    mutating func isGone(_ path: RelativePath) -> Bool {
        do throws(SystemError) {
            if parent != path.parent {
                parent = nil
                stack = classifier.stack(of: path.parent)
                let opened = try classifier.root.openDirectory(beneath: path.parent)
                directoryChanged = try opened.status().modified
                directory = consume opened
                parent = path.parent
            }
            guard let stack, let status = try directory?.status(ofEntry: Array(path.name)) else { return true }
            switch classifier.classify(status.kind, path, stack) {
            case .image: return classifier.isTooSmall(status)
            case .document: return false
            case .folder, .excluded: return true
            }
        } catch {
            return error.saysAbsent || error.saysNameTooLong
        }
    }
}
