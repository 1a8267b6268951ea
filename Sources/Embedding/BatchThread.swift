internal import Inference
internal import Platform

/// The thread that owns a backend: takes batches from the queues, computes them, completes their images. Where there are
/// several devices each has a thread, and all pull from the same queues: the faster one pulls more.
final class BatchThread: Sendable {
    private let thread: WorkerThread
    private let shared: Shared

    /// What other threads may ask about.
    private final class Shared: Sendable {
        let description: Monitor<BackendDescription>
        init(_ description: BackendDescription) { self.description = Monitor(description) }

        /// Before any image of a batch is completed: who learns of it there may ask what computed it.
        func tell(_ now: BackendDescription) { description.withLockNotifyingAll { $0 = now } }
    }

    /// Starts the thread; it ends after `queues.stop()`.
    ///
    /// - Throws: `SystemError` when it cannot be started.
    init(number: Int, queues: PriorityQueues, evaluator: Evaluator) throws(SystemError) {
        let shared = Shared(evaluator.backend.description)
        self.shared = shared
        // Backends written in C and BLAS may want more stack than decoders do.
        thread = try WorkerThread(name: number == 0 ? "batch" : "batch-\(number)", stackByteCount: 8 << 20) {
            Self.run(queues: queues, evaluator: evaluator, shared: shared)
        }
    }

    /// What computes now.
    var backendDescription: BackendDescription { shared.description.withLock { $0 } }

    func join() { thread.join() }

    private static func run(queues: PriorityQueues, evaluator initial: Evaluator, shared: Shared) {
        var evaluator = initial
        while let work = queues.nextWork() {
            switch work {
            case .fail(let tickets):
                for ticket in tickets { ticket.completion(.failure(.stopped)) }
            case .compute(let batch, .query): answer(batch, &evaluator, queues, shared)
            case .compute(let batch, .bulk): compute(batch, &evaluator, queues, shared)
            }
        }
    }

    private static func answer(
        _ batch: PixelBatch,
        _ evaluator: inout Evaluator,
        _ queues: PriorityQueues,
        _ shared: Shared
    ) {
        let start = Instant.now
        let results = evaluator.evaluate(batch)
        shared.tell(evaluator.backend.description)
        queues.finishQueries(
            count: results.count,
            failureCount: failureCount(results),
            computeSeconds: .now - start
        )
        for (ticket, result) in zip(batch.tickets, results) { complete(ticket, result) }
    }

    /// Computes a bulk batch and, whenever it pauses, the queries that came meanwhile.
    private static func compute(
        _ batch: PixelBatch,
        _ evaluator: inout Evaluator,
        _ queues: PriorityQueues,
        _ shared: Shared
    ) {
        var resumed = Instant.now
        let results = evaluator.evaluate(batch) { evaluator in
            var bulkSeconds = Instant.now - resumed
            while let query = queues.nextInPause(bulkSeconds: bulkSeconds) {
                bulkSeconds = 0
                let start = Instant.now
                let result = evaluator.evaluateInPause(query.pixels)
                queues.finishQueries(count: 1, failureCount: failureCount([result]), computeSeconds: .now - start)
                complete(query.ticket, result)
            }
            resumed = .now
        }
        let tickets = batch.tickets
        shared.tell(evaluator.backend.description)
        queues.finishBulk(batch, failureCount: failureCount(results), computeSeconds: .now - resumed)
        for (ticket, result) in zip(tickets, results) { complete(ticket, result) }
    }

    private static func failureCount(_ results: [Result<[Float], InferenceError>]) -> Int {
        results.count { if case .failure = $0 { true } else { false } }
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
