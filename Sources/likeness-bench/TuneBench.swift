import Foundation
import Harness
import Inference
import InferenceVulkan
import ModelFiles
import Platform

/// `tune`: how long each kernel of a Vulkan tier takes for each shape of a network; with `--cache` the choice is kept.
enum TuneBench {
    static let command = CommandTable.Command(
        "tune",
        [
            BackendOptions.weights, BackendOptions.device, BackendOptions.cache,
            OptionDescription("tier", .choice(Tier.allCases.map(\.rawValue)), "of the device (fp32)"),
            OptionDescription("images", .integers(1...256), "counts to measure (1,8,32)"),
        ],
        run: run
    )

    /// Measures and prints one JSON object a kernel, shape and count of images.
    static func run(_ arguments: Arguments) throws {
        var options = VulkanOptions()
        options.allowsSoftware = true
        options.tier = arguments.text("tier").flatMap { Tier(rawValue: $0) } ?? .fp32
        options.device = arguments.text("device")
        options.cacheFolder = arguments.text("cache")
        let weights = arguments.text("weights") ?? "random:vgg16"
        let imageCounts = arguments.integers("images") ?? [1, 8, 32]
        let network = try Model.open(weights: weights).network
        let measurements = try VulkanBackend.tune(network, options: options, imageCounts: imageCounts)
        let tuning = Tuning(measurements)
        for measurement in measurements {
            let choice = tuning.choices(for: measurement.shape)?.last { $0.fromImages <= measurement.imageCount }
            try printLine([
                "bench": "tune", "tier": options.tier?.rawValue ?? "", "shape": measurement.shape.key,
                "kernel": measurement.kernel, "images": measurement.imageCount,
                "milliseconds": measurement.milliseconds,
                "tflops": measurement.shape.flops * Double(measurement.imageCount) / measurement.milliseconds / 1e9,
                "chosen": choice?.kernel == measurement.kernel,
            ])
        }
    }
}
