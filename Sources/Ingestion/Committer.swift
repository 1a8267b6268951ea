internal import Catalog
internal import Platform

/// The one way into the ledger: collects deliveries and applies them as one transaction after at most 20 ms.
///
/// While the disk is full it keeps what it has, says why on the work queue, and tries again; upstream everything comes to
/// rest by its bounds.
final class Committer: Sendable {
    private let workQueue: WorkQueue
    private let ledger: any FileLedger
    private let contents: Contents
    private let queue: BoundedQueue<Delivery>
    /// Held while a batch is applied, so that a root is not removed in the middle of one.
    private let applying = Monitor(())
    private let seconds = Monitor(0.0)
    private let log = Log("ingest")

    init(workQueue: WorkQueue, ledger: any FileLedger, contents: Contents) {
        self.workQueue = workQueue
        self.ledger = ledger
        self.contents = contents
        // Room for all flights and all errands: handing over never blocks.
        queue = BoundedQueue(capacity: workQueue.configuration.flightCapacity + 2048)
    }

    /// Hands over; never blocks as long as flights and errands keep their bounds.
    func deliver(_ delivery: Delivery) {
        if !queue.push(delivery) { release(delivery, .unchanged) }
    }

    /// The thread's body; returns after `close`, with everything that was delivered committed or given up.
    func run() {
        while let first = queue.pop() {
            var batch = [first]
            let deadline = Instant.now + workQueue.configuration.commitDelay
            while batch.count < workQueue.configuration.commitCount, let next = queue.pop(until: deadline) {
                batch.append(next)
            }
            commit(batch)
        }
    }

    /// Seconds spent in the ledger's transactions.
    var commitSeconds: Double { seconds.read { $0 } }

    /// Takes no more.
    func close() { queue.close() }

    /// Runs `body` while no batch is being applied.
    func withoutCommits<R: Sendable>(_ body: () -> R) -> R { applying.update { _ in body() } }

    private func commit(_ batch: [Delivery]) {
        while true {
            let result = applying.update { _ -> Result<Void, CatalogError> in
                // A root that was removed meanwhile has no rows any more, and shall not get new ones.
                let (wanted, unwanted) = workQueue.read { scheduler in
                    (
                        batch.filter { scheduler.roots[$0.key.root] != nil },
                        batch.filter { scheduler.roots[$0.key.root] == nil }
                    )
                }
                return apply(wanted).map { for delivery in unwanted { release(delivery, .unchanged) } }
            }
            switch result {
            case .success:
                workQueue.update { $0.storagePause = nil }
                return
            case .failure(.storageFull(let detail)):
                let fix = "free some space under the state folder: it goes on by itself"
                if !pause(.storageFull, "nothing can be stored: \(detail); \(fix)") { return giveUp(batch) }
            case .failure(.storage(let detail)):
                if !pause(.storageFailing, "nothing can be stored: \(detail); tried again until it works") {
                    return giveUp(batch)
                }
            case .failure(let error):
                // One change that the catalog refuses must not hold up the others.
                if batch.count > 1 {
                    for delivery in batch { commit([delivery]) }
                } else {
                    log.error("\(batch[0].key.path) cannot be stored: \(error)")
                    giveUp(batch)
                }
                return
            }
        }
    }

    /// Waits before the next try; false when the daemon stops.
    private func pause(_ kind: IngestionPause.Kind, _ reason: String) -> Bool {
        let isKnown = workQueue.update { scheduler -> Bool in
            defer { scheduler.storagePause = IngestionPause(kind: kind, reason: reason) }
            return scheduler.storagePause != nil
        }
        if !isKnown { log.error("\(reason)") }
        if workQueue.isStopping { return false }
        workQueue.pause(seconds: workQueue.configuration.pauseInterval)
        return true
    }

    private func giveUp(_ batch: [Delivery]) {
        for delivery in batch { release(delivery, .unchanged) }
    }

    private func apply(_ batch: [Delivery]) -> Result<Void, CatalogError> {
        guard !batch.isEmpty else { return .success(()) }
        let outcomes: [CatalogOutcome]
        let start = Instant.now
        defer { seconds.update { $0 += .now - start } }
        do throws(CatalogError) {
            outcomes = try ledger.apply(batch.flatMap(\.changes))
        } catch {
            return .failure(error)
        }
        var at = 0
        for delivery in batch {
            let mine = outcomes[at..<min(at + delivery.changes.count, outcomes.count)]
            at += delivery.changes.count
            // A move whose source went, or bytes that were forgotten since: the file is read again.
            let isStale = mine.contains { $0 == .needsVector || $0 == .notFound }
            let committed = SchedulerState.Landing.committed(before: delivery.before, after: delivery.after)
            // A deletion may find that the row has moved away, and has changed nothing then.
            release(delivery, isStale ? (delivery.isFlight ? .again : .unchanged) : committed)
        }
        return .success(())
    }

    /// Ends the delivery's way, whatever became of it.
    private func release(_ delivery: Delivery, _ landing: SchedulerState.Landing) {
        if let content = delivery.content { contents.release(content) }
        workQueue.update { scheduler in
            let now = Instant.now
            if delivery.isFlight {
                scheduler.land(delivery.key, landing, at: now)
            } else {
                scheduler.errandCount -= 1
            }
            guard case .committed(let before, let after) = landing else { return }
            scheduler.roots[delivery.key.root]?.count(before, -1)
            scheduler.roots[delivery.key.root]?.count(after, 1)
            if let old = delivery.movedFrom {
                scheduler.roots[old]?.count(.indexed, -1)
                scheduler.roots[old]?.lastMove = now
            }
            if delivery.isRacy { scheduler.fileChanged(delivery.key, .recheck, at: now) }
            if let next = delivery.nextAttempt {
                let due = now + Double(next - wallClockNanoseconds()) / 1e9
                scheduler.nextRetry = scheduler.nextRetry.map { min($0, due) } ?? due
            }
        }
    }
}
