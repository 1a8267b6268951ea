internal import Catalog
internal import Embedding
internal import Platform

/// What a visit may ask while it reads a file.
struct ReadServices: Sendable {
    let workQueue: WorkQueue
    let ledger: any FileLedger
    let sidecars: Sidecars
    let budget: ReadBudget
    /// Nil where nothing can be watched.
    let watches: WatchTable?

    var configuration: IngestionConfiguration { workQueue.configuration }
}

/// A worker that takes files from the work queue, visits each, and performs the action that the visit ends in: a commit
/// entry to the committer, bytes to the embedder, or an outcome to the work queue.
///
/// Several threads run `run`.
final class Reader: Sendable {
    private let services: ReadServices
    private let embedder: any ImageEmbedding
    private let committer: Committer
    private let singleFlight: SingleFlight
    private let log = Log("ingest")

    init(services: ReadServices, embedder: any ImageEmbedding, committer: Committer, singleFlight: SingleFlight) {
        self.services = services
        self.embedder = embedder
        self.committer = committer
        self.singleFlight = singleFlight
    }

    private var workQueue: WorkQueue { services.workQueue }

    /// The thread's body; returns when the work queue stops.
    func run() {
        while var visit = workQueue.nextVisit() {
            let action: FileVisit.Action
            do throws(CatalogError) {
                action = try visit.read(services)
            } catch {
                // The ledger could not be read: the file is not at fault.
                log.error("\(visit.key.path): \(error)")
                action = .waitForResources
            }
            if case .embed(let bytes) = action { embed(bytes, visit) }
            // Held until the embedder has taken the bytes, or nobody wants them.
            services.budget.give(visit.heldByteCount)
            perform(action, visit)
        }
    }

    private func perform(_ action: FileVisit.Action, _ visit: FileVisit) {
        switch action {
        case .commit(let entry):
            committer.submit(entry)
            // Only now: an orphan scan that begins before the move is under way would take its source out.
            workQueue.update { $0.jobIdentified(visit.key) }
        // The embedder has it.
        case .embed: break
        case .finish(let outcome): workQueue.update { $0.jobEnded(visit.key, outcome, at: .now) }
        case .waitForResources:
            workQueue.pause(seconds: services.configuration.pauseInterval)
            workQueue.update { $0.jobEnded(visit.key, .requeued, at: .now) }
        case .waitForDevice(let detail): pauseForDevice(detail, visit)
        }
    }

    /// Hands the bytes to the embedder, unless equal ones are there already.
    private func embed(_ bytes: [UInt8], _ visit: FileVisit) {
        guard let content = visit.content else { preconditionFailure("\(visit.key.path) was not read") }
        let leads = singleFlight.join(content) { [self] result in finish(visit, result, leads: false) }
        workQueue.update { $0.jobIdentified(visit.key) }
        guard leads else { return }
        embedder.submit(bytes) { [self] result in
            singleFlight.complete(content, result)
            finish(visit, result, leads: true)
        }
    }

    /// Runs on the embedder's thread: hands on, and waits for nothing.
    private func finish(_ visit: FileVisit, _ result: SingleFlight.Result, leads: Bool) {
        if case .success = result { workQueue.resumeDevice() }
        switch visit.action(after: result, leads: leads, services.configuration) {
        case .commit(let entry): committer.submit(entry)
        case .finish(let outcome): workQueue.update { $0.jobEnded(visit.key, outcome, at: .now) }
        case .waitForDevice(let detail): pauseForDevice(detail, visit)
        case .embed, .waitForResources: preconditionFailure("\(visit.key.path) is embedded already")
        }
    }

    private func pauseForDevice(_ detail: String, _ visit: FileVisit) {
        let seconds = services.configuration.pauseInterval
        let reason = "images cannot be computed: \(detail); tried again every \(Int(seconds.rounded(.up))) s"
        workQueue.update { scheduler in
            scheduler.devicePaused(IngestionPause(kind: .device, reason: reason), until: .now + seconds)
            scheduler.jobEnded(visit.key, .requeued, at: .now)
        }
    }
}
