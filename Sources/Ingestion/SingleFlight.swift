internal import Embedding
internal import Platform

/// Single flight by content: while the bytes of one file are being embedded, further files with equal bytes wait for that
/// embedding and share its result.
///
/// A flight lives from its leader's `join` to the leader's commit: from then on the catalog knows the content.
final class SingleFlight: Sendable {
    typealias Result = Swift.Result<EmbeddedImage, EmbeddingError>
    typealias Follower = @Sendable (Result) -> Void

    private enum Flight {
        case embedding([Follower])
        case embedded(EmbeddedImage)
    }

    private let flights = Monitor<[SHA256Digest: Flight]>([:])

    /// Joins the flight of a content, or begins it.
    ///
    /// - Parameters:
    ///   - content: digest of the bytes.
    ///   - follower: called with the result, perhaps at once, when another file leads the flight.
    /// - Returns: true when the caller leads: it embeds, and then calls `complete` and, unless that failed, `end`.
    func join(_ content: SHA256Digest, follower: @escaping Follower) -> Bool {
        enum Role: Sendable { case leads, follows, finds(EmbeddedImage) }
        let role = flights.withLockNotifyingAll { flights -> Role in
            switch flights[content] {
            case nil:
                flights[content] = .embedding([])
                return .leads
            case .embedding(let followers):
                flights[content] = .embedding(followers + [follower])
                return .follows
            case .embedded(let image):
                return .finds(image)
            }
        }
        if case .finds(let image) = role { follower(.success(image)) }
        if case .leads = role { return true }
        return false
    }

    /// Tells the followers the result; a flight that failed ends here.
    func complete(_ content: SHA256Digest, _ result: Result) {
        let followers = flights.withLockNotifyingAll { flights -> [Follower] in
            guard case .embedding(let followers) = flights[content] else { return [] }
            flights[content] = (try? result.get()).map { .embedded($0) }
            return followers
        }
        for follower in followers { follower(result) }
    }

    /// Ends the flight of a content that was committed, or never will be.
    func end(_ content: SHA256Digest) { flights.withLockNotifyingAll { $0[content] = nil } }
}
