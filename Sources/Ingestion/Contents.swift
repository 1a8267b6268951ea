internal import Embedding
internal import Platform

/// The contents that are being embedded now, so that equal files in flight are embedded once.
///
/// An entry lives from its first file's claim to that file's commit: after the commit the catalog knows the content.
final class Contents: Sendable {
    typealias Outcome = Result<EmbeddedImage, EmbeddingError>
    typealias Follower = @Sendable (Outcome) -> Void

    private enum Entry {
        case embedding([Follower])
        case embedded(EmbeddedImage)
    }

    private let entries = Monitor<[SHA256Digest: Entry]>([:])

    /// Claims a content for embedding.
    ///
    /// - Parameters:
    ///   - content: digest of the bytes.
    ///   - follower: called with the outcome, perhaps at once, when another file has the claim.
    /// - Returns: true when the caller embeds, and then calls `settle` and, unless that failed, `release`.
    func claim(_ content: SHA256Digest, follower: @escaping Follower) -> Bool {
        enum Claim: Sendable { case leads, follows, knows(EmbeddedImage) }
        let claim = entries.update { entries -> Claim in
            switch entries[content] {
            case nil:
                entries[content] = .embedding([])
                return .leads
            case .embedding(let followers):
                entries[content] = .embedding(followers + [follower])
                return .follows
            case .embedded(let image):
                return .knows(image)
            }
        }
        if case .knows(let image) = claim { follower(.success(image)) }
        if case .leads = claim { return true }
        return false
    }

    /// Tells the followers what became of the content.
    func settle(_ content: SHA256Digest, _ outcome: Outcome) {
        let followers = entries.update { entries -> [Follower] in
            guard case .embedding(let followers) = entries[content] else { return [] }
            entries[content] = (try? outcome.get()).map { .embedded($0) }
            return followers
        }
        for follower in followers { follower(outcome) }
    }

    /// Forgets a content that was committed, or never will be.
    func release(_ content: SHA256Digest) { entries.update { $0[content] = nil } }
}
