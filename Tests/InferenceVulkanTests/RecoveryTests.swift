import DeviceReports
import Glibc
import Inference
import InferenceVulkan
import Platform
import TestSupport
import Testing

/// What a fault does to a batch, and how the device comes back. The validation layers listen.
@Suite(.serialized, .requiresVulkan)
struct RecoveryTests {
    private static let side = 16
    private static let channels = 20
    private let network = RandomNetwork("8 P 20").network(side: side)
    private let pixels = randomPixels(count: 4, side: side)
    private let faults = VulkanFaults()
    private let log = ValidationLog()

    private func backend(_ change: (inout VulkanOptions) -> Void = { _ in }) throws(InferenceError) -> VulkanBackend {
        try VulkanBackend.software(network, maximumBatch: 4) { options in
            options.faults = faults
            options.validation = log
            options.recovery.firstDelay = 0.02
            options.recovery.longestDelay = 0.05
            change(&options)
        }
    }

    private func vectors(_ backend: VulkanBackend) throws(InferenceError) -> [[Float]] {
        try backend.vectors(pixels, count: 4, heads: [.max], channels: Self.channels)
    }

    private func expectSilence(_ name: String) {
        #expect(log.messages.isEmpty, "\(name): \(log.messages.prefix(2))")
    }

    private func waitUntil(_ seconds: Double = 120, _ condition: () -> Bool) -> Bool {
        let deadline = Instant.now + seconds
        while !condition() {
            if Instant.now > deadline { return false }
            sleep(seconds: 0.005)
        }
        return true
    }

    static let losses: [(call: VulkanFaults.Call, k: Int, effect: VulkanFaults.Effect)] = [
        (.queueSubmit, 1, .deviceLost), (.queueSubmit, 2, .deviceLost), (.queueSubmit, 5, .deviceLost),
        (.waitSemaphores, 1, .deviceLost), (.waitSemaphores, 3, .deviceLost),
        (.queueSubmit, 2, .hang), (.waitSemaphores, 2, .hang),
    ]

    @Test(arguments: losses.indices)
    func `a loss ends the batch, and the device comes back with the same vectors`(number: Int) throws {
        let (call, k, effect) = Self.losses[number]
        do {
            let backend = try backend()
            let expected = try vectors(backend)
            faults.arm(call, at: k, effect)
            // The way back ends only when the state after the loss was looked at.
            faults.arm(.allocateMemory, at: 1, onDevice: 2, .hold)
            defer { faults.release() }
            do {
                // Later batches need fewer submissions than the fault waits for.
                for _ in 0..<8 { #expect(try vectors(backend) == expected) }
                Issue.record("\(call) \(k) \(effect): nothing happened")
            } catch .deviceLost {
            } catch { Issue.record("\(call) \(k): \(error)") }
            #expect(!backend.isReady && backend.health?.state == .recovering)
            #expect(waitUntil { faults.heldCount == 1 }, "\(call) \(k): it is not opened again")
            #expect(!backend.isReady && backend.health?.state == .recovering)
            faults.release()
            #expect(waitUntil { backend.isReady }, "\(call) \(k): it does not come back")
            #expect(try vectors(backend) == expected)
            let health = try #require(backend.health)
            var hangs = 0
            if case .hang = effect { hangs = 1 }
            #expect(health.returnCount == 1 && (health.awaySeconds ?? 0) > 0.02)
            #expect(health.hangCount >= hangs && health.lossCount >= 1)
        }
        expectSilence("\(call) \(k) \(effect)")
    }

    @Test func `out of memory in a batch halves it, and the batch is computed`() throws {
        do {
            let backend = try backend()
            let expected = try vectors(backend)
            faults.arm(.queueSubmit, at: 2, .outOfMemory)
            #expect(try vectors(backend) == expected)
            #expect(backend.health?.outOfMemoryCount == 1 && backend.health?.lossCount == 0 && backend.isReady)
            // The second time ends it.
            faults.arm(.queueSubmit, at: 1, .outOfMemory)
            faults.arm(.allocateMemory, at: 1, .outOfMemory)
            #expect(throws: InferenceError.self) { try vectors(backend) }
            #expect(backend.health?.outOfMemoryCount == 3 && backend.health?.lossCount == 0)
            #expect(waitUntil { backend.isReady })
            #expect(try vectors(backend) == expected)
        }
        expectSilence("out of memory")
    }

    @Test(arguments: [VulkanFaults.Call.allocateMemory, .createComputePipelines])
    func `a way back that fails is tried again`(call: VulkanFaults.Call) throws {
        do {
            let backend = try backend()
            let expected = try vectors(backend)
            for k in 1...2 { faults.arm(call, at: 3 * k, call == .allocateMemory ? .outOfMemory : .deviceLost) }
            faults.arm(.queueSubmit, at: 1, .deviceLost)
            #expect(throws: InferenceError.self) { try vectors(backend) }
            #expect(waitUntil { faults.firedCount == 3 && backend.isReady }, "\(faults.firedCount) faults")
            #expect(try vectors(backend) == expected)
            #expect(backend.health?.returnCount == 1)
        }
        expectSilence("\(call)")
    }

    @Test func `three losses cost a tier, six the device`() throws {
        do {
            let backend = try backend { options in
                options.tier = nil
                options.recovery.calm = 0
            }
            let best = try #require(backend.health.flatMap { Tier(rawValue: $0.tier) })
            var tiers: [String] = []
            for _ in 0..<5 {
                faults.arm(.waitSemaphores, at: 1, .deviceLost)
                #expect(throws: InferenceError.self) { try vectors(backend) }
                #expect(waitUntil { backend.isReady })
                tiers.append(backend.health?.tier ?? "")
            }
            let below = Tier.allCases.last { $0 < best } ?? best
            #expect(tiers == [best, best, below, below, below].map(\.rawValue))
            faults.arm(.waitSemaphores, at: 1, .deviceLost)
            #expect(throws: InferenceError.self) { try vectors(backend) }
            #expect(backend.health?.state == .closed && backend.health?.lossCount == 6)
            sleep(seconds: 0.2)
            #expect(!backend.isReady)
        }
        expectSilence("six losses")
    }

    /// The batch ends although the submission never does: what hangs is left where it is, and the device is opened anew. In a
    /// process that ends without accounts of its memory, for that is lost on purpose.
    @Test func `a submission that hangs for good costs memory and no more`() async {
        await #expect(processExitsWith: .success) {
            let test = RecoveryTests()
            guard let backend = try? test.backend(), let expected = try? test.vectors(backend) else { _exit(1) }
            test.faults.arm(.queueSubmit, at: 2, .endlessHang)
            if (try? test.vectors(backend)) != nil { _exit(2) }
            if !test.waitUntil(120, { backend.isReady }) { _exit(3) }
            _exit((try? test.vectors(backend)) == expected ? 0 : 4)
        }
    }

