import Embedding
import Imaging
import Inference
import Platform
import TestSupport
import Testing

struct StopTests {
    private func embedder(
        _ backend: GrayBackend,
        decoder: GrayDecoder = GrayDecoder(),
        bulkCapacity: Int = 256
    ) throws -> Embedder {
        var configuration = Embedder.Configuration()
        configuration.bulkCapacity = bulkCapacity
        return try Embedder(
            network: try makeNetwork(),
            backend: backend,
            decoder: decoder,
            configuration: configuration
        )
    }

    @Test func `stop ends the batch that runs and fails what waits, each image once`() throws {
        let gate = Gate(isOpen: false)
        let embedder = try embedder(GrayBackend(batch: 2, gate: gate))
        let outcomes = Outcomes()
        for index in 0..<30 { embedder.submit([UInt8(index)], completion: outcomes.completion(index)) }
        #expect(gate.waitForArrivals(1))
        try withThread {
            embedder.stop()
        } meanwhile: {
            // The decoders fail what they hold as soon as the stop has begun.
            #expect(eventually { outcomes.count > 0 })
            gate.open()
        }
        let results = try #require(outcomes.wait(30))
        let computed = results.values.count { $0.gray != nil }
        #expect((1...2).contains(computed))
        #expect(results.values.count { $0.isStopped } == 30 - computed)
        #expect(embedder.statistics.waitingCount == 0)
    }

    @Test func `stop wakes a blocked submit and a waiting query`() throws {
        let gate = Gate(isOpen: false)
        let embedder = try embedder(GrayBackend(batch: 1, gate: gate), bulkCapacity: 2)
        let outcomes = Outcomes()
        embedder.submit([0], completion: outcomes.completion(0))
        #expect(gate.waitForArrivals(1))
        embedder.submit([1], completion: outcomes.completion(1))
        let submitter = try WorkerThread(name: "submit") { embedder.submit([2], completion: outcomes.completion(2)) }
        let isStopped = Monitor(false)
        let asker = try WorkerThread(name: "ask") {
            do throws(EmbeddingError) {
                _ = try embedder.embed([3])
            } catch {
                if case .stopped = error { isStopped.withLockNotifyingAll { $0 = true } }
            }
        }
        sleep(seconds: 0.05)
        let stopper = try WorkerThread(name: "stop") { embedder.stop() }
        // The submitter is refused as soon as the stop has begun.
        #expect(eventually { outcomes.count > 0 })
        gate.open()
        for thread in [submitter, asker, stopper] { thread.join() }
        let results = try #require(outcomes.wait(3))
        #expect(results[0]?.gray == 0)
        #expect(results[1]?.isStopped == true && results[2]?.isStopped == true)
        #expect(isStopped.withLock { $0 })
    }

    @Test func `after stop everything is refused`() throws {
        let embedder = try embedder(GrayBackend())
        embedder.stop()
        embedder.stop()
        let outcomes = Outcomes()
        embedder.submit([1], completion: outcomes.completion(0))
        #expect(outcomes.wait(1)?[0]?.isStopped == true)
        #expect {
            try embedder.embed([1])
        } throws: { error in
            if case EmbeddingError.stopped = error { true } else { false }
        }
    }

    @Test func `stop while decoders work leaves no image behind`() throws {
        for round in 0..<20 {
            let embedder = try embedder(GrayBackend(batch: 3))
            let outcomes = Outcomes()
            try withThread {
                for index in 0..<40 { embedder.submit([UInt8(index)], completion: outcomes.completion(index)) }
            } meanwhile: {
                sleep(seconds: Double(round) * 0.0002)
                embedder.stop()
            }
            let results = try #require(outcomes.wait(40))
            #expect(results.values.allSatisfy { $0.isStopped || $0.gray != nil })
        }
    }
}
