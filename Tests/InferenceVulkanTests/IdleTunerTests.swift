import DeviceReports
import Foundation
import Inference
import Platform
import TestSupport
import Testing

@testable import InferenceVulkan

/// A device that nobody uses is measured by itself. The validation layers listen.
///
/// Each measurement has a device object of its own, made after the engine's: device 1 is the first engine's, device 2 that of its
/// first measurement. So a fault can hold a measurement in its middle until the test has done what is to meet it there.
@Suite(.serialized, .requiresVulkan)
struct IdleTunerTests {
    private static let side = 16
    private static let channels = 40
    private static let idleSeconds = 0.05
    private let network = RandomNetwork("33 40 P 40").network(side: side)
    private let pixels = randomPixels(count: 2, side: side)
    private let faults = VulkanFaults()
    private let log = ValidationLog()
    private let folder = temporaryPath()

    private func backend(_ change: (inout VulkanOptions) -> Void = { _ in }) throws(InferenceError) -> VulkanBackend {
        try VulkanBackend.software(network, maximumBatch: 2) { options in
            options.cacheFolder = folder
            options.tuningIdleSeconds = Self.idleSeconds
            options.tunesSoftware = true
            options.faults = faults
            options.validation = log
            options.recovery.firstDelay = 0.02
            change(&options)
        }
    }

    private func vectors(_ backend: VulkanBackend) throws(InferenceError) -> [[Float]] {
        try backend.vectors(pixels, count: 2, heads: [.max], channels: Self.channels)
    }

    private func expectAlike(_ found: [[Float]], _ expected: [[Float]]) {
        for (a, b) in zip(found, expected) { #expect(cosine(a, b) >= Tier.fp32.requiredCosine) }
    }

    private func isTuned(_ backend: VulkanBackend) -> Bool { backend.health?.reason.hasSuffix(", tuned") == true }

    private func waitUntil(_ seconds: Double = 120, _ condition: () -> Bool) -> Bool {
        let deadline = Instant.now + seconds
        while !condition() {
            if Instant.now > deadline { return false }
            sleep(seconds: 0.002)
        }
        return true
    }

    private func tuningPath() throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let name = try #require(names.first { $0.hasPrefix("tuning-") && $0.hasSuffix(".json") }, "\(names)")
        return "\(folder)/\(name)"
    }

