internal import Platform
internal import Storage
internal import VectorIndex

/// Runs write transactions for the writer thread and sorts out how they can fail.
///
/// - A damaged record or a refusal of the index is one request's own: that request fails, the others are tried again.
/// - A full map grows, and the group is tried again.
/// - A full disk fails the group's callers; memory is as before.
/// - A panic fails them too, after the store was opened and read again, unless the commit turns out to be there.
final class GroupCommitter: Sendable {
    private static let log = Log("catalog")
    /// How long maintenance pauses after the disk refused it.
    private static let backoffSeconds = 5.0

    private let store: CatalogStore
    private let backsOffUntil = Monitor(Instant(nanoseconds: 0))

    init(_ store: CatalogStore) { self.store = store }

    /// Whether maintenance that was refused is not tried again yet.
    var isBackingOff: Bool { backsOffUntil.withLock { $0 } > Instant.now }

    /// Commits `group` together and completes every request of it.
    func commit(_ group: [WriteRequest]) {
        var waiting = group
        var mayRecover = true
        while !waiting.isEmpty {
            var replies: [WriteRequest.Reply] = []
            let attempt = transact { (batch) throws(CatalogFailure) in
                replies = []
                for request in waiting { replies.append(try self.perform(request.work, &batch)) }
            }
            switch attempt {
            case .committed:
                for (request, reply) in zip(waiting, replies) { request.complete(.success(reply)) }
                return
            case .refused(let failure) where failure.isOfOneRequest && replies.count < waiting.count:
                // The request at fault is the one after those that have replies.
                waiting.remove(at: replies.count).complete(.failure(failure.error))
            case .refused(let failure) where failure.isOfOneRequest && waiting.count > 1:
                // It showed when the changes were put together: each alone tells whose it is.
                for request in waiting { commit([request]) }
                return
            case .refused(let failure) where failure.storageCode == .panicked && mayRecover:
                // The panic is an older one: nothing of this group was tried.
                mayRecover = false
                if !recover() { return fail(waiting, failure) }
            case .refused(let failure):
                return fail(waiting, failure)
            case .unknown(let failure, let commitCount):
                if recover(), storedCommitCount == commitCount {
                    for (request, reply) in zip(waiting, replies) { request.complete(.success(reply)) }
                    return
                }
                return fail(waiting, failure)
            }
        }
    }

    /// Removes a piece of a closed root.
    ///
    /// - Returns: whether there is more.
    func purge(_ root: RootID, limit: Int) -> Result<Bool, CatalogError> {
        var hasMore = false
        let attempt = transact { (batch) throws(CatalogFailure) in
            if let row = try batch.transaction.root(root) { store.rootLeaves(row.record(root)) }
            hasMore = try batch.purgeRoot(root, limit: limit)
        }
        switch attempt {
        case .committed: return .success(hasMore)
        case .refused(let failure), .unknown(let failure, _):
            backOff()
            return .failure(failure.error)
        }
    }

    /// Writes a bounded part of what the index holds back.
    ///
    /// - Returns: whether there is more; false also when the disk refused.
    func checkpoint() -> Bool {
        var hasMore = false
        let attempt = transact { (batch) throws(CatalogFailure) in
            hasMore = try batch.checkpointIndex()
        }
        switch attempt {
        case .committed: return hasMore
        case .refused(let failure), .unknown(let failure, _):
            Self.log.warning("the graph's checkpoint has to wait: \(failure.error)")
            backOff()
            return false
        }
    }

    /// Takes more images of an older collection into the records for filters.
    func indexFields(limit: Int) {
        let attempt = transact { (batch) throws(CatalogFailure) in
            if try !batch.indexFields(limit: limit) {
                Self.log.notice("the records for filters cover all images")
            }
        }
        switch attempt {
        case .committed: return
        case .refused(let failure), .unknown(let failure, _):
            Self.log.warning("filters stay slow until all images are in their records, which pauses: \(failure.error)")
            backOff()
        }
    }

    private func backOff() {
        backsOffUntil.withLockNotifyingAll { $0 = Instant.now + Self.backoffSeconds }
        recover()
    }

