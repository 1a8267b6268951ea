import Embedding
import Imaging
import Inference
import LinearAlgebra
import Platform
import TestSupport
import Testing

struct QueryQueueTests {
    private func embedder(
        _ backend: GrayBackend,
        _ change: (inout Embedder.Configuration) -> Void = { _ in }
    ) throws -> Embedder {
        var configuration = Embedder.Configuration()
        change(&configuration)
        return try Embedder(
            network: try makeNetwork(),
            backend: backend,
            decoder: GrayDecoder(),
            configuration: configuration
        )
    }

    @Test func `a query is answered without waiting for company`() throws {
        let embedder = try embedder(GrayBackend(batch: 64))
        defer { embedder.stop() }
        let image = try embedder.embed([42])
        #expect(image.vector == [42, 42, 42])
        #expect(image.properties.width == 42)
        #expect(embedder.statistics.queryCount == 1)
    }

    @Test func `vectors of both queues go through the model's whitening, for its head alone`() throws {
        let map = try #require(Whitening(mean: [1, 1, 1], matrix: [1, 0, 0, 0, 2, 0, 0, 0, 2], sampleCount: 5))
        let network = try makeNetwork(whitening: HeadWhitening(head: .gem3, whitening: map))
        for head in [Head.gem3, .mean] {
            var configuration = Embedder.Configuration()
            configuration.head = head
            let embedder = try Embedder(
                network: network,
                backend: GrayBackend(),
                decoder: GrayDecoder(),
                configuration: configuration
            )
            defer { embedder.stop() }
            // (5, 5, 5) - 1, times (1, 2, 2): 4, 8, 8, of length 12.
            let wanted: [Float] = head == .gem3 ? [1 / 3, 2 / 3, 2 / 3] : [5, 5, 5]
            let query = try embedder.embed([5]).vector
            let answer = Monitor<[Float]?>(nil)
            embedder.submit([5]) { result in answer.withLockNotifyingAll { $0 = (try? result.get())?.vector ?? [] } }
            let bulk = try #require(answer.wait(until: .now + 60) { $0 })
            for vector in [query, bulk] {
                #expect(zip(vector, wanted).allSatisfy { abs($0 - $1) < 1e-5 }, "\(head): \(vector)")
            }
        }
    }

    @Test func `a broken query throws what is wrong with it`() throws {
        let embedder = try embedder(GrayBackend())
        defer { embedder.stop() }
        #expect {
            try embedder.embed([1, 1])
        } throws: { error in
            if case EmbeddingError.image(let cause) = error { cause.code == .corrupt } else { false }
        }
        #expect {
            try embedder.embed([GrayBackend.nonFinite])
        } throws: { error in
            if case EmbeddingError.backend = error { true } else { false }
        }
        #expect(embedder.statistics.waitingCount == 0)
    }

    @Test func `a query overtakes the bulk batches that wait`() throws {
        let gate = Gate(isOpen: false)
        let backend = GrayBackend(batch: 2, gate: gate)
        let embedder = try embedder(backend)
        defer { embedder.stop() }
        let outcomes = Outcomes()
        embedder.submit([1], completion: outcomes.completion(0))
        embedder.submit([2], completion: outcomes.completion(1))
        #expect(gate.waitForArrivals(1))
        for index in 2..<8 { embedder.submit([UInt8(index + 1)], completion: outcomes.completion(index)) }
        let answer = Monitor<[Float]?>(nil)
        try withThread {
            let vector = try? embedder.embed([99]).vector
            answer.withLockNotifyingAll { $0 = vector ?? [] }
        } meanwhile: {
            #expect(eventually { embedder.statistics.waitingCount == 9 })
            // Its pixels are in line a moment after it is counted, which nobody can see: the wait is long for a moment.
            sleep(seconds: 1)
            gate.open()
        }
        #expect(answer.withLock { $0 } == [99, 99, 99])
        _ = try #require(outcomes.wait(8))
        #expect(backend.batches.firstIndex(of: [99]) == 1, "\(backend.batches)")
    }

    @Test func `queries beyond the bound are refused at once`() throws {
        let gate = Gate(isOpen: false)
        let embedder = try embedder(GrayBackend(gate: gate)) { $0.queryCapacity = 1 }
        defer { embedder.stop() }
        try withThread {
            _ = try? embedder.embed([1])
        } meanwhile: {
            #expect(gate.waitForArrivals(1))
            #expect {
                try embedder.embed([2])
            } throws: { error in
                if case EmbeddingError.overloaded(waiting: 1) = error { true } else { false }
            }
            gate.open()
        }
        #expect(try embedder.embed([3]).vector == [3, 3, 3])
    }

    @Test func `many callers of both queues all get their own answers`() throws {
        let embedder = try embedder(GrayBackend(batch: 5)) {
            $0.decoderCount = 3
            $0.bulkCapacity = 7
        }
        defer { embedder.stop() }
        let outcomes = Outcomes()
        let wrong = Monitor(0)
        let threads = try (0..<6).map { number in
            try WorkerThread(name: "caller") {
                for step in 0..<50 {
                    let value = UInt8((number * 50 + step) % 240)
                    if number % 2 == 0 {
                        embedder.submit([value], completion: outcomes.completion(number * 50 + step))
                    } else if (try? embedder.embed([value]).vector) != [Float](repeating: Float(value), count: 3) {
                        wrong.withLockNotifyingAll { $0 += 1 }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        let results = try #require(outcomes.wait(150))
        for (index, result) in results { #expect(result.gray == Float(index % 240)) }
        #expect(wrong.withLock { $0 } == 0)
        let statistics = embedder.statistics
        #expect(statistics.imageCount == 150 && statistics.queryCount == 150 && statistics.waitingCount == 0)
    }
}
