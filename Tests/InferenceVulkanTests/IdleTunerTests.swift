import DeviceReports
import Foundation
import Inference
import InferenceVulkan
import Platform
import TestSupport
import Testing

/// A device that nobody uses is measured by itself. The validation layers listen.
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

    private func waitUntil(_ seconds: Double = 20, _ condition: () -> Bool) -> Bool {
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
            let first = try backend()
            #expect(first.health?.reason.hasSuffix(", not tuned yet") == true)
            #expect(waitUntil { isTuned(first) }, "\(first.health?.reason ?? "")")
            #expect(try choiceCount() == 2)
            let allocations = faults.count(.allocateMemory)
            expectAlike(try vectors(first), expected)
            #expect(first.isReady && first.health?.lossCount == 0 && first.health?.returnCount == 0)

            // Neither this one nor the next measures again.
            let second = try backend()
            #expect(isTuned(second))
            let allocationsOfTuned = faults.count(.allocateMemory) - allocations
            expectAlike(try vectors(second), expected)
            let count = faults.count(.queueSubmit)
            sleep(seconds: 3 * Self.idleSeconds)
            #expect(faults.count(.queueSubmit) == count)

            // All over again, and there is no memory for two engines: the first goes before the second comes.
            try Data("{".utf8).write(to: URL(filePath: try tuningPath()))
            faults.arm(.allocateMemory, at: allocations - allocationsOfTuned + 1, .outOfMemory)
            let third = try backend()
            #expect(third.health?.reason.hasSuffix(", not tuned yet") == true)
            #expect(waitUntil { isTuned(third) }, "\(third.health?.reason ?? "")")
            #expect(faults.firedCount == 1 && third.health?.lossCount == 0)
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
        let idleSeconds = 0.3
        defer { removeFolder(folder) }
        do {
            let backend = try backend { $0.tuningIdleSeconds = idleSeconds }
            let expected = try vectors(backend)
            for _ in 0..<2 {
                waitForSubmissions()
                #expect(try vectors(backend) == expected)
                let end = Instant.now
                // What was begun ends, and nothing follows before the device was idle again.
                sleep(seconds: 0.5 * idleSeconds)
                let count = faults.count(.queueSubmit)
                sleep(seconds: 0.3 * idleSeconds)
                let later = faults.count(.queueSubmit)
                if Instant.now - end < idleSeconds {
                    #expect(later == count && !isTuned(backend))
                    let files = try FileManager.default.contentsOfDirectory(atPath: folder)
                    #expect(!files.contains { $0.hasPrefix("tuning-") }, "\(files)")
                }
            }
            #expect(waitUntil { isTuned(backend) }, "\(backend.health?.reason ?? "")")
            expectAlike(try vectors(backend), expected)
            #expect(backend.health?.lossCount == 0)
        }
        #expect(log.messages.isEmpty, "\(log.messages.prefix(2))")
    }

    @Test func `a daemon that stops while it measures may measure again`() throws {
        defer { removeFolder(folder) }
        let backend = try backend()
        waitForSubmissions()
        backend.close()
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(!files.contains { $0.hasPrefix("tuning-") }, "\(files)")
        #expect(log.messages.isEmpty, "\(log.messages.prefix(2))")
    }

    /// Until a measurement runs: submissions come that nobody asked for.
    private func waitForSubmissions() {
        let count = faults.count(.queueSubmit)
        #expect(waitUntil { faults.count(.queueSubmit) > count + 4 }, "no measurement was met")
    }

    @Test func `a loss while measuring is a loss, and that key is left alone`() throws {
        defer { removeFolder(folder) }
        do {
            let backend = try backend()
            let expected = try vectors(backend)
            faults.arm(.queueSubmit, at: 5, .deviceLost)
            #expect(waitUntil { faults.firedCount == 1 && backend.health?.returnCount == 1 })
            #expect(backend.health?.lossCount == 1)
            #expect(backend.health?.reason.contains(", not tuned: ") == true, "\(backend.health?.reason ?? "")")
            let count = faults.count(.queueSubmit)
            sleep(seconds: 3 * Self.idleSeconds)
            #expect(faults.count(.queueSubmit) == count && backend.isReady)
            #expect(try vectors(backend) == expected)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(!files.contains { $0.hasPrefix("tuning-") }, "\(files)")
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