    @Test func `a query in a pause does not disturb the batch`() throws {
        do {
            let backend = try backend()
            let expected = try vectors(backend)
            var answers: [[Float]] = []
            for _ in 0..<3 {
                var rows = [Float](repeating: 0, count: 4 * Self.channels)
                var span = rows.mutableSpan
                try backend.run(pixels.span.bytes, count: 4, heads: [.max], into: &span) {
                    var row = [Float](repeating: 0, count: Self.channels)
                    var own = row.mutableSpan
                    let image = pixels.span.bytes.extracting(
                        2 * Self.side * Self.side * 3..<3 * Self.side * Self.side * 3
                    )
                    do { try backend.runInPause(image, heads: [.max], into: &own) } catch { Issue.record("\(error)") }
                    answers.append(row)
                }
                #expect((0..<4).map { Array(rows[$0 * Self.channels..<($0 + 1) * Self.channels]) } == expected)
            }
            #expect(answers.allSatisfy { $0 == expected[2] })
        }
        expectSilence("pause")
    }

    @Test func `an image that overflows is computed one tier lower, below fp32 not at all`() throws {
        do {
            let upper = try backend { $0.tier = .fp16 }
            let expected = try vectors(upper)
            faults.arm(.readVector, at: 3, .nonFinite)
            let found = try vectors(upper)
            for (a, b) in zip(found, expected) { #expect(cosine(a, b) >= 0.9999) }
            #expect(found[2] != expected[2] && found[3] == expected[3])
            #expect(upper.health?.nonFiniteCount == 1 && upper.isReady)

            let lowest = try backend()
            faults.arm(.readVector, at: 2, .nonFinite)
            #expect(throws: InferenceError.nonFinite(images: [1])) { try vectors(lowest) }
            #expect(lowest.health?.nonFiniteCount == 1 && lowest.isReady)
        }
        expectSilence("overflow")
    }

    @Test func `pipelines come from the cache the second time, and a damaged one is only a miss`() throws {
        let folder = temporaryPath()
        defer { removeFolder(folder) }
        let first = try backend { $0.cacheFolder = folder }
        #expect(first.health?.usedCache == false)
        let expected = try vectors(first)
        let second = try backend { $0.cacheFolder = folder }
        #expect(second.health?.usedCache == true)
        #expect(try vectors(second) == expected)
        try damageFiles(in: folder)
        let third = try backend { $0.cacheFolder = folder }
        #expect(third.health?.usedCache == false)
        #expect(try vectors(third) == expected)
        expectSilence("cache")
    }
}
