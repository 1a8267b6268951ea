package import Catalog
package import Embedding
package import Platform

/// What ingestion needs of a catalog: the ledger of files and the one way to change it. Tests put a faulty one here.
package protocol FileLedger: Sendable {
    func apply(_ changes: [CatalogChange]) throws(CatalogError) -> [CatalogOutcome]
    func files(withContent content: SHA256Digest, limit: Int) throws(CatalogError) -> [FileKey]
    func image(_ id: ImageID) throws(CatalogError) -> ImageRecord?
    func file(_ key: FileKey) throws(CatalogError) -> FileRow?
    func files(in root: RootID, after path: RelativePath?, limit: Int) throws(CatalogError) -> [FileRow]
    func failures(after key: FileKey?, limit: Int) throws(CatalogError) -> [FileRow]
    func roots() throws(CatalogError) -> [RootRecord]
    func addRoot(_ path: RelativePath) throws(CatalogError) -> RootRecord
    func confirmRoot(_ id: RootID, _ identity: RootIdentity) throws(CatalogError)
    func removeRoot(_ id: RootID) throws(CatalogError)
}

/// What ingestion needs of an embedder: the bulk queue.
package protocol ImageEmbedding: Sendable {
    /// Takes the image; `completion` runs once, on any thread, and must not block for long.
    func submit(
        _ encoded: [UInt8],
        completion: @escaping @Sendable (Result<EmbeddedImage, EmbeddingError>) -> Void
    )
}

extension Catalog: FileLedger {}
extension Embedder: ImageEmbedding {}

extension FileLedger {
    /// Calls `body` for every row below `prefix` in one root, a page at a time, so that no read transaction lasts.
    ///
    /// - Parameters:
    ///   - root: the root.
    ///   - prefix: a directory; `.root` for all rows.
    ///   - body: returns false to stop.
    /// - Throws: what reading the ledger throws.
    func forEachRow(
        in root: RootID,
        below prefix: RelativePath,
        _ body: (FileRow) throws(CatalogError) -> Bool
    ) throws(CatalogError) {
        // No file is called `dir/`, and every path below `dir` sorts after it.
        var last: RelativePath? = prefix.bytes.isEmpty ? nil : RelativePath(bytes: prefix.bytes + [UInt8(ascii: "/")])
        while true {
            let page = try files(in: root, after: last, limit: 1024)
            for row in page {
                guard row.key.path.isWithin(prefix), try body(row) else { return }
            }
            guard let end = page.last, page.count == 1024 else { return }
            last = end.key.path
        }
    }
}
