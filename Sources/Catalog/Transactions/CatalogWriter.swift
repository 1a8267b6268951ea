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
        /// Another generation is in force: what would be written here would be lost.
        var isMoved = false
    }

    private enum Duty {
        case commit([WriteRequest])
        case rewrite(WriteRequest)
        /// Nothing was asked for: checkpoints, closed roots, recovery.
        case maintenance
        case stop
    }

    /// A request is never split, so a commit can be larger than this by one request.
    private static let groupLimit = 256
    private static let gatherSeconds = 0.002
    /// Rows of a closed root that one transaction removes.
    private static let purgeLimit = 256
    /// Images that one transaction takes into the records for filters: some ten milliseconds.
    private static let indexingLimit = 512
    /// Between looks at what the index wants written, and between tries after the disk refused.
    private static let maintenanceSeconds = 0.5
    private static let log = Log("catalog")

    let store: CatalogStore
    private let committer: GroupCommitter
    private let monitor = Monitor(State())
    private let lastTurn = Monitor(Instant.now)

    init(_ store: CatalogStore) throws(CatalogFailure) {
        self.store = store
        committer = GroupCommitter(store)
        let contents = try store.contents()
        let transaction = try CatalogReadTransaction(store.environment, contents.tables)
        let closed = try transaction.allRoots().filter(\.row.isRemoved).map(\.id)
        monitor.withLockNotifyingAll { $0.closedRoots = closed }
    }

    /// The thread's body: returns after `stop`, when all requests are done.
    func run() {
        var lastGroupCount = 1
        while true {
            noteTurn()
            switch nextDuty(lastGroupCount) {
            case .commit(let group):
                lastGroupCount = group.count
                if isMoved {
                    for request in group { request.complete(.failure(Self.moved)) }
                } else {
                    committer.commit(group)
                }
            case .rewrite(let request): rewrite(request)
            case .maintenance: maintenance()
            case .stop:
                finishCheckpoint()
                return
            }
        }
    }

    private static let moved = CatalogError.storage(
        detail: "the collection was written anew; it is about to be opened again"
    )

    private var isMoved: Bool { monitor.withLock { $0.isMoved } }
    var isClosing: Bool { monitor.withLock { $0.isClosing } }

    /// For work that takes long: the thread is not stuck.
    func noteTurn() { lastTurn.withLockNotifyingAll { $0 = .now } }

    private func rewrite(_ request: WriteRequest) {
        guard case .rewrite(let whitening, let step) = request.work else { return }
        guard !isMoved else { return request.complete(.failure(Self.moved)) }
        do throws(CatalogFailure) {
            defer {
                // However it ended: the generation that a restart finds decides.
                let found = try? CollectionGenerations(store.generations.directory).current
                if found != store.generations.current { monitor.withLockNotifyingAll { $0.isMoved = true } }
            }
            try rewrite(whitening, step)
        } catch {
            Self.log.error("the collection was not written anew: \(error.error)")
            return request.complete(.failure(error.error))
        }
        request.complete(.success(.done))
    }

    /// How long ago the thread last came round. Half a second when idle; longer only inside a transaction.
    var secondsSinceTurn: Double { Instant.now - lastTurn.withLock { $0 } }

    /// Hands a request in; it is refused after `stop`.
    func submit(_ work: WriteRequest.Work) throws(CatalogError) -> WriteRequest.Reply {
        let request = WriteRequest(work)
        let isTaken = monitor.withLockNotifyingAll { state -> Bool in
            if state.isClosing { return false }
            state.queue.append(request)
            return true
        }
        guard isTaken else { throw .storage(detail: "the collection is closed") }
        return try request.wait()
    }

    func stop() { monitor.withLockNotifyingAll { $0.isClosing = true } }

    /// Takes a root off the list and blocks until its rows are gone, which takes many transactions.
    func removeRoot(_ root: RootID) throws(CatalogError) {
        _ = try submit(.closeRoot(root))
        monitor.withLockNotifyingAll { state in
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
        let deadline = Instant.now + (hasMaintenance ? 0 : Self.maintenanceSeconds)
        let first = monitor.wait(until: deadline) { state -> Bool? in
            state.queue.isEmpty && !state.isClosing ? nil : true
        }
        guard first != nil else { return .maintenance }
        if lastGroupCount > 1 {
            // Others of the last group are about to come back.
            _ = monitor.wait(until: Instant.now + Self.gatherSeconds) { state -> Bool? in
                state.queue.count >= lastGroupCount || state.isClosing ? true : nil
            }
        }
        let group = monitor.withLockNotifyingAll { state -> [WriteRequest] in
            var changeCount = 0
            let end =
                state.queue.firstIndex { request in
                    defer { changeCount += request.changeCount }
                    return changeCount >= Self.groupLimit || request.isRewrite
                } ?? state.queue.count
            // One that writes everything anew goes alone.
            let group = Array(state.queue[..<max(end, state.queue.isEmpty ? 0 : 1)])
            state.queue.removeFirst(group.count)
            return group
        }
        guard let first = group.first else { return .stop }
        return first.isRewrite ? .rewrite(first) : .commit(group)
    }

    /// Whether there is more to do than waiting for requests.
    private var hasMaintenance: Bool {
        guard !committer.isBackingOff, !isMoved else { return false }
        return monitor.withLock { !$0.closedRoots.isEmpty } || needsCheckpoint || store.counts.lacksFields
    }

    private var needsCheckpoint: Bool {
        guard let contents = try? store.contents() else { return false }
        return contents.index.needsCheckpoint
    }

    // MARK: Maintenance

    private func maintenance() {
        if store.isPanicked {
            committer.recover()
            return
        }
        guard !committer.isBackingOff, !isMoved else { return }
        if let root = monitor.withLock({ $0.closedRoots.first }) { purge(root) }
        if needsCheckpoint { _ = committer.checkpoint() }
        if store.counts.lacksFields { committer.indexFields(limit: Self.indexingLimit) }
    }

    private func purge(_ root: RootID) {
        switch committer.purge(root, limit: Self.purgeLimit) {
        case .success(let hasMore):
            monitor.withLockNotifyingAll { state in
                if !hasMore { state.closedRoots.removeAll { $0 == root } }
                state.purgeFailure = nil
            }
        case .failure(let error):
            Self.log.error("removing the files of root \(root.rawValue) pauses: \(error)")
            monitor.withLockNotifyingAll { $0.purgeFailure = error }
        }
    }

    /// Writes what the index still holds back, so that the next start links nothing again.
    private func finishCheckpoint() {
        guard !isMoved, let contents = try? store.contents() else { return }
        contents.index.stop()
        while committer.checkpoint() {}
    }
}
