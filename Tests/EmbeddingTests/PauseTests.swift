import Embedding
import Inference
import Platform
import TestSupport
import Testing

/// Pauses in a bulk batch every millisecond until its gate is open, then computes it as `GrayBackend` does.
private final class PausingBackend: ConvolutionBackend {
    let gray: GrayBackend
    private let gate: Gate
    private let isPausing = Monitor(false)

    init(batch: Int, gate: Gate) {
        gray = GrayBackend(batch: batch)
        self.gate = gate
    }

    var description: BackendDescription { gray.description }
    var maximumBatchCount: Int { gray.maximumBatchCount }
    var preferredBatchCount: Int { gray.preferredBatchCount }

    func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        pause: (() -> Void)?
    ) throws(InferenceError) {
        while let pause, !gate.isOpen {
            isPausing.withLockNotifyingAll { $0 = true }
            sleep(seconds: 0.001)
            pause()
        }
        try gray.run(pixels, count: count, heads: heads, into: &rows, pause: nil)
    }

    /// Waits until a batch was begun.
    func waitForBatch() { _ = isPausing.wait(until: .now + 60) { $0 ? true : nil } }

    func runInPause(_ pixels: RawSpan, heads: [Head], into rows: inout MutableSpan<Float>) throws(InferenceError) {
        // Long enough for those who ask without end to ask again meanwhile.
        sleep(seconds: 0.001)
        try gray.run(pixels, count: 1, heads: heads, into: &rows, pause: nil)
    }
}

struct PauseTests {
    private let gate = Gate(isOpen: false)
    private let outcomes = Outcomes()

    private func embedder(_ backend: PausingBackend, fallback: GrayBackend? = nil) throws -> Embedder {
        try Embedder(
            network: try makeNetwork(),
            backend: backend,
            decoder: GrayDecoder(),
            configuration: Embedder.Configuration(),
            fallback: fallback
        )
    }

    /// Submits two images, of which the backend makes a batch that ends when the gate opens.
    private func startBatch(_ embedder: Embedder, _ backend: PausingBackend) {
        for index in 0..<2 { embedder.submit([UInt8(index + 1)], completion: outcomes.completion(index)) }
        backend.waitForBatch()
    }

    private func expectWholeBatch() throws {
        let results = try #require(outcomes.wait(2))
        #expect([results[0]?.gray, results[1]?.gray] == [1, 2])
    }

    @Test func `queries are answered while a bulk batch pauses`() throws {
        let backend = PausingBackend(batch: 2, gate: gate)
        let embedder = try embedder(backend)
        defer { embedder.stop() }
        startBatch(embedder, backend)
        #expect(try embedder.embed([99]).vector == [99, 99, 99])
        #expect(try embedder.embed([98]).vector == [98, 98, 98])
        #expect(outcomes.count == 0)
        let statistics = embedder.statistics
        #expect(statistics.queryCount == 2 && statistics.imageCount == 0 && statistics.waitingCount == 2)
        gate.open()
        try expectWholeBatch()
        #expect(backend.gray.batches.prefix(2) == [[99], [98]])
    }

    @Test(arguments: [GrayBackend.nonFinite, GrayBackend.outOfMemory, GrayBackend.deviceLost])
    func `a query that fails in a pause fails at once and alone`(poison: UInt8) throws {
        let backend = PausingBackend(batch: 2, gate: gate)
        let embedder = try embedder(backend)
        defer { embedder.stop() }
        startBatch(embedder, backend)
        #expect {
            try embedder.embed([poison])
        } throws: { error in
            if case EmbeddingError.backend = error { true } else { false }
        }
        #expect(outcomes.count == 0)
        gate.open()
        try expectWholeBatch()
        #expect(embedder.statistics.failureCount == 1)
    }

    @Test(arguments: [GrayBackend.nonFinite, GrayBackend.deviceLost])
    func `a second backend answers the query that the first cannot`(poison: UInt8) throws {
        let second = GrayBackend("second", failsAtAll: false)
        let backend = PausingBackend(batch: 2, gate: gate)
        let embedder = try embedder(backend, fallback: second)
        defer { embedder.stop() }
        startBatch(embedder, backend)
        #expect(try embedder.embed([poison]).vector.first == Float(poison))
        #expect(outcomes.count == 0)
        gate.open()
        try expectWholeBatch()
        // The batch was computed, so the first is there yet.
        #expect(second.batches == [[poison]] && embedder.backendDescription.backend == "fake")
    }

    @Test func `a bulk batch ends however many queries come`() throws {
        let backend = PausingBackend(batch: 2, gate: gate)
        let embedder = try embedder(backend)
        defer { embedder.stop() }
        let isDone = Monitor(false)
        let askers = try (0..<4).map { number in
            try WorkerThread(name: "ask") {
                while !isDone.withLock({ $0 }) { _ = try? embedder.embed([UInt8(number)]) }
            }
        }
        startBatch(embedder, backend)
        // By now somebody asks whenever the batch pauses.
        sleep(seconds: 0.05)
        gate.open()
        let results = outcomes.wait(2)
        isDone.withLockNotifyingAll { $0 = true }
        for asker in askers { asker.join() }
        #expect(results?[0]?.gray == 1 && results?[1]?.gray == 2)
    }

    @Test func `stop ends a batch that pauses, and fails the queries that wait`() throws {
        let backend = PausingBackend(batch: 2, gate: gate)
        let embedder = try embedder(backend)
        startBatch(embedder, backend)
        #expect(try embedder.embed([3]).vector.first == 3)
        try withThread {
            embedder.stop()
        } meanwhile: {
            // More images than a batch and the decoders hold: one of them is refused as soon as the stop has begun.
            let others = Outcomes()
            for index in 0..<6 { embedder.submit([9], completion: others.completion(index)) }
            #expect(eventually { others.count > 0 })
            #expect {
                try embedder.embed([4])
            } throws: { error in
                if case EmbeddingError.stopped = error { true } else { false }
            }
            gate.open()
        }
        try expectWholeBatch()
        #expect(embedder.statistics.waitingCount == 0)
    }
}