    /// Opens the store again after a panic.
    ///
    /// - Returns: whether it works.
    @discardableResult
    func recover() -> Bool {
        guard store.isPanicked else { return true }
        Self.log.error("the store failed in the middle of a commit and is opened again")
        do throws(CatalogFailure) {
            try store.recover()
            Self.log.notice("the store works again")
            return true
        } catch {
            Self.log.error("the store cannot be opened again yet: \(error.error)")
            return false
        }
    }

    // MARK: One transaction

    private enum Attempt {
        case committed
        /// Nothing was stored.
        case refused(CatalogFailure)
        /// The store panicked in the commit; it holds the transaction if its commit count is this.
        case unknown(CatalogFailure, commitCount: UInt64)
    }

    /// Runs `body` in a write transaction and commits it, with a larger map when the map is full.
    private func transact(_ body: (inout ChangeBatch) throws(CatalogFailure) -> Void) -> Attempt {
        while true {
            let contents: CatalogStore.Contents
            do throws(CatalogFailure) { contents = try store.contents() } catch {
                return .refused(brokenIsPanic(error))
            }
            let attempt = attemptOnce(contents, body)
            guard case .refused(let failure) = attempt, failure.storageCode == .mapFull else { return attempt }
            do throws(StorageError) { try store.environment.grow() } catch { return .refused(.storage(error)) }
        }
    }

    private func attemptOnce(
        _ contents: CatalogStore.Contents,
        _ body: (inout ChangeBatch) throws(CatalogFailure) -> Void
    ) -> Attempt {
        var commitCount: UInt64?
        var sequence: UInt64 = 0
        do throws(CatalogFailure) {
            var batch = try ChangeBatch(store.environment, contents, store.options.feedLimits)
            try body(&batch)
            try batch.finish()
            commitCount = batch.state.commitCount
            sequence = batch.state.sequence
            try batch.commit()
        } catch {
            contents.index.discard()
            if let commitCount, store.isPanicked { return .unknown(error, commitCount: commitCount) }
            return .refused(error)
        }
        contents.index.publish()
        do throws(CatalogFailure) { try store.refreshCounts() } catch {
            Self.log.warning("counts are those of an earlier commit: \(error.error)")
        }
        // Also where the counts could not be read: whoever waits for this commit is told of it.
        store.feed.note(sequence)
        return .committed
    }

    private func perform(
        _ work: WriteRequest.Work,
        _ batch: inout ChangeBatch
    ) throws(CatalogFailure) -> WriteRequest.Reply {
        switch work {
        case .apply(let changes):
            var outcomes: [CatalogOutcome] = []
            for change in changes { outcomes.append(try batch.apply(change)) }
            return .outcomes(outcomes)
        case .addRoot(let path): return .root(try batch.addRoot(path))
        case .confirmRoot(let id, let identity):
            try batch.confirmRoot(id, identity)
            return .done
        case .exclude(let ids, let filter): return .count(try batch.exclude(ids, matching: filter))
        case .closeRoot(let id):
            try batch.closeRoot(id)
            return .done
        case .drop(let slots): return .count(try batch.drop(slots))
        case .removeLinks:
            try batch.removeLinks()
            return .done
        case .consumer(let change): return .consumer(try batch.apply(change))
        case .recover, .rewrite: return .done
        }
    }

    private func fail(_ requests: [WriteRequest], _ failure: CatalogFailure) {
        Self.log.warning("\(requests.count) requests were not stored: \(failure.error)")
        for request in requests { request.complete(.failure(failure.error)) }
    }

    /// A store that could not be recovered yet is as good as panicked: it is worth another try.
    private func brokenIsPanic(_ failure: CatalogFailure) -> CatalogFailure {
        store.isPanicked ? .storage(StorageError(code: .panicked, operation: "\(failure.error)")) : failure
    }

    private var storedCommitCount: UInt64? {
        guard let tables = try? store.contents().tables,
            let transaction = try? CatalogReadTransaction(store.environment, tables)
        else { return nil }
        return try? CatalogState(transaction).commitCount
    }
}
