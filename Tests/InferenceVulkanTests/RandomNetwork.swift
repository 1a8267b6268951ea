import Foundation
import Glibc
import Inference
import InferenceVulkan
import Platform
import TestSupport
import Testing

/// A chain with seeded weights: numbers are the output channels of convolutions, `P` is a pooling, as in `3 P 8 8 P`.
struct RandomNetwork: CustomStringConvertible {
    let description: String
    let layers: [Layer]
    private(set) var memory = MemoryWeights()

    /// Reads a chain; `amplitude` multiplies every weight, `biasAmplitude` every bias.
    init(_ text: String, amplitude: Float = 1, biasAmplitude: Float = 1) {
        description = "\(text) x \(amplitude), \(biasAmplitude)"
        var generator = SeededGenerator(seed: 42)
        var layers: [Layer] = []
        var channels = 3
        for word in text.split(separator: " ") {
            guard let width = Int(word) else {
                layers.append(.pool(.max2x2))
                continue
            }
            let bound = amplitude * (6 / Float(9 * channels)).squareRoot()
            layers.append(
                .convolution(.init(index: memory.weights.count, inputChannels: channels, outputChannels: width))
            )
            memory.weights.append(
                (0..<width * channels * 9).map { _ in .random(in: -bound...bound, using: &generator) }
            )
            memory.biases.append((0..<width).map { _ in .random(in: -1...1, using: &generator) * biasAmplitude })
            channels = width
        }
        self.layers = layers
    }

    func network(side: Int, _ preprocessing: Preprocessing = .keras) -> Network {
        var preprocessing = preprocessing
        preprocessing.side = side
        return Network(
            name: description,
            layers: layers,
            preprocessing: preprocessing,
            weightsDigest: SHA256Digest(of: []),
            storage: memory
        )
    }
}

/// xorshift64* (Vigna 2016): the same pictures and weights in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// `count` pictures of noise.
func randomPixels(count: Int, side: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: UInt64(count * 1000 + side))
    return (0..<count * side * side * 3).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 24) }
}

extension ConvolutionBackend {
    /// One vector for each image and head, in the order of `run`.
    func vectors(
        _ pixels: [UInt8],
        count: Int,
        heads: [Head] = Head.allCases,
        channels: Int
    ) throws(InferenceError) -> [[Float]] {
        var rows = [Float](repeating: .nan, count: count * heads.count * channels)
        var span = rows.mutableSpan
        try run(pixels.span.bytes, count: count, heads: heads, into: &span)
        return (0..<count * heads.count).map { Array(rows[$0 * channels..<($0 + 1) * channels]) }
    }
}

extension VulkanBackend {
    /// The software device that every test machine has.
    static func software(
        _ network: Network,
        maximumBatch: Int = 8,
        tier: TierCase = TierCase(tier: .fp32),
        _ change: (inout VulkanOptions) -> Void = { _ in }
    ) throws(InferenceError) -> VulkanBackend {
        let options = softwareOptions(maximumBatch: maximumBatch) { options in
            options.tier = tier.tier
            options.kernels = tier.options
            change(&options)
        }
        return try VulkanBackend(network: network, options: options)
    }

    static func softwareOptions(
        maximumBatch: Int = 8,
        _ change: (inout VulkanOptions) -> Void = { _ in }
    ) -> VulkanOptions {
        var options = VulkanOptions()
        options.device = "llvmpipe"
        options.allowsSoftware = true
        options.maximumBatch = maximumBatch
        change(&options)
        return options
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where no Vulkan loader is installed, unless `LIKENESS_TESTS_REQUIRE_ALL` is set: then the test runs, and fails.
    static var requiresVulkan: Self {
        .enabled(
            if: TestEnvironment.requiresAll || dlopen("libvulkan.so.1", RTLD_NOW) != nil,
            "needs packages libvulkan1 and mesa-vulkan-drivers"
        )
    }
}

/// Where nothing is yet.
func temporaryPath() -> String {
    FileManager.default.temporaryDirectory.appending(path: "likeness-\(UUID().uuidString)").path
}

func removeFolder(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

/// Flips a bit in the middle of every file of a folder.
func damageFiles(in folder: String) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
        let url = URL(filePath: "\(folder)/\(name)")
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: url)
    }
}
