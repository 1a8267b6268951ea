import Catalog
import Harness
import Inference
import Platform
import Storage

/// The whole collection: a place is the number in a file's path.
final class TortureCatalog: TortureSubject {
    private static let hitCount = 3

    var announce: (TorturePhase) -> Void = { _ in }
    let choosesPlaces = false
    private let directory: String
    private var opened: (catalog: Catalog, root: RootID)?

    init(directory: String) { self.directory = directory }

    func open(_ opening: inout TortureOpening) throws {
        var options = CatalogOptions()
        options.mapByteCount = TortureIndex.options.mapByteCount
        options.maximumByteCount = TortureIndex.options.maximumMapByteCount
        options.index = TortureIndex.parameters
        options.eventLimit = 500
        let catalog = try Catalog(
            directory: directory,
            dimension: TortureVector.dimension,
            fingerprint: "weights=torture head=none",
            options: options
        )
        // The index takes part of the work only once a root is there; the call is repeated safely.
        let root = try catalog.addRoot(RelativePath("/torture"))
        opened = (catalog, root.id)
        let statistics = catalog.statistics
        opening.vectorCount = UInt32(statistics.vectorCount)
        opening.storedCount = UInt32(statistics.imageCount)
        opening.findingCount = UInt32(try catalog.audit().count)
    }

    func apply(_ changes: [TortureChange]) throws -> [UInt32] {
        let (catalog, root) = try contents
        // A file that gets other bytes is one change of the catalog.
        let replaced = Set(changes.filter { !$0.isRemoval }.map(\.to))
        let wanted = changes.compactMap { change -> CatalogChange? in
            if change.isRemoval {
                return replaced.contains(change.from) ? nil : .delete(key: key(root, change.from))
            }
            if !change.isAddition {
                return .move(from: key(root, change.from), to: key(root, change.to), stamp: stamp(change.item))
            }
            return .index(
                key: key(root, change.to),
                stamp: stamp(change.item),
                content: SHA256Digest(of: Array("item \(change.item)".utf8)),
                embedded: ImageFeatures(
                    vector: TortureVector.make(change.item),
                    format: "jpeg",
                    width: 640,
                    height: 480
                ),
                document: Array("{\"item\":\(change.item)}".utf8)
            )
        }
        for (change, outcome) in zip(wanted, try catalog.apply(wanted)) {
            guard case .done = outcome else { throw HarnessFailure("\(change) has the outcome \(outcome)") }
        }
        return changes.map(\.to)
    }

    /// The writer checkpoints by itself when nothing is asked of it.
    func checkpoint() throws -> Bool {
        Platform.sleep(seconds: 0.003)
        return false
    }

    func settle() throws {
        let catalog = try contents.catalog
        let deadline = Instant.now + 0.2
        while catalog.statistics.pendingCount > 0, Instant.now < deadline { Platform.sleep(seconds: 0.001) }
    }

    func answer(_ item: UInt32, at place: UInt32) throws -> TortureAnswer {
        let (catalog, _) = try contents
        let vector = TortureVector.make(item)
        var answer = TortureAnswer(item: item)
        func hits(_ vector: [Float], isExact: Bool) throws -> [TortureAnswer.Hit] {
            var query = CatalogQuery(vector: vector)
            query.limit = Self.hitCount
            query.isExact = isExact
            return try catalog.search(query).hits.map { hit in
                let path = hit.image.key.path.description
                return TortureAnswer.Hit(place: UInt32(path) ?? TortureFrame.unknown, score: hit.score)
            }
        }
        answer.exact = try hits(vector, isExact: true)
        answer.own = try hits(vector, isExact: false)
        answer.near = try hits(TortureVector.beside(vector, item), isExact: false)
        return answer
    }

    func close() throws {
        try contents.catalog.close()
        opened = nil
    }

    private var contents: (catalog: Catalog, root: RootID) {
        get throws {
            guard let opened else { throw HarnessFailure("the collection is not open") }
            return opened
        }
    }

    private func key(_ root: RootID, _ place: UInt32) -> FileKey {
        FileKey(root: root, path: RelativePath("\(place)"))
    }

    private func stamp(_ item: UInt32) -> FileStamp {
        FileStamp(device: 1, inode: UInt64(item), byteCount: 1000, modified: Int64(item), changed: Int64(item))
    }
}
