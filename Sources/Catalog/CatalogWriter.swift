internal import Platform
internal import Storage
internal import VectorIndex

/// The collection's only writer: one thread that commits what has come together as one transaction.
///
/// While one commit is on its way to the disk, requests gather for the next: the slower the disk, the larger the
/// groups. When the last group had several requests, the writer waits a moment for as many, because their callers
/// come back one after the other.
final class CatalogWriter: Sendable {
    private struct State {
        var queue: [WriteRequest] = []
        /// Roots off the list whose rows are still there.
        var closedRoots: [RootID] = []
        /// Why rows of a closed root could not be removed; told to those who wait for it.
        var purgeFailure: CatalogError?
        var isClosing = false
    }

    private enum Duty {
        case commit([WriteRequest])
        /// Nothing was asked for: checkpoints, closed roots, recovery.
        case upkeep
        case stop
    }

    /// A request is never split, so a commit can be larger than this by one request.
    private static let groupLimit = 256
    private static let gatherSeconds = 0.002
    /// Rows of a closed root that one transaction removes.
    private static let purgeLimit = 256
    /// Between looks at what the index wants written, and between tries after the disk refused.
    private static let upkeepSeconds = 0.5
    private static let log = Log("catalog")

    private let store: CatalogStore
    private let committer: GroupCommitter
    private let monitor = Monitor(State())
    private let lastTurn = Monitor(Instant.now)

    init(_ store: CatalogStore, eventLimit: UInt64) throws(CatalogFailure) {
        self.store = store
        committer = GroupCommitter(store, eventLimit: eventLimit)
        let contents = try store.contents()
        let transaction = try storing { () throws(StorageError) in try ReadTransaction(store.environment) }
        let closed = try contents.tables.allRoots(transaction).filter(\.row.isRemoved).map(\.id)
        monitor.update { $0.closedRoots = closed }
    }

    /// The thread's body: returns after `stop`, when all requests are done.
    func run() {
        var lastGroupCount = 1
        while true {
            lastTurn.update { $0 = .now }
            switch nextDuty(lastGroupCount) {
            case .commit(let group):
                lastGroupCount = group.count
                committer.commit(group)
            case .upkeep: upkeep()
            case .stop:
                finishCheckpoint()
                return
            }
        }
    }

    /// How long ago the thread last came round. Half a second when idle; longer only inside a transaction.
    var secondsSinceTurn: Double { Instant.now - lastTurn.read { $0 } }

    /// Hands a request in; it is refused after `stop`.
    func submit(_ work: WriteRequest.Work) throws(CatalogError) -> WriteRequest.Reply {
        let request = WriteRequest(work)
        let isTaken = monitor.update { state -> Bool in
            if state.isClosing { return false }
            state.queue.append(request)
            return true
        }
        guard isTaken else { throw .storage(detail: "the collection is closed") }
        return try request.wait()
    }

    func stop() { monitor.update { $0.isClosing = true } }

    /// Takes a root off the list and blocks until its rows are gone, which takes many transactions.
    func removeRoot(_ root: RootID) throws(CatalogError) {
        _ = try submit(.closeRoot(root))
        monitor.update { state in
            if !state.closedRoots.contains(root) { state.closedRoots.append(root) }
            state.purgeFailure = nil
        }
        let failure = monitor.wait { state -> CatalogError?? in
            if let failure = state.purgeFailure { return .some(failure) }
            if state.closedRoots.contains(root), !state.isClosing { return nil }
            return .some(nil)
        }
        if let failure = failure ?? nil { throw failure }
    }

    // MARK: What to do next

    private func nextDuty(_ lastGroupCount: Int) -> Duty {
        let deadline = Instant.now + (hasUpkeep ? 0 : Self.upkeepSeconds)
        let first = monitor.wait(until: deadline) { state -> Bool? in
            state.queue.isEmpty && !state.isClosing ? nil : true
        }
        guard first != nil else { return .upkeep }
        if lastGroupCount > 1 {
            // Others of the last group are about to come back.
            _ = monitor.wait(until: Instant.now + Self.gatherSeconds) { state -> Bool? in
                state.queue.count >= lastGroupCount || state.isClosing ? true : nil
            }
        }
        let group = monitor.update { state -> [WriteRequest] in
            var changeCount = 0
            let end =
                state.queue.firstIndex { request in
                    defer { changeCount += request.changeCount }
                    return changeCount >= Self.groupLimit
                } ?? state.queue.count
            let group = Array(state.queue[..<end])
            state.queue.removeFirst(end)
            return group
        }
        return group.isEmpty ? .stop : .commit(group)
    }

    /// Whether there is more to do than waiting for requests.
    private var hasUpkeep: Bool {
        guard !committer.isResting else { return false }
        return monitor.read { !$0.closedRoots.isEmpty } || needsCheckpoint
    }

    private var needsCheckpoint: Bool {
        guard let contents = try? store.contents() else { return false }
        return contents.index.needsCheckpoint
    }

    // MARK: Upkeep

    private func upkeep() {
        if store.isPanicked {
            committer.recover()
            return
        }
        guard !committer.isResting else { return }
        if let root = monitor.read({ $0.closedRoots.first }) { purge(root) }
        if needsCheckpoint { _ = committer.checkpoint() }
    }

    private func purge(_ root: RootID) {
        switch committer.purge(root, limit: Self.purgeLimit) {
        case .success(let hasMore):
            monitor.update { state in
                if !hasMore { state.closedRoots.removeAll { $0 == root } }
                state.purgeFailure = nil
            }
        case .failure(let error):
            Self.log.error("removing the files of root \(root.rawValue) pauses: \(error)")
            monitor.update { $0.purgeFailure = error }
        }
    }

    /// Writes what the index still holds back, so that the next start links nothing again.
    private func finishCheckpoint() {
        guard let contents = try? store.contents() else { return }
        contents.index.stop()
        while committer.checkpoint() {}
    }
}
