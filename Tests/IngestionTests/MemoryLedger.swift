import Catalog
import Ingestion
import Platform

/// A catalog in memory that can be told to fail, and that keeps the catalog's promises strictly: a change that should
/// not come is remembered as a fault.
final class MemoryLedger: FileLedger {
    struct State {
        var roots: [RootRecord] = []
        var rows: [FileKey: FileRow] = [:]
        var images: [ImageID: ImageRecord] = [:]
        var nextImage: UInt64 = 1
        var failure: CatalogError?
        var batchCount = 0
        var changeCount = 0
        var refusedPath: RelativePath?
    }

    let state = Monitor(State())

    func fail(with error: CatalogError?) { state.withLockNotifyingAll { $0.failure = error } }

    var rows: [FileKey: FileRow] { state.withLock { $0.rows } }
    var images: [ImageID: ImageRecord] { state.withLock { $0.images } }

    /// Paths of indexed files with their images, for one root.
    func indexed(_ root: RootID) -> [String: ImageID] {
        var result: [String: ImageID] = [:]
        for (key, row) in rows where key.root == root {
            if case .indexed(let id) = row.state { result[key.path.description] = id }
        }
        return result
    }

    /// Kinds of failed files by path.
    func failed(_ root: RootID) -> [String: String] {
        var result: [String: String] = [:]
        for (key, row) in rows where key.root == root {
            if case .failed(let failure) = row.state { result[key.path.description] = failure.kind }
        }
        return result
    }

    func apply(_ changes: [CatalogChange]) throws(CatalogError) -> [CatalogOutcome] {
        let result: Result<[CatalogOutcome], CatalogError> = state.withLockNotifyingAll { state in
            if let failure = state.failure { return .failure(failure) }
            if let refused = state.refusedPath, changes.contains(where: { Self.key(of: $0)?.path == refused }) {
                return .failure(.wrongDimension(got: 1, expected: 2))
            }
            state.batchCount += 1
            state.changeCount += changes.count
            return .success(changes.map { Self.apply($0, &state) })
        }
        return try result.get()
    }

    private static func key(of change: CatalogChange) -> FileKey? {
        switch change {
        case .index(let key, _, _, _, _), .fail(let key, _, _, _), .refreshStat(let key, _), .move(_, let key, _),
            .setDocument(let key, _), .delete(let key):
            key
        case .exclude: nil
        }
    }

    private static func apply(_ change: CatalogChange, _ state: inout State) -> CatalogOutcome {
        switch change {
        case .index(let key, let stamp, let content, let embedded, let document):
            let known = state.images.values.first { $0.content == content }
            guard embedded != nil || known != nil else { return .needsVector }
            var id = ImageID(rawValue: state.nextImage)
            if case .indexed(let old) = state.rows[key]?.state { id = old } else { state.nextImage += 1 }
            state.images[id] = ImageRecord(
                id: id,
                key: key,
                content: content,
                format: embedded?.format ?? known?.format ?? "jpeg",
                width: embedded?.width ?? known?.width ?? 1,
                height: embedded?.height ?? known?.height ?? 1,
                byteCount: stamp.byteCount,
                modified: stamp.modified,
                added: wallClockNanoseconds(),
                document: document
            )
            state.rows[key] = FileRow(key: key, stamp: stamp, content: content, state: .indexed(id))
            return .done(id)
        case .fail(let key, let stamp, let content, let failure):
            if case .indexed(let old) = state.rows[key]?.state { state.images[old] = nil }
            state.rows[key] = FileRow(key: key, stamp: stamp, content: content, state: .failed(failure))
            return .done(nil)
        case .refreshStat(let key, let stamp):
            guard state.rows[key] != nil else { return .notFound }
            state.rows[key]?.stamp = stamp
            return .done(nil)
        case .move(let old, let key, let stamp):
            guard case .indexed(let id) = state.rows[old]?.state, let row = state.rows[old] else { return .notFound }
            if case .indexed(let replaced) = state.rows[key]?.state { state.images[replaced] = nil }
            state.rows[old] = nil
            state.rows[key] = FileRow(key: key, stamp: stamp, content: row.content, state: row.state)
            state.images[id]?.key = key
            return .done(id)
        case .setDocument(let key, let document):
            guard case .indexed(let id) = state.rows[key]?.state else { return .notFound }
            state.images[id]?.document = document
            return .done(id)
        case .delete(let key):
            guard let row = state.rows.removeValue(forKey: key) else { return .notFound }
            if case .indexed(let id) = row.state { state.images[id] = nil }
            return .done(nil)
        case .exclude(let id):
            guard let image = state.images.removeValue(forKey: id) else { return .notFound }
            state.rows[image.key]?.state = .excluded
            return .done(id)
        }
    }

    func files(withContent content: SHA256Digest, limit: Int) throws(CatalogError) -> [FileKey] {
        state.withLock { Array($0.images.values.filter { $0.content == content }.map(\.key).prefix(limit)) }
    }

    func image(_ id: ImageID) throws(CatalogError) -> ImageRecord? { state.withLock { $0.images[id] } }

    func file(_ key: FileKey) throws(CatalogError) -> FileRow? { state.withLock { $0.rows[key] } }

    func files(in root: RootID, after path: RelativePath?, limit: Int) throws(CatalogError) -> [FileRow] {
        state.withLockNotifyingAll { state in
            let all = state.rows.values.filter { row in
                row.key.root == root && path.map { $0 < row.key.path } ?? true
            }
            return Array(all.sorted { $0.key.path < $1.key.path }.prefix(limit))
        }
    }

    func failures(after key: FileKey?, limit: Int) throws(CatalogError) -> [FileRow] {
        state.withLockNotifyingAll { state in
            let all = state.rows.values.filter { if case .failed = $0.state { true } else { false } }
            let sorted = all.sorted { ($0.key.root.rawValue, $0.key.path) < ($1.key.root.rawValue, $1.key.path) }
            return Array(
                sorted.filter { row in
                    key.map { ($0.root.rawValue, $0.path) < (row.key.root.rawValue, row.key.path) } ?? true
                }.prefix(limit)
            )
        }
    }

    func roots() throws(CatalogError) -> [RootRecord] { state.withLock { $0.roots } }

    func addRoot(_ path: RelativePath) throws(CatalogError) -> RootRecord {
        state.withLockNotifyingAll { state in
            if let known = state.roots.first(where: { $0.path == path }) { return known }
            let record = RootRecord(id: RootID(rawValue: UInt32(state.roots.count + 1)), path: path)
            state.roots.append(record)
            return record
        }
    }

    func confirmRoot(_ id: RootID, _ identity: RootIdentity) throws(CatalogError) {
        state.withLockNotifyingAll { state in
            for index in state.roots.indices where state.roots[index].id == id {
                state.roots[index] = RootRecord(id: id, path: state.roots[index].path, identity: identity)
            }
        }
    }

    func removeRoot(_ id: RootID) throws(CatalogError) {
        state.withLockNotifyingAll { state in
            state.roots.removeAll { $0.id == id }
            state.rows = state.rows.filter { $0.key.root != id }
            state.images = state.images.filter { $0.value.key.root != id }
        }
    }
}
