internal import Filters
internal import LinearAlgebra
internal import Platform
internal import VectorIndex

/// Something for the writer thread to do, and the place where its outcome is waited for.
final class WriteRequest: Sendable {
    enum Work: Sendable {
        case apply([CatalogChange])
        case addRoot(RelativePath)
        /// Notes which directory a root's rows agree with.
        case confirmRoot(RootID, RootIdentity)
        /// Removes images as a user does, those that still match.
        case exclude([ImageID], Filter)
        /// Takes the root off the list; the writer then removes its rows piece by piece.
        case closeRoot(RootID)
        /// Drops vectors with their images, whose files are to be read again.
        case drop([Slot])
        /// Deletes all links of the graph.
        case removeLinks
        /// Registers, moves or removes a consumer of the change feed.
        case consumer(ConsumerChange)
        /// Opens the store again if it panicked.
        case recover
        /// Writes the collection anew; no change is taken after it.
        case rewrite(Whitening?, @Sendable (RewritingStep) throws(CatalogFailure) -> Void)
    }

    enum Reply: Sendable {
        case outcomes([CatalogOutcome])
        case root(RootRecord)
        /// How many images it concerned.
        case count(Int)
        case consumer(FeedConsumer?)
        case done
    }

    let work: Work
    private let result = Monitor<Result<Reply, CatalogError>?>(nil)

    init(_ work: Work) { self.work = work }

    /// Counts towards the size of a commit.
    var changeCount: Int {
        switch work {
        case .apply(let changes): changes.count
        case .exclude(let ids, _): ids.count
        case .drop(let slots): slots.count
        case .addRoot, .confirmRoot, .closeRoot, .removeLinks, .consumer, .recover, .rewrite: 1
        }
    }

    var isRewrite: Bool { if case .rewrite = work { true } else { false } }

    func complete(_ outcome: Result<Reply, CatalogError>) { result.withLockNotifyingAll { $0 = outcome } }

    /// Blocks until the writer is done with it.
    func wait() throws(CatalogError) -> Reply {
        guard let outcome = result.wait({ $0 }) else { return .done }
        return try outcome.get()
    }
}