    private func content() throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: try tuningPath()))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    private func choiceCount() throws -> Int {
        let tuning = try #require(try content()["tuning"] as? [String: Any])
        return try #require(tuning["choices"] as? [String: Any]).count
    }

    @Test func `an idle device is tuned once, and gives the same vectors; damage is a miss`() throws {
        defer { removeFolder(folder) }
        do {
            let expected = try ReferenceBackend(network: network)
                .vectors(pixels, count: 2, heads: [.max], channels: Self.channels)
            faults.arm(.queueSubmit, at: 1, onDevice: 2, .hold)
            let first = try backend()
            #expect(first.health?.reason.hasSuffix(", not tuned yet") == true)
            #expect(waitUntil { faults.heldCount == 1 })
            faults.release()
            #expect(waitUntil { isTuned(first) }, "\(first.health?.reason ?? "")")
            #expect(try choiceCount() == 2 && faults.deviceCount == 3)
            expectAlike(try vectors(first), expected)
            #expect(first.isReady && first.health?.lossCount == 0 && first.health?.returnCount == 0)

            // Neither this one nor the next measures again.
            let second = try backend()
            #expect(isTuned(second))
            expectAlike(try vectors(second), expected)
            let count = faults.count(.queueSubmit)
            sleep(seconds: 3 * Self.idleSeconds)
            #expect(faults.count(.queueSubmit) == count)

            // All over again, and there is no memory for two engines: the first goes before the second comes.
            try Data("{".utf8).write(to: URL(filePath: try tuningPath()))
            let deviceCount = faults.deviceCount
            faults.arm(.queueSubmit, at: 1, onDevice: deviceCount + 2, .hold)
            faults.arm(.allocateMemory, at: 1, onDevice: deviceCount + 3, .outOfMemory)
            let third = try backend()
            #expect(third.health?.reason.hasSuffix(", not tuned yet") == true)
            #expect(waitUntil { faults.heldCount == 2 })
            faults.release()
            #expect(waitUntil { isTuned(third) }, "\(third.health?.reason ?? "")")
            #expect(faults.firedCount == 3 && third.health?.lossCount == 0)
            #expect(try choiceCount() == 2)
            expectAlike(try vectors(third), expected)

            // What stands there while a daemon measures: where it still does, the driver took the daemon with it.
            var begun = try content()
            begun["tuning"] = ["choices": [String: Any]()]
            try JSONSerialization.data(withJSONObject: begun).write(to: URL(filePath: try tuningPath()))
            let fourth = try backend()
            #expect(fourth.health?.reason.contains("did not end") == true, "\(fourth.health?.reason ?? "")")
            let countOfBegun = faults.count(.queueSubmit)
            sleep(seconds: 3 * Self.idleSeconds)
            #expect(faults.count(.queueSubmit) == countOfBegun)
            expectAlike(try vectors(fourth), expected)
        }
        #expect(log.messages.isEmpty, "\(log.messages.prefix(2))")
    }

    @Test func `work that comes meanwhile is computed, and the measurement goes on when it is over`() throws {
        let idleSeconds = 1.0
        defer { removeFolder(folder) }
        do {
            let expected = try vectors(try VulkanBackend.software(network, maximumBatch: 2))
            for device in [2, 3] { faults.arm(.queueSubmit, at: 5, onDevice: device, .hold) }
            let backend = try backend { $0.tuningIdleSeconds = idleSeconds }
            for number in 1...2 {
                #expect(waitUntil { faults.heldCount == number }, "no measurement was met")
                let start = Instant.now
                #expect(try vectors(backend) == expected)
                faults.release()
                // What was begun ends, and nothing follows before the device was idle again.
                #expect(waitUntil { !hasTuningFile || faults.heldCount > number })
                let count = faults.count(.queueSubmit)
                sleep(seconds: 0.2 * idleSeconds)
                let (later, isKept, isTuned) = (faults.count(.queueSubmit), hasTuningFile, isTuned(backend))
                // Where this took longer than the idle time, the next measurement may have begun.
                if Instant.now - start < idleSeconds { #expect(later == count && !isKept && !isTuned) }
            }
            #expect(waitUntil { isTuned(backend) }, "\(backend.health?.reason ?? "")")
            expectAlike(try vectors(backend), expected)
            #expect(backend.health?.lossCount == 0)
        }
        #expect(log.messages.isEmpty, "\(log.messages.prefix(2))")
    }

    @Test func `a daemon that stops while it measures may measure again`() throws {
        defer { removeFolder(folder) }
        faults.arm(.queueSubmit, at: 5, onDevice: 2, .hold)
        let backend = try backend()
        #expect(waitUntil { faults.heldCount == 1 }, "no measurement was met")
        // The measurement goes on when the daemon is about to stop, which waits for it.
        let helper = try WorkerThread(name: "release", stackByteCount: 1 << 20) {
            [faults, supervisor = backend.supervisor] in
            while !supervisor.state.withLock({ $0.isStopping }) { sleep(seconds: 0.001) }
            faults.release()
        }
        backend.close()
        helper.join()
        #expect(!hasTuningFile)
        #expect(log.messages.isEmpty, "\(log.messages.prefix(2))")
    }

    private var hasTuningFile: Bool {
        let files = try? FileManager.default.contentsOfDirectory(atPath: folder)
        return files?.contains { $0.hasPrefix("tuning-") } == true
    }

    @Test func `a loss while measuring is a loss, and that key is left alone`() throws {
        defer { removeFolder(folder) }
        do {
            let expected = try vectors(try VulkanBackend.software(network, maximumBatch: 2))
            faults.arm(.queueSubmit, at: 5, onDevice: 2, .deviceLost)
            let backend = try backend()
            #expect(waitUntil { faults.firedCount == 1 && backend.health?.returnCount == 1 })
            #expect(backend.health?.lossCount == 1)
            #expect(backend.health?.reason.contains(", not tuned: ") == true, "\(backend.health?.reason ?? "")")
            let count = faults.count(.queueSubmit)
            sleep(seconds: 3 * Self.idleSeconds)
            #expect(faults.count(.queueSubmit) == count && backend.isReady)
            #expect(try vectors(backend) == expected)
            #expect(!hasTuningFile)
        }
        #expect(log.messages.isEmpty, "\(log.messages.prefix(2))")
    }

    @Test func `a software device is measured only on request`() throws {
        defer { removeFolder(folder) }
        let backend = try backend { $0.tunesSoftware = false }
        #expect(backend.health?.reason.hasSuffix(", not tuned: a software device") == true)
        let count = faults.count(.queueSubmit)
        sleep(seconds: 3 * Self.idleSeconds)
        #expect(faults.count(.queueSubmit) == count)
    }
}
