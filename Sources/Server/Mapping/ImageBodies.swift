internal import Catalog
internal import Filters
internal import Ingestion
internal import Platform
internal import Wire

/// Absolute paths of the files in one reply.
struct RootPaths {
    private let paths: [RootID: RelativePath]

    /// - Parameter roots: the watched folders of the reply's collection.
    init(_ roots: [RootRecord]) {
        paths = Dictionary(roots.map { ($0.id, $0.path) }, uniquingKeysWith: { first, _ in first })
    }

    /// A file's absolute path and its root's; the file's path alone when its root is gone.
    func path(of key: FileKey) -> (full: PathBody, root: PathBody) {
        guard let root = paths[key.root] else { return (PathBody(key.path), PathBody(.root)) }
        let isTop = root.bytes == [UInt8(ascii: "/")]
        let joined = isTop ? root.bytes + key.path.bytes : root.appending(key.path.bytes).bytes
        return (PathBody(RelativePath(bytes: joined)), PathBody(root))
    }
}

/// A path as answers have it: text, and its bytes where the text is not all of it.
struct PathBody {
    let text: String
    let bytes: String?

    init(_ path: RelativePath) {
        text = path.description
        bytes = path.bytes.percentEncodedUnlessText
    }
}

extension ImageBody {
    init(_ record: ImageRecord, _ paths: RootPaths) {
        let (full, root) = paths.path(of: record.key)
        self.init(
            id: record.id.rawValue,
            path: full.text,
            root: root.text,
            format: record.format,
            width: Int(record.width),
            height: Int(record.height),
            bytes: record.byteCount,
            sha256: record.content.description,
            modified: Timestamp.text(record.modified),
            added: Timestamp.text(record.added),
            document: JSONDocument.value(of: record.document),
            pathBytes: full.bytes,
            rootBytes: root.bytes
        )
    }
}

extension SearchResultBody {
    init(_ hit: CatalogHit, _ paths: RootPaths) {
        let path = paths.path(of: hit.image.key).full
        // A millionth is more than fp32 arithmetic keeps; without it the text shows noise.
        let score = (min(max(Double(hit.score), -1), 1) * 1e6).rounded() / 1e6
        self.init(
            id: hit.image.id.rawValue,
            score: score,
            distance: (max(0, 2 - 2 * score).squareRoot() * 1e6).rounded() / 1e6,
            path: path.text,
            width: Int(hit.image.width),
            height: Int(hit.image.height),
            document: JSONDocument.value(of: hit.image.document),
            pathBytes: path.bytes
        )
    }
}

extension ExclusionBody {
    init(_ exclusion: Exclusion, _ paths: RootPaths) {
        let path = paths.path(of: exclusion.key).full
        self.init(path: path.text, reason: exclusion.reason.rawValue, pathBytes: path.bytes)
    }
}

extension FailureBody {
    /// Nil where the file did not fail, or is left out for its pixels: that is an exclusion.
    init?(_ row: FileRow, _ paths: RootPaths) {
        guard case .failed(let failure) = row.state, failure.kind != FileFailure.tooSmallKind else { return nil }
        let path = paths.path(of: row.key).full
        self.init(
            path: path.text,
            kind: failure.kind,
            message: failure.message,
            attempts: Int(failure.attempts),
            nextAttempt: failure.nextAttempt.map(Timestamp.text),
            pathBytes: path.bytes
        )
    }
}
