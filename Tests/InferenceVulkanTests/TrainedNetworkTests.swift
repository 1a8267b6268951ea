import Foundation
import Inference
import InferenceVulkan
import TestSupport
import Testing

/// The trained files against ONNX Runtime's features of the same pixels.
@Suite(.serialized, .requiresVulkan, .requiresSharedData)
struct TrainedNetworkTests {
    /// The second network costs five times the first, so it sees fewer of the eight photos.
    @Test(arguments: [("vgg19-slim", 8), ("vgg19-conv3_1", 2)])
    func `agrees with ONNX Runtime`(name: String, count: Int) throws {
        let weights = SharedData.models.appending(path: "\(name).safetensors").path
        let network = try Model.open(weights: weights).network
        let side = network.preprocessing.side
        let pixels = [UInt8](try Data(contentsOf: SharedData.reference.appending(path: "photos8.rgb")))
            .prefix(count * side * side * 3)
        let backend = try VulkanBackend.software(network)
        let rows = try backend.vectors(Array(pixels), count: count, channels: network.outputChannels)
        for (position, head) in Head.allCases.enumerated() where SharedData.referenceHeads.contains(head) {
            let expected = try SharedData.fvecs(
                SharedData.reference.appending(path: "\(name).\(head.rawValue).fvecs")
            )
            for image in 0..<count {
                let similarity = cosine(rows[image * Head.allCases.count + position], expected[image])
                #expect(similarity >= 0.999_999, "\(name) \(head) image \(image): cosine \(similarity)")
            }
        }
    }
}
