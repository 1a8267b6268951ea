import Embedding
import Imaging
import Inference
import Platform
import Synchronization
import TestSupport
import Testing

struct BulkQueueTests {
    private func embedder(
        _ backend: GrayBackend,
        decoder: GrayDecoder = GrayDecoder(),
        fallback: GrayBackend? = nil,
        _ change: (inout Embedder.Configuration) -> Void = { _ in }
    ) throws -> Embedder {
        var configuration = Embedder.Configuration()
        change(&configuration)
        return try Embedder(
            network: try makeNetwork(),
            backend: backend,
            decoder: decoder,
            configuration: configuration,
            fallback: fallback
        )
    }

    @Test func `every image gets its own vector, once`() throws {
        let backend = GrayBackend(batch: 8)
        let embedder = try embedder(backend)
        defer { embedder.stop() }
        let outcomes = Outcomes()
        for index in 0..<200 { embedder.submit([UInt8(index)], completion: outcomes.completion(index)) }
        let results = try #require(outcomes.wait(200))
        for index in 0..<200 {
            let image = try #require(try? results[index]?.get())
            #expect(image.vector == [Float](repeating: Float(index), count: 3))
            #expect(image.properties == ImageProperties(format: .png, width: UInt32(index), height: 1))
        }
        #expect(backend.batches.allSatisfy { $0.count <= 8 })
        let statistics = embedder.statistics
        #expect(statistics.imageCount == 200 && statistics.queryCount == 0 && statistics.failureCount == 0)
        #expect(statistics.waitingCount == 0 && statistics.batchCount == backend.batches.count)
        #expect(embedder.dimension == 3)
    }

    @Test func `a full batch goes at once, a lone image after 20 ms`() throws {
        let backend = GrayBackend(batch: 4)
        let embedder = try embedder(backend)
        defer { embedder.stop() }
        let outcomes = Outcomes()
        let start = Instant.now
        embedder.submit([1], completion: outcomes.completion(0))
        _ = try #require(outcomes.wait(1))
        let elapsed = Instant.now - start
        #expect(elapsed >= 0.019, "\(elapsed) s")
        #expect(backend.batches == [[1]])
    }

    @Test func `images that wait for a busy backend share a batch`() throws {
        let gate = Gate(isOpen: false)
        let backend = GrayBackend(batch: 4, gate: gate)
        let embedder = try embedder(backend)
        defer { embedder.stop() }
        let outcomes = Outcomes()
        embedder.submit([0], completion: outcomes.completion(0))
        #expect(gate.waitForArrivals(1))
        for index in 1...4 { embedder.submit([UInt8(index)], completion: outcomes.completion(index)) }
        #expect(eventually { embedder.statistics.waitingCount == 5 })
        // Decoding them takes a moment, which nobody can see: the wait is long for a moment.
        sleep(seconds: 1)
        gate.open()
        _ = try #require(outcomes.wait(5))
        #expect(backend.batches.map(\.count) == [1, 4])
    }

    @Test func `submit blocks while the queue is full`() throws {
        let gate = Gate(isOpen: false)
        let embedder = try embedder(GrayBackend(batch: 2, gate: gate)) { $0.bulkCapacity = 5 }
        defer { embedder.stop() }
        let outcomes = Outcomes()
        let accepted = Atomic(0)
        try withThread {
            for index in 0..<20 {
                embedder.submit([UInt8(index)], completion: outcomes.completion(index))
                accepted.add(1, ordering: .sequentiallyConsistent)
            }
        } meanwhile: {
            #expect(gate.waitForArrivals(1))
            #expect(eventually { accepted.load(ordering: .sequentiallyConsistent) == 5 })
            sleep(seconds: 0.1)
            #expect(accepted.load(ordering: .sequentiallyConsistent) == 5)
            #expect(embedder.statistics.waitingCount == 5)
            gate.open()
        }
        #expect(outcomes.wait(20) != nil)
    }

    @Test func `submit blocks on bytes too, and one large image passes alone`() throws {
        let gate = Gate(isOpen: false)
        let embedder = try embedder(GrayBackend(), decoder: GrayDecoder(gate: gate)) {
            $0.decoderCount = 1
            $0.bulkByteCapacity = 100
        }
        defer { embedder.stop() }
        let outcomes = Outcomes()
        let accepted = Atomic(0)
        try withThread {
            for (index, count) in [1000, 60, 60].enumerated() {
                let file = [UInt8(index)] + [UInt8](repeating: 0, count: count - 1)
                embedder.submit(file, completion: outcomes.completion(index))
                accepted.add(1, ordering: .sequentiallyConsistent)
            }
        } meanwhile: {
            #expect(gate.waitForArrivals(1))
            #expect(eventually { accepted.load(ordering: .sequentiallyConsistent) == 1 })
            sleep(seconds: 0.05)
            #expect(accepted.load(ordering: .sequentiallyConsistent) == 1)
            gate.open()
        }
        #expect(outcomes.wait(3) != nil)
    }

