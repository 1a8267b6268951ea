import Foundation
import Inference
import InferenceVulkan
import ModelFiles

/// `tune`: how long each kernel of a Vulkan tier takes for each shape of a network; with `--cache` the choice is kept.
enum TuneBench {
    /// Measures and prints one JSON object a kernel, shape and count of images.
    static func run(_ arguments: [String]) throws {
        var options = VulkanOptions()
        options.allowsSoftware = true
        options.tier = .fp32
        var weights = "random:vgg16"
        var imageCounts = [1, 8, 32]
        for (name, value) in try optionPairs(arguments) {
            switch name {
            case "--weights": weights = value
            case "--device": options.device = value
            case "--cache": options.cacheFolder = value
            case "--tier":
                guard let tier = Tier(rawValue: value) else { throw BenchFailure("there is no tier \(value)") }
                options.tier = tier
            case "--images":
                imageCounts = value.split(separator: ",").compactMap { Int($0) }.filter { (1...256).contains($0) }
                guard !imageCounts.isEmpty else { throw BenchFailure("--images takes counts like 1,8,32") }
            default: throw BenchFailure("tune does not take \(name) \(value)")
            }
        }
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
