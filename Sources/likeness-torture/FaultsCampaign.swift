import Embedding
import Foundation
import Inference
import InferenceCPU
import InferenceVulkan
import Platform

/// `faults`: a load of images through a Vulkan device that is lost, hangs, and runs out of memory again and again; every vector
/// is compared with the oracle's.
enum FaultsBench {
    private struct Options {
        var imageCount = 2000
        var faultCount = 100
        var seconds = 300.0
        var seed: UInt64 = 1
        var device: String?
        /// How often the device is opened; all share the lane.
        var deviceCount = 1
        var tier: Tier?
    }

    private static let pictureCount = 32
    /// How long a submission may take; a hang is longer.
    private static let submissionSeconds = 0.25

    /// Runs the campaign, prints one JSON object, and fails when a vector is wrong, lost or double.
    static func run(_ arguments: [String]) throws {
        let options = try parse(arguments)
        let subject = try FaultsSubject(pictureCount: pictureCount, seed: options.seed)
        let faults = VulkanFaults()
        var vulkan = VulkanOptions()
        vulkan.device = options.device
        vulkan.allowsSoftware = true
        vulkan.maximumBatch = 8
        vulkan.tier = options.tier
        vulkan.faults = faults
        vulkan.submissionSeconds = submissionSeconds
        // A hundred losses are no reason to give up here.
        vulkan.recovery.firstDelay = 0.01
        vulkan.recovery.longestDelay = 0.02
        vulkan.recovery.lossesUntilLowerTier = .max
        vulkan.recovery.lossesUntilClosed = .max
        let backends = try (0..<options.deviceCount).map { _ in
            try VulkanBackend(network: subject.network, options: vulkan)
        }
        let embedder = try Embedder(
            network: subject.network,
            backends: backends,
            decoder: FaultsDecoder(pictures: subject.pictures),
            configuration: Embedder.Configuration(),
            fallback: try CPUBackend(network: subject.network, threads: 1, maximumBatch: 8)
        )
        defer { embedder.stop() }
        let required = Double(backends[0].health.flatMap { Tier(rawValue: $0.tier) }?.requiredCosine ?? 1)
        let ledger = FaultsLedger(imageCount: options.imageCount)
        var plan = FaultsPlan(seed: options.seed)
        let start = Instant.now
        var next = 0
        for number in 0..<options.faultCount {
            guard Instant.now - start < options.seconds else { break }
            let target = faults.firedCount + plan.arm(faults)
            // Every fault meets its share of the load, and then as long a stream of it as it takes to strike.
            let end = options.imageCount * (number + 1) / options.faultCount
            while next < end {
                submit(next, embedder, subject, ledger)
                next += 1
            }
            let patience = Instant.now + 5
            while faults.firedCount < target, Instant.now < patience {
                _ = try? embedder.embed([UInt8(number % pictureCount)])
                if !backends.contains(where: \.isReady) { sleep(seconds: 0.002) }
            }
            faults.disarm()
            waitUntilReady(backends)
        }
        while next < options.imageCount {
            submit(next, embedder, subject, ledger)
            next += 1
        }
        let verdict = ledger.verdict(required: required, subject: subject, until: .now + 60)
        waitUntilReady(backends)
        let all = backends.compactMap(\.health)
        let health = all[0]
        func sum(_ count: KeyPath<DeviceHealth, Int>) -> Int { all.reduce(0) { $0 + $1[keyPath: count] } }
        try printLine([
            "bench": "faults", "device": health.device, "tier": health.tier, "images": options.imageCount,
            "faults": faults.firedCount, "faults_by_kind": plan.counts, "wrong": verdict.wrong,
            "lost": verdict.lost, "double": verdict.double, "failed": verdict.failed,
            "worst_cosine": verdict.worstCosine, "devices": all.count,
            "losses": sum(\.lossCount), "hangs": sum(\.hangCount), "out_of_memory": sum(\.outOfMemoryCount),
            "returns": sum(\.returnCount), "non_finite": sum(\.nonFiniteCount),
            "serving": backends.allSatisfy(\.isReady),
            "longest_silence_s": verdict.longestSilence, "last_away_s": health.awaySeconds ?? 0,
            "wall_s": Instant.now - start, "seed": Int(options.seed),
        ])
        guard verdict.wrong + verdict.lost + verdict.double + verdict.failed == 0 else {
            throw BenchFailure("vectors were wrong, lost or double")
        }
    }

    private static func submit(_ index: Int, _ embedder: Embedder, _ subject: FaultsSubject, _ ledger: FaultsLedger) {
        let picture = index % subject.pictures.count
        embedder.submit([UInt8(picture)]) { ledger.note(index, $0) }
    }

    private static func waitUntilReady(_ backends: [VulkanBackend]) {
        let patience = Instant.now + 10
        while !backends.allSatisfy(\.isReady), Instant.now < patience { sleep(seconds: 0.005) }
    }

    private static func parse(_ arguments: [String]) throws -> Options {
        var options = Options()
        for (name, value) in try optionPairs(arguments) {
            switch (name, Int(value), Tier(rawValue: value)) {
            case ("--images", let count?, _) where count > 0: options.imageCount = count
            case ("--faults", let count?, _) where count > 0: options.faultCount = count
            case ("--seconds", let count?, _) where count > 0: options.seconds = Double(count)
            case ("--seed", let seed?, _) where seed >= 0: options.seed = UInt64(seed)
            case ("--tier", _, let tier?): options.tier = tier
            case ("--devices", let count?, _) where (1...8).contains(count): options.deviceCount = count
            case ("--device", _, _): options.device = value
            default: throw BenchFailure("faults does not take \(name) \(value)")
            }
        }
        return options
    }
}