    @Test func `broken images fail alone and by name`() throws {
        let embedder = try embedder(GrayBackend())
        defer { embedder.stop() }
        let outcomes = Outcomes()
        for index in 0..<10 {
            embedder.submit([UInt8(index), UInt8(index % 2)], completion: outcomes.completion(index))
        }
        embedder.submit([], completion: outcomes.completion(10))
        let results = try #require(outcomes.wait(11))
        for index in 0..<10 where index % 2 == 0 { #expect(results[index]?.gray == Float(index)) }
        for index in [1, 3, 5, 7, 9, 10] {
            guard case .failure(.image(let error)) = results[index] else {
                Issue.record("image \(index): \(String(describing: results[index]))")
                continue
            }
            #expect(error.code == (index == 10 ? .empty : .corrupt))
        }
        #expect(embedder.statistics.failureCount == 6)
    }

    @Test(arguments: [GrayBackend.nonFinite, GrayBackend.outOfMemory])
    func `an image that the backend cannot compute does not spoil its batch`(poison: UInt8) throws {
        let embedder = try embedder(GrayBackend(batch: 4))
        defer { embedder.stop() }
        let outcomes = Outcomes()
        for (index, value) in [1, poison, 3, 4].enumerated() {
            embedder.submit([value], completion: outcomes.completion(index))
        }
        let results = try #require(outcomes.wait(4))
        #expect([0, 2, 3].map { results[$0]?.gray } == [1, 3, 4])
        guard case .failure(.backend) = results[1] else {
            Issue.record("\(String(describing: results[1]))")
            return
        }
    }

    @Test func `a second backend recomputes what overflows, and takes over when the device is lost`() throws {
        let first = GrayBackend("vulkan", batch: 4)
        let second = GrayBackend("cpu", batch: 4, maximum: 3, failsAtAll: false)
        let embedder = try embedder(first, fallback: second)
        defer { embedder.stop() }
        let outcomes = Outcomes()
        embedder.submit([GrayBackend.nonFinite], completion: outcomes.completion(0))
        #expect(outcomes.wait(1)?[0]?.gray == Float(GrayBackend.nonFinite))
        #expect(embedder.backendDescription.backend == "vulkan")
        for (index, value) in [1, 2, GrayBackend.deviceLost, 4].enumerated() {
            embedder.submit([value], completion: outcomes.completion(1 + index))
        }
        let results = try #require(outcomes.wait(5))
        #expect((1...4).map { results[$0]?.gray } == [1, 2, Float(GrayBackend.deviceLost), 4])
        #expect(embedder.backendDescription.backend == "cpu")
        let count = first.batches.count
        embedder.submit([9], completion: outcomes.completion(5))
        #expect(outcomes.wait(6)?[5]?.gray == 9)
        #expect(first.batches.count == count)
        // And back.
        first.returnDevice()
        embedder.submit([8], completion: outcomes.completion(6))
        #expect(outcomes.wait(7)?[6]?.gray == 8)
        #expect(first.batches.last == [8] && embedder.backendDescription.backend == "vulkan")
    }

    @Test func `the second backend computes until the first is ready`() throws {
        let first = GrayBackend("vulkan", batch: 4, isReady: false)
        let second = GrayBackend("cpu", batch: 2, failsAtAll: false)
        let embedder = try embedder(first, fallback: second)
        defer { embedder.stop() }
        #expect(embedder.backendDescription.backend == "cpu")
        let outcomes = Outcomes()
        for index in 0..<4 { embedder.submit([UInt8(index)], completion: outcomes.completion(index)) }
        let results = try #require(outcomes.wait(4))
        #expect((0..<4).map { results[$0]?.gray } == [0, 1, 2, 3] && first.batches.isEmpty)
        first.returnDevice()
        #expect(try embedder.embed([7]).vector.first == 7)
        #expect(first.batches == [[7]] && embedder.backendDescription.backend == "vulkan")
    }

    @Test func `several backends share the queue, and one that fails leaves the other its work`() throws {
        let gate = Gate(isOpen: false)
        let slow = GrayBackend("slow", batch: 2, gate: gate)
        let fast = GrayBackend("fast", batch: 2)
        let second = GrayBackend("cpu", batch: 2, failsAtAll: false)
        let embedder = try Embedder(
            network: try makeNetwork(),
            backends: [slow, fast],
            decoder: GrayDecoder(),
            configuration: Embedder.Configuration(),
            fallback: second
        )
        defer { embedder.stop() }
        let outcomes = Outcomes()
        // The slow one is caught in its first batch; the fast one has to compute all others.
        for index in 0..<40 { embedder.submit([UInt8(index)], completion: outcomes.completion(index)) }
        let results = try #require(outcomes.wait(36))
        #expect(results.allSatisfy { $0.value.gray == Float($0.key) })
        embedder.submit([GrayBackend.deviceLost], completion: outcomes.completion(40))
        gate.open()
        let all = try #require(outcomes.wait(41))
        #expect((0..<40).allSatisfy { all[$0]?.gray == Float($0) })
        #expect(all[40]?.gray == Float(GrayBackend.deviceLost))
        #expect(slow.batches.flatMap(\.self).count + fast.batches.flatMap(\.self).count == 41)
    }

    @Test func `a lost device without a second one fails its images`() throws {
        let embedder = try embedder(GrayBackend())
        defer { embedder.stop() }
        let outcomes = Outcomes()
        embedder.submit([GrayBackend.deviceLost], completion: outcomes.completion(0))
        let results = try #require(outcomes.wait(1))
        guard case .failure(.backend(.deviceLost)) = results[0] else {
            Issue.record("\(String(describing: results[0]))")
            return
        }
    }
}

/// Runs `work` on a thread of its own while `meanwhile` runs here, then joins.
func withThread(_ work: @escaping @Sendable () -> Void, meanwhile: () throws -> Void) throws {
    let thread = try WorkerThread(name: "test", work)
    defer { thread.join() }
    try meanwhile()
}
