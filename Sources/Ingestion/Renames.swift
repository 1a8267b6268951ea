internal import Catalog
internal import Platform

/// Finds the old name of bytes that turned up under a new one. Nothing is paired by events: the content decides.
struct Renames: Sendable {
    let ledger: any FileLedger
    private static let candidateLimit = 16

    init(ledger: any FileLedger) { self.ledger = ledger }

    /// An image with these bytes whose file is gone, so that it can take the new path.
    ///
    /// - Parameters:
    ///   - content: digest of the bytes at `key`.
    ///   - key: the new name.
    ///   - roots: those that are online; in the others nothing is known to be gone.
    /// - Returns: nil when there is none: the bytes are new, or a copy.
    /// - Throws: what reading the ledger throws.
    func source(
        of content: SHA256Digest,
        for key: FileKey,
        roots: [RootID: OpenRoot]
    ) throws(CatalogError) -> ImageRecord? {
        for old in try ledger.files(withContent: content, limit: Self.candidateLimit) where old != key {
            guard let root = roots[old.root] else { continue }
            guard root.lacks(old.path), case .indexed(let id) = try ledger.file(old)?.state else { continue }
            if let image = try ledger.image(id) { return image }
        }
        return nil
    }
}
