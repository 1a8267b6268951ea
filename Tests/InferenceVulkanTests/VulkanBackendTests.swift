import Inference
import InferenceVulkan
import TestSupport
import Testing

/// One device at a time: suites run in parallel, and two of them on two cores only make each other slow.
@Suite(.serialized, .requiresVulkan)
struct VulkanBackendTests {
    /// Chains, sides and batches on purpose off every tile: 16, 32, 64 channels; 8x8 cells; 16 products a step.
    static let cases: [(chain: String, side: Int, count: Int, preprocessing: Preprocessing)] = [
        ("1", 16, 1, .keras),
        ("2 P 3", 16, 2, .torchvision),
        ("3 7 P 15 P", 18, 3, .keras),
        ("7 16 P 33", 18, 1, .torchvision),
        ("15 P 33 P 65 P", 32, 2, .keras),
        ("16 P P 33 1", 36, 5, .torchvision),
        ("8 P 8 P 8 P 9 P 600", 32, 1, .keras),
        ("5 P 5 P 5 P 600 P 129", 17, 2, .keras),
        ("4 4 4 P P P P", 16, 3, .keras),
        ("6 31 P 6", 5, 2, .torchvision),
        ("3 2", 1, 2, .keras),
    ]

    @Test(arguments: cases.indices)
    func `gives the reference's vectors`(number: Int) throws {
        let (chain, side, count, preprocessing) = Self.cases[number]
        let network = RandomNetwork(chain).network(side: side, preprocessing)
        let pixels = randomPixels(count: count, side: side)
        let channels = network.outputChannels
        let expected = try ReferenceBackend(network: network).vectors(pixels, count: count, channels: channels)
        let backend = try VulkanBackend.software(network)
        let found = try backend.vectors(pixels, count: count, channels: channels)
        for (row, (a, b)) in zip(found, expected).enumerated() {
            let error = zip(a, b).map { abs($0 - $1) }.max() ?? 0
            let similarity = b.contains { $0 != 0 } ? cosine(a, b) : (a == b ? 1 : 0)
            let head = Head.allCases[row % Head.allCases.count]
            #expect(
                similarity >= 0.999_999 && error <= 2e-5,
                "\(chain) side \(side) image \(row / Head.allCases.count) of \(count) \(head): cosine \(similarity), error \(error)"
            )
        }
    }

    @Test func `one backend serves any count and any list of heads`() throws {
        let network = RandomNetwork("8 P 20").network(side: 16)
        let backend = try VulkanBackend.software(network, maximumBatch: 5)
        let pixels = randomPixels(count: 5, side: 16)
        let all = try backend.vectors(pixels, count: 5, channels: 20)
        for count in [1, 2, 3, 5, 2] {
            let heads: [Head] = count == 2 ? [.gem3, .max] : [.mean]
            let some = try backend.vectors(Array(pixels.prefix(count * 768)), count: count, heads: heads, channels: 20)
            for (row, vector) in some.enumerated() {
                let head = try #require(Head.allCases.firstIndex(of: heads[row % heads.count]))
                #expect(vector == all[row / heads.count * Head.allCases.count + head], "count \(count), row \(row)")
            }
        }
        #expect(backend.maximumBatchCount == 5 && backend.preferredBatchCount == 5)
        #expect(backend.description.backend == "vulkan" && backend.description.tier == "fp32")
    }

    /// lavapipe binds 128 MiB at most: four images of this map, so five take two pieces.
    @Test func `a batch larger than a binding is run in pieces`() throws {
        let side = 112
        let network = RandomNetwork("600").network(side: side)
        let backend = try VulkanBackend.software(network, maximumBatch: 5)
        let pixels = randomPixels(count: 5, side: side)
        let together = try backend.vectors(pixels, count: 5, heads: [.mean], channels: 600)
        for image in [0, 3, 4] {
            let one = Array(pixels[image * side * side * 3..<(image + 1) * side * side * 3])
            #expect(try backend.vectors(one, count: 1, heads: [.mean], channels: 600)[0] == together[image])
        }
    }

    @Test func `a map of zeros gives a row of zeros`() throws {
        var black = Preprocessing.torchvision
        black.mean = [0, 0, 0]
        let chain = RandomNetwork("4")
        var unbiased = chain.memory
        unbiased.biases = unbiased.biases.map { .init(repeating: 0, count: $0.count) }
        let network = Network(
            name: "silent",
            layers: chain.layers,
            preprocessing: chain.network(side: 16, black).preprocessing,
            weightsDigest: chain.network(side: 16).weightsDigest,
            storage: unbiased
        )
        let rows = try VulkanBackend.software(network)
            .vectors([UInt8](repeating: 0, count: 768), count: 1, heads: [.max, .mean, .rmac], channels: 4)
        #expect(rows == [[Float]](repeating: [0, 0, 0, 0], count: 3))
    }
}
