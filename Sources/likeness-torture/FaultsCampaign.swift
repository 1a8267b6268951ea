import DeviceReports
import Embedding
import Foundation
import Harness
import Inference
import InferenceCPU
import InferenceVulkan
import Platform

/// `faults`: a load of images through a Vulkan device that is lost, hangs, and runs out of memory again and again; every vector
/// is compared with the oracle's.
enum FaultsCampaign {
    static let command = CommandTable.Command(
        "faults",
        [
            OptionDescription("images", .integer(1...Int.max), "of the load (2000)"),
            OptionDescription("faults", .integer(1...Int.max), "that strike it (100)"),
            OptionDescription("seconds", .integer(1...Int.max), "at most (300)"),
            OptionDescription("seed", .integer(0...Int.max), "of pictures and faults (1)"),
            OptionDescription("tier", .choice(Tier.allCases.map(\.rawValue)), "of the device (its best)"),
            OptionDescription("device", .text(placeholder: "D"), "index, name or UUID of a Vulkan device"),
            OptionDescription("devices", .integer(1...8), "how often it is opened; all share the bulk queue (1)"),
        ],
        run: run
    )

    private struct Options {
        let imageCount: Int
        let faultCount: Int
        let seconds: Double
        let seed: UInt64
        let device: String?
        let deviceCount: Int
        let tier: Tier?

        init(_ arguments: Arguments) {
            imageCount = arguments.integer("images") ?? 2000
            faultCount = arguments.integer("faults") ?? 100
            seconds = Double(arguments.integer("seconds") ?? 300)
            seed = UInt64(arguments.integer("seed") ?? 1)
            device = arguments.text("device")
            deviceCount = arguments.integer("devices") ?? 1
            tier = arguments.text("tier").flatMap { Tier(rawValue: $0) }
        }
    }

    private static let pictureCount = 32

    /// Runs the campaign, prints one JSON object, and fails when a vector is wrong, lost or double.
    static func run(_ arguments: Arguments) throws {
        let options = Options(arguments)
        let subject = try FaultsSubject(pictureCount: pictureCount, seed: options.seed)
        let faults = VulkanFaults()
        var vulkan = VulkanOptions()
        vulkan.device = options.device
        vulkan.allowsSoftware = true
        vulkan.maximumBatch = 8
        vulkan.tier = options.tier
        vulkan.faults = faults
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
            let deadline = Instant.now + 60
            while faults.firedCount < target, Instant.now < deadline {
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
        let verdict = ledger.verdict(required: required, subject: subject, until: .now + 300)
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
            throw HarnessFailure("vectors were wrong, lost or double")
        }
    }

    private static func submit(_ index: Int, _ embedder: Embedder, _ subject: FaultsSubject, _ ledger: FaultsLedger) {
        let picture = index % subject.pictures.count
        embedder.submit([UInt8(picture)]) { ledger.note(index, $0) }
    }

    private static func waitUntilReady(_ backends: [VulkanBackend]) {
        let deadline = Instant.now + 60
        while !backends.allSatisfy(\.isReady), Instant.now < deadline { sleep(seconds: 0.005) }
    }
}
