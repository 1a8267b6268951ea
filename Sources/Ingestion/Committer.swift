internal import Catalog
internal import Platform

/// The one way into the ledger: collects commit entries and applies them as one transaction after at most 20 ms.
///
/// While the disk is full it keeps what it has, says why on the work queue, and tries again; upstream everything stops at
/// its bounds.
final class Committer: Sendable {
    private let workQueue: WorkQueue
    private let ledger: any FileLedger
    private let singleFlight: SingleFlight
    private let queue: BoundedQueue<CommitEntry>
    /// Held while a batch is applied, so that a root is not removed in the middle of one.
    private let applying = Monitor(())
    private let seconds = Monitor(0.0)
    private let log = Log("ingest")

    init(workQueue: WorkQueue, ledger: any FileLedger, singleFlight: SingleFlight) {
        self.workQueue = workQueue
        self.ledger = ledger
        self.singleFlight = singleFlight
        // Room for all in-flight jobs and all side tasks: handing over never blocks.
        queue = BoundedQueue(capacity: workQueue.configuration.inFlightCapacity + 2048)
    }

    /// Hands over; never blocks as long as in-flight jobs and side tasks keep their bounds.
    func submit(_ entry: CommitEntry) {
        if !queue.push(entry) { release(entry, .unchanged) }
    }

    /// The thread's body; returns after `close`, with everything that was submitted committed or given up.
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
    var commitSeconds: Double { seconds.withLock { $0 } }

    /// Takes no more.
    func close() { queue.close() }

    /// Runs `body` while no batch is being applied.
    func withoutCommits<R: Sendable>(_ body: () -> R) -> R { applying.withLockNotifyingAll { _ in body() } }

    private func commit(_ batch: [CommitEntry]) {
        while true {
            let result = applying.withLockNotifyingAll { _ -> Result<Void, CatalogError> in
                // A root that was removed meanwhile has no rows any more, and shall not get new ones.
                let (wanted, unwanted) = workQueue.read { scheduler in
                    (
                        batch.filter { scheduler.hasRoot($0.key.root) },
                        batch.filter { !scheduler.hasRoot($0.key.root) }
                    )
                }
                return apply(wanted).map { for entry in unwanted { release(entry, .unchanged) } }
            }
            switch result {
            case .success:
                workQueue.update { $0.storageResumed() }
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
                    for entry in batch { commit([entry]) }
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
        let isNews = workQueue.update { $0.storagePaused(IngestionPause(kind: kind, reason: reason)) }
        if isNews { log.error("\(reason)") }
        if workQueue.isStopping { return false }
        workQueue.pause(seconds: workQueue.configuration.pauseInterval)
        return true
    }

    private func giveUp(_ batch: [CommitEntry]) {
        for entry in batch { release(entry, .unchanged) }
    }

    private func apply(_ batch: [CommitEntry]) -> Result<Void, CatalogError> {
        guard !batch.isEmpty else { return .success(()) }
        let outcomes: [CatalogOutcome]
        let start = Instant.now
        defer { seconds.withLockNotifyingAll { $0 += .now - start } }
        do throws(CatalogError) {
            outcomes = try ledger.apply(batch.flatMap(\.changes))
        } catch {
            return .failure(error)
        }
        var at = 0
        for entry in batch {
            let mine = outcomes[at..<min(at + entry.changes.count, outcomes.count)]
            at += entry.changes.count
            // A move whose source went, or bytes that were forgotten since: the file is read again.
            let isStale = mine.contains { $0 == .needsVector || $0 == .notFound }
            // A deletion may find that the row has moved away, and has changed nothing then.
            if isStale {
                release(entry, entry.isSideTask ? .unchanged : .again)
            } else {
                release(withSidecars(entry), .committed)
            }
        }
        return .success(())
    }

    /// The entry with the bad documents that have lost their image by it. After the commit, because one that is listed meanwhile
    /// is examined after its own commit: whichever of the two comes second sees the first.
    private func withSidecars(_ entry: CommitEntry) -> CommitEntry {
        guard let vacated = entry.vacated else { return entry }
        var entry = entry
        do throws(CatalogError) {
            entry.sidecars += try ledger.badDocuments(beside: vacated)
        } catch {
            log.error("\(vacated.path): \(error); what lies beside it is looked at with the next scan")
        }
        return entry
    }

    /// Ends the entry's way, whatever became of it.
    private func release(_ entry: CommitEntry, _ outcome: SchedulerState.Outcome) {
        if let content = entry.ledFlight { singleFlight.end(content) }
        workQueue.update { $0.entryEnded(entry, outcome, at: .now) }
    }
}
