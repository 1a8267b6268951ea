import Catalog
import Platform
import TestSupport

/// A collection in a folder of its own, with one root.
final class CatalogFixture {
    static let dimension = 16
    static let fingerprint = "weights=test head=max"

    let folder: TemporaryDirectory
    private(set) var catalog: Catalog
    let root: RootID

    init(options: CatalogOptions = CatalogFixture.options()) throws {
        folder = try TemporaryDirectory()
        catalog = try Self.open(folder.path, options)
        root = try catalog.addRoot(RelativePath("/photos")).id
    }

    deinit { catalog.close() }

    /// Small maps: many collections are open at once in a test run.
    static func options(maximumByteCount: Int = 1 << 32) -> CatalogOptions {
        var options = CatalogOptions()
        options.mapByteCount = min(1 << 26, maximumByteCount)
        options.maximumByteCount = maximumByteCount
        return options
    }

    static func open(_ path: String, _ options: CatalogOptions = options()) throws(CatalogError) -> Catalog {
        try Catalog(directory: path, dimension: dimension, fingerprint: fingerprint, options: options)
    }

    func reopen() throws {
        catalog.close()
        catalog = try Self.open(folder.path)
    }

    func key(_ path: String) -> FileKey { FileKey(root: root, path: RelativePath(path)) }

    /// The same unit vector for the same number, another one for another.
    static func vector(_ seed: Int) -> [Float] {
        var state = UInt64(bitPattern: Int64(seed)) &* 0x9E37_79B9_7F4A_7C15 | 1
        let raw = (0..<dimension).map { _ -> Float in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Float(state >> 40) / Float(1 << 24) - 0.5
        }
        let norm = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return raw.map { $0 / norm }
    }

    static func content(_ seed: Int) -> SHA256Digest { SHA256Digest(of: Array("content \(seed)".utf8)) }

    static func stamp(_ seed: Int) -> FileStamp {
        FileStamp(
            device: 1,
            inode: UInt64(seed),
            byteCount: UInt64(1000 + seed),
            modified: Int64(seed) * 1_000_000,
            changed: Int64(seed) * 1_000_001
        )
    }

    /// The file at `path` holds picture `seed`.
    func indexing(_ path: String, _ seed: Int, document: String = "", isEmbedded: Bool = true) -> CatalogChange {
        .index(
            key: key(path),
            stamp: Self.stamp(seed),
            content: Self.content(seed),
            embedded: isEmbedded
                ? ImageFeatures(vector: Self.vector(seed), format: "jpeg", width: 640, height: 480) : nil,
            document: Array(document.utf8)
        )
    }

    @discardableResult
    func index(_ path: String, _ seed: Int) throws -> ImageID {
        guard case .done(let id?) = try catalog.apply([indexing(path, seed)])[0] else { throw Unexpected() }
        return id
    }

    func search(_ seed: Int, _ change: (inout CatalogQuery) -> Void = { _ in }) throws -> [CatalogHit] {
        var query = CatalogQuery(vector: Self.vector(seed))
        change(&query)
        return try catalog.search(query).hits
    }

    struct Unexpected: Error {}
}
