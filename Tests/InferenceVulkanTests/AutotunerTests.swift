import Foundation
import Inference
import TestSupport
import Testing

@testable import InferenceVulkan

@Suite(.serialized, .requiresVulkan)
struct AutotunerTests {
    @Test func `every kernel is measured in every shape it can compute, and later sessions use the best`() throws {
        let tier = TierCase(tier: .fp32)
        let folder = FileManager.default.temporaryDirectory.appending(path: "tuning-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let network = RandomNetwork("33 40 P 40 40").network(side: 16)
        var options = VulkanOptions()
        options.device = "llvmpipe"
        options.allowsSoftware = true
        options.tier = tier.tier
        options.kernels = tier.options
        options.cacheFolder = folder
        options.maximumBatch = 2
        let measurements = try VulkanBackend.tune(network, options: options, imageCounts: [1, 2])

        // 16x16 33->40 pooled, 8x8 40->40 twice alike.
        let shapes = Set(measurements.map(\.shape))
        #expect(shapes.map(\.key).sorted() == ["16x16 33->40 pooled", "8x8 40->40"])
        let kernelCount = Kernel.direct(.fp32).count + Kernel.winogradProducts(.fp32).count
        #expect(measurements.count == shapes.count * kernelCount * 2, "\(measurements)")
        #expect(measurements.allSatisfy { $0.milliseconds > 0 && $0.milliseconds.isFinite })

        // The choice is used by what is opened with the same folder, and gives the reference's vectors.
        let backend = try VulkanBackend(network: network, options: options)
        let pixels = randomPixels(count: 2, side: 16)
        let expected = try ReferenceBackend(network: network).vectors(pixels, count: 2, channels: 40)
        for (a, b) in zip(try backend.vectors(pixels, count: 2, channels: 40), expected) {
            #expect(cosine(a, b) >= tier.tier.requiredCosine)
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(files.contains { $0.hasPrefix("tuning-") && $0.hasSuffix("-\(tier.tier.rawValue).json") }, "\(files)")
    }
}
