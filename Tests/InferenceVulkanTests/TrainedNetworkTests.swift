import Foundation
import Inference
import InferenceVulkan
import ModelFiles
import TestSupport
import Testing

/// The trained files against ONNX Runtime's features of the same pixels.
@Suite(.serialized, .requiresVulkan, .requiresSharedData)
struct TrainedNetworkTests {
    /// Fewer of the eight photos where an image costs more; matrices as arrays cost the most.
    @Test(
        arguments: [
            (TierCase(tier: .fp32), "vgg19-slim", 4), (TierCase(tier: .fp32), "vgg19-conv3_1", 1),
            (TierCase(tier: .fp16), "vgg19-slim", 4), (TierCase(tier: .fp16), "vgg19-conv3_1", 1),
            (TierCase(tier: .cooperative), "vgg19-slim", 1), (TierCase(tier: .cooperative), "vgg19-conv3_1", 1),
        ]
    )
    func `agrees with ONNX Runtime`(tier: TierCase, name: String, count: Int) throws {
        let weights = SharedData.models.appending(path: "\(name).safetensors").path
        let network = try Model.open(weights: weights).network
        let side = network.preprocessing.side
        let pixels = [UInt8](try Data(contentsOf: SharedData.reference.appending(path: "photos8.rgb")))
            .prefix(count * side * side * 3)
        let backend = try VulkanBackend.software(network, tier: tier)
        let rows = try backend.vectors(Array(pixels), count: count, channels: network.outputChannels)
        for (position, head) in Head.allCases.enumerated() where SharedData.referenceHeads.contains(head) {
            let expected = try SharedData.fvecs(
                SharedData.reference.appending(path: "\(name).\(head.rawValue).fvecs")
            )
            let mean = expected[0].indices.map { channel in
                expected.reduce(0) { $0 + $1[channel] } / Float(expected.count)
            }
            for image in 0..<count {
                let found = rows[image * Head.allCases.count + position]
                let similarity = cosine(found, expected[image])
                let centred = cosine(zip(found, mean).map { $0 - $1 }, zip(expected[image], mean).map { $0 - $1 })
                #expect(
                    similarity >= tier.tier.requiredCosine && centred >= 0.999,
                    "\(tier.testDescription) \(name) \(head) image \(image): cosine \(similarity), about the mean \(centred)"
                )
            }
        }
    }
}
