internal import Catalog
internal import Platform

/// Finds the old name of bytes that turned up under a new one. Nothing is paired by events: the content decides.
struct Renames: Sendable {
    let ledger: any FileLedger
    private static let candidateLimit = 16

    init(ledger: any FileLedger) { self.ledger = ledger }

    /// The key of an indexed file with these bytes whose path is gone, so that its image can take the new path.
    ///
    /// - Parameters:
    ///   - content: digest of the bytes at `key`.
    ///   - key: the new name.
    ///   - roots: those that are online; in the others nothing is known to be gone.
    func source(
        of content: SHA256Digest,
        for key: FileKey,
        roots: [RootID: OpenRoot]
    ) throws(CatalogError) -> FileKey? {
        for old in try ledger.files(withContent: content, limit: Self.candidateLimit) where old != key {
            guard let root = roots[old.root] else { continue }
            if root.lacks(old.path) { return old }
        }
        return nil
    }
}
