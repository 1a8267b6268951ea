import Foundation
import Inference
import InferenceVulkan
import TestSupport
import Testing

@Suite(.serialized, .requiresVulkan)
struct ValidationTests {
    /// Debian's `vulkan-validationlayers`.
    private static let isInstalled =
        FileManager.default.fileExists(atPath: "/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json")

    @Test(
        .enabled(if: isInstalled || TestEnvironment.requiresAll, "needs package vulkan-validationlayers"),
        arguments: [
            TierCase(tier: .fp32), TierCase(tier: .fp16), TierCase(tier: .cooperative),
            TierCase(tier: .fp16, kernel: "convolution_3x3_f16_m64n64"),
        ]
    )
    func `the validation layers have nothing to say, from opening to closing`(tier: TierCase) throws {
        let log = ValidationLog()
        do {
            let network = RandomNetwork("7 P 34 P P 40 40").network(side: 34)
            let backend = try VulkanBackend.software(network, maximumBatch: 3, tier: tier) { $0.validation = log }
            for count in [3, 1, 3] {
                _ = try backend.vectors(randomPixels(count: count, side: 34), count: count, channels: 40)
            }
        }
        #expect(log.messages.isEmpty, "\(log.messages.prefix(3).joined(separator: "\n"))")
    }
}
