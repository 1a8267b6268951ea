package import Platform

/// One collection: images, documents, files and vectors in one LMDB environment, and the only writer to it.
///
/// Reads run on the calling thread in short read transactions; changes go to the one writer thread, which commits
/// what has come together as one transaction (group commit). Callable from any thread that may block.
package final class Catalog: Sendable {
    /// Opens or makes the collection in `directory`.
    ///
    /// - Parameters:
    ///   - directory: absolute path; made when missing.
    ///   - dimension: length of the vectors.
    ///   - fingerprint: {weights, preprocessing, head} as one line of text; vectors of two never mix.
    package init(directory: String, dimension: Int, fingerprint: String) throws(CatalogError) { fatalError("interface only") }

    /// Stops the writer after what it holds, checkpoints and closes. Callable once; nothing may be called after it.
    package func close() { fatalError("interface only") }

    package let dimension: Int
    package var statistics: CatalogStatistics { fatalError("interface only") }

    /// Stores a batch in one transaction with others; returns after the commit: durable and searchable.
    ///
    /// - Returns: one outcome a change, in order.
    /// - Throws: the whole batch was not stored.
    package func apply(_ changes: [CatalogChange]) throws(CatalogError) -> [CatalogOutcome] { fatalError("interface only") }

    /// Whether a vector for these bytes is stored, so that `index` needs none.
    package func knowsContent(_ content: SHA256Digest) throws(CatalogError) -> Bool { fatalError("interface only") }

    /// Keys of indexed files with these bytes, at most `limit`.
    package func files(withContent content: SHA256Digest, limit: Int) throws(CatalogError) -> [FileKey] {
        fatalError("interface only")
    }

    package func search(_ query: CatalogQuery) throws(CatalogError) -> CatalogResults { fatalError("interface only") }

    /// The stored vector of an image; nil when there is no such image.
    package func vector(of id: ImageID) throws(CatalogError) -> [Float]? { fatalError("interface only") }

    package func image(_ id: ImageID) throws(CatalogError) -> ImageRecord? { fatalError("interface only") }

    /// Images with ids above `cursor`, in order of id: stable under inserts.
    package func images(after cursor: ImageID?, limit: Int) throws(CatalogError) -> [ImageRecord] {
        fatalError("interface only")
    }

    package func file(_ key: FileKey) throws(CatalogError) -> FileRow? { fatalError("interface only") }

    /// Rows of one root in byte order of stored keys, in pages: those after `path`, at most `limit`.
    package func files(in root: RootID, after path: RelativePath?, limit: Int) throws(CatalogError) -> [FileRow] {
        fatalError("interface only")
    }

    /// Failed files of all roots, in pages.
    package func failures(after key: FileKey?, limit: Int) throws(CatalogError) -> [FileRow] { fatalError("interface only") }

    package func roots() throws(CatalogError) -> [RootRecord] { fatalError("interface only") }

    /// The root with this path, made when it is new.
    package func addRoot(_ path: RelativePath) throws(CatalogError) -> RootRecord { fatalError("interface only") }

    /// Forgets a root with all its files and images, in bounded transactions.
    package func removeRoot(_ id: RootID) throws(CatalogError) { fatalError("interface only") }
}
