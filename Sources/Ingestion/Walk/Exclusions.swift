package import Catalog
internal import Platform

/// An entry below a root that is left out.
package struct Exclusion: Sendable, Equatable {
    package var key: FileKey
    package var reason: ExclusionReason

    package init(key: FileKey, reason: ExclusionReason) {
        self.key = key
        self.reason = reason
    }
}

extension Ingestor {
    /// Lists what is left out of the roots that are online, by a walk of its own: nothing is kept for it.
    ///
    /// - Parameters:
    ///   - reason: only this one; nil: all.
    ///   - cursor: the last one of the page before.
    ///   - limit: of the page.
    /// - Returns: exclusions by root, and below it folder by folder in order of their names.
    /// - Throws: what reading the ledger throws.
    /// - Complexity: a walk of everything between two cursors.
    package func exclusions(
        reason: ExclusionReason?,
        after cursor: FileKey?,
        limit: Int
    ) throws(CatalogError) -> [Exclusion] {
        var found: [Exclusion] = []
        let roots = workQueue.read { scheduler in
            scheduler.openRoots.values.compactMap { root in
                scheduler.rules(of: root.record.id).map { (root: root, rules: $0) }
            }
        }
        for (root, rules) in roots.sorted(by: { $0.root.record.id.rawValue < $1.root.record.id.rawValue }) {
            let id = root.record.id
            if let cursor, id.rawValue < cursor.root.rawValue { continue }
            var walk = ExclusionWalk(classifier: EntryClassifier(root, rules), ledger: ledger, wanted: reason)
            walk.limit = limit - found.count
            try walk.enter(.root, below: nil, after: cursor?.root == id ? cursor?.path : nil)
            found += walk.found
            if found.count >= limit { break }
        }
        return found
    }
}

/// A walk in order of names that gathers what is left out.
private struct ExclusionWalk {
    let classifier: EntryClassifier
    let ledger: any FileLedger
    let wanted: ExclusionReason?
    var limit = 0
    private(set) var found: [Exclusion] = []

    init(classifier: EntryClassifier, ledger: any FileLedger, wanted: ExclusionReason?) {
        self.classifier = classifier
        self.ledger = ledger
        self.wanted = wanted
    }

    private var isFull: Bool { found.count >= limit }

    /// Walks a folder.
    ///
    /// - Parameters:
    ///   - folder: the folder.
    ///   - stack: of the folder above.
    ///   - cursor: what comes up to it, in this order, was listed before.
    /// - Throws: what reading the ledger throws.
    mutating func enter(
        _ folder: RelativePath,
        below stack: IgnoreStack?,
        after cursor: RelativePath?
    ) throws(CatalogError) {
        var entries: [(name: [UInt8], entry: EntryClassifier.Entry)] = []
        let inside: IgnoreStack
        switch classifier.enter(folder, below: stack) {
        case .absent: return
        case .excluded(let reason): return add(folder, reason)
        case .marked: return add(folder, .rule)
        case .entered(let directory, _, let stack):
            inside = stack
            do throws(SystemError) {
                try directory.forEachEntry { entry in
                    let path = folder.appending(entry.name)
                    if let kind = classifier.classify(entry, in: directory, path, inside) {
                        entries.append((entry.name, kind))
                    }
                    return true
                }
            } catch {
                if cursor == nil { add(folder, .unreadableFolder) }
            }
        }
        // The directory is closed by now: one is open at a time, however deep the walk goes.
        let (next, isLast) = cursor.map { Self.step(from: folder, to: $0) } ?? ([], false)
        for (name, entry) in entries.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) where !isFull {
            if name.lexicographicallyPrecedes(next) || (isLast && name == next) { continue }
            let path = folder.appending(name)
            if entry == .folder {
                try enter(path, below: inside, after: name == next ? cursor : nil)
            } else if let reason = try reason(of: entry, path) {
                add(path, reason)
            }
        }
    }

    /// The name in `folder` on the way to `path` below it, and whether the path ends there.
    private static func step(from folder: RelativePath, to path: RelativePath) -> (name: [UInt8], isLast: Bool) {
        let rest = path.bytes.dropFirst(folder.bytes.isEmpty ? 0 : folder.bytes.count + 1)
        let name = rest.prefix { $0 != UInt8(ascii: "/") }
        return (Array(name), name.count == rest.count)
    }

    private func reason(
        of entry: EntryClassifier.Entry,
        _ path: RelativePath
    ) throws(CatalogError) -> ExclusionReason? {
        let key = FileKey(root: classifier.root.record.id, path: path)
        switch entry {
        case .excluded(let reason): return reason
        case .folder: return nil
        case .document: return RowKind(try ledger.file(key)) == .badDocument ? nil : .document
        case .image:
            switch RowKind(try ledger.file(key)) {
            case .excluded: return .removed
            case .tooSmall: return .tooSmall
            case .indexed, .failed, .badDocument: return nil
            case .none: return isTooSmall(path) ? .tooSmall : nil
            }
        }
    }

    private func isTooSmall(_ path: RelativePath) -> Bool {
        guard classifier.rules.settings.minimumBytes > 0 else { return false }
        do throws(SystemError) {
            return try classifier.root.status(beneath: path).map(classifier.isTooSmall) ?? false
        } catch {
            return false
        }
    }

    private mutating func add(_ path: RelativePath, _ reason: ExclusionReason) {
        if isFull || wanted != nil && wanted != reason { return }
        found.append(Exclusion(key: FileKey(root: classifier.root.record.id, path: path), reason: reason))
    }
}
