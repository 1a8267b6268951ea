import Foundation
import Harness
import Inference
import InferenceCPU
import InferenceVulkan
import Platform

/// The options that name a backend and a network, and what opens them.
struct BackendOptions {
    let backend: String
    let weights: String
    let device: String?
    let tier: String
    /// Where compiled pipelines are kept; nil compiles anew.
    let cacheFolder: String?
    let threadCount: Int

    static let options = [
        OptionDescription("backend", .choice(["cpu", "vulkan", "reference"]), "what computes (cpu)"),
        weights,
        OptionDescription("threads", .integer(1...1024), "of the processor (all cores)"),
        tier, device, cache,
    ]
    static let weights = OptionDescription("weights", .text(placeholder: "W"), "a weight file (random:vgg16)")
    static let tier = OptionDescription(
        "tier",
        .choice(["best"] + Tier.allCases.map(\.rawValue)),
        "of a Vulkan device (fp32); another one fails"
    )
    static let device = OptionDescription("device", .text(placeholder: "D"), "index, name or UUID of a Vulkan device")
    static let cache = OptionDescription("cache", .text(placeholder: "DIR"), "where compiled pipelines are kept")

    init(_ arguments: Arguments) {
        backend = arguments.text("backend") ?? "cpu"
        weights = arguments.text("weights") ?? "random:vgg16"
        device = arguments.text("device")
        tier = arguments.text("tier") ?? "fp32"
        cacheFolder = arguments.text("cache")
        threadCount = arguments.integer("threads") ?? WorkerThread.availableCoreCount
    }

    /// Opens the backend for batches of up to `maximumBatch` images.
    func open(_ network: Network, maximumBatch: Int) throws -> any ConvolutionBackend {
        let opened: any ConvolutionBackend
        switch backend {
        case "cpu": opened = try CPUBackend(network: network, threads: threadCount, maximumBatch: maximumBatch)
        case "vulkan":
            // A benchmark measures the device it is given, a software one included.
            var vulkan = VulkanOptions()
            vulkan.device = device
            vulkan.allowsSoftware = true
            vulkan.maximumBatch = maximumBatch
            vulkan.cacheFolder = cacheFolder
            vulkan.tier = Tier(rawValue: tier)
            opened = try VulkanBackend(network: network, options: vulkan)
        default: return ReferenceBackend(network: network, maximumBatch: maximumBatch)
        }
        guard tier == "best" || opened.description.tier == tier else {
            throw HarnessFailure("\(backend) computes in tier \(opened.description.tier), not \(tier)")
        }
        return opened
    }
}

/// The options of benchmarks that compute one batch again and again.
struct BatchOptions {
    let backend: BackendOptions
    let batch: Int
    let seconds: Double

    static let options =
        BackendOptions.options + [
            OptionDescription("batch", .integer(1...4096), "images at once (8)"),
            OptionDescription("seconds", .real(0...3600), "to measure (5)"),
        ]

    init(_ arguments: Arguments) {
        backend = BackendOptions(arguments)
        batch = arguments.integer("batch") ?? 8
        seconds = arguments.real("seconds") ?? 5
    }
}
