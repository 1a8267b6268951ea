internal import Inference
internal import Platform

/// The one thread that owns the backend: takes batches from the lanes, computes them, completes their images.
final class BatchThread: Sendable {
    private let thread: WorkerThread
    private let shared: Shared

    /// What other threads may ask about.
    private final class Shared: Sendable {
        let description: Monitor<BackendDescription>
        init(_ description: BackendDescription) { self.description = Monitor(description) }
    }

    /// Starts the thread; it ends after `lanes.stop()`.
    ///
    /// - Throws: `SystemError` when it cannot be started.
    init(lanes: Lanes, evaluator: Evaluator) throws(SystemError) {
        let shared = Shared(evaluator.backend.description)
        self.shared = shared
        // Backends written in C and BLAS may want more stack than decoders do.
        thread = try WorkerThread(name: "batch", stackByteCount: 8 << 20) {
            Self.run(lanes: lanes, evaluator: evaluator, shared: shared)
        }
    }

    /// What computes now.
    var backendDescription: BackendDescription { shared.description.read { $0 } }

    func join() { thread.join() }

    private static func run(lanes: Lanes, evaluator initial: Evaluator, shared: Shared) {
        var evaluator = initial
        while let work = lanes.nextWork() {
            switch work {
            case .fail(let tickets):
                for ticket in tickets { ticket.completion(.failure(.stopped)) }
            case .compute(let batch, let lane):
                let start = Instant.now
                let results = evaluator.evaluate(batch)
                let seconds = Instant.now - start
                let description = evaluator.backend.description
                shared.description.update { $0 = description }
                let tickets = batch.tickets
                let failureCount = results.count { if case .failure = $0 { true } else { false } }
                lanes.finish(batch, lane, failureCount: failureCount, computeSeconds: seconds)
                for (ticket, result) in zip(tickets, results) { complete(ticket, result) }
            }
        }
    }

    private static func complete(_ ticket: Ticket, _ result: Result<[Float], InferenceError>) {
        switch result {
        case .success(let vector):
            ticket.completion(.success(EmbeddedImage(vector: vector, properties: ticket.properties)))
        case .failure(let error):
            ticket.completion(.failure(.backend(error)))
        }
    }
}
