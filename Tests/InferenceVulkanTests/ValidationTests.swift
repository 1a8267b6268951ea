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

    @Test(.enabled(if: isInstalled || TestEnvironment.requiresAll, "needs package vulkan-validationlayers"))
    func `the validation layers have nothing to say, from opening to closing`() throws {
        let log = ValidationLog()
        do {
            let backend = try VulkanBackend.software(RandomNetwork("7 P 20 P P 40").network(side: 18), maximumBatch: 3) {
                $0.validation = log
            }
            for count in [3, 1, 3] {
                _ = try backend.vectors(randomPixels(count: count, side: 18), count: count, channels: 40)
            }
        }
        #expect(log.messages.isEmpty, "\(log.messages.joined(separator: "\n"))")
    }
}
