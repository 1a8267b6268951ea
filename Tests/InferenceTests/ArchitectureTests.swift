import Testing

@testable import Inference

struct ArchitectureTests {
    @Test(arguments: [
        ([[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]], "VGG16"),
        ([[64], [128], [256, 256], [512, 512], [512, 512]], "VGG11"),
        ([[64, 64], [128, 128], [256, 256, 256, 256], [512]], "VGG19 to conv4_1"),
        ([[8, 8], [16, 16], [16]], "VGG to conv3_1, widths 8-16-16"),
        ([[8, 9], [16]], "convolutions 8-9 / 16"), ([[8, 8, 8]], "convolutions 8-8-8"),
    ])
    func `architectures have names`(stages: [[Int]], text: String) throws {
        #expect(try #require(Architecture(stages: stages)).description == text)
    }

    @Test(arguments: [
        [], [[]], [[3], []], [[0]], [[-1]], [[5000]], [[4096, 4096, 4096]], Array(repeating: [1], count: 13),
    ])
    func `impossible architectures are refused`(stages: [[Int]]) {
        #expect(Architecture(stages: stages) == nil)
    }
}
