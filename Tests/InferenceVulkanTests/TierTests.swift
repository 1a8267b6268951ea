import Inference
import Synchronization
import TestSupport
import Testing

@testable import InferenceVulkan

/// A tier, and how its kernels are chosen.
struct TierCase: CustomTestStringConvertible, Sendable {
    var tier: Tier
    var kernel: String?

    var options: KernelOptions {
        var options = KernelOptions()
        options.emulatesMatrixUnits = tier >= .cooperative
        options.preferredKernel = kernel
        return options
    }

    var testDescription: String { "\(tier) \(kernel ?? "by rule")" }

    /// Every kernel of a choice in turn, as far as a software device can run it; matrix units as arrays.
    static let all: [TierCase] =
        [TierCase(tier: .fp16), TierCase(tier: .cooperative)]
        + [Tier.fp32, .fp16].flatMap { tier in
            let storage: NumberStorage = tier == .fp32 ? .fp32 : .fp16
            return (Kernel.direct(storage) + Kernel.winogradProducts(storage)).map {
                TierCase(tier: tier, kernel: $0.name)
            }
        }
        + Kernel.scalar.map { TierCase(tier: .cooperative, kernel: $0.name) }
        + Kernel.scalar2.map { TierCase(tier: .cooperative2, kernel: $0.name) }
}

/// Numbers of every tier against the reference. One device at a time, as in `VulkanBackendTests`.
@Suite(.serialized, .requiresVulkan)
struct TierTests {
    /// Widths that fill no tile, odd sides, pooled and not, batches that end within a tile.
    private static let chains: [(chain: String, side: Int, count: Int)] = [
        ("33 64 P 100 36", 11, 3),
        ("65 P 130", 14, 2),
    ]

    @Test(arguments: TierCase.all)
    func `each kernel gives the reference's vectors`(tier: TierCase) throws {
        for (chain, side, count) in Self.chains {
            if let kernel = tier.kernel {
                // A preference that fits no layer would test another kernel. The limits are those of software devices.
                let network = RandomNetwork(chain).network(side: side)
                let graph = try ComputeGraph(network, tier: tier.tier, target: GraphTarget(), options: tier.options)
                #expect(
                    graph.kernels.contains { $0.kernel.name == kernel },
                    "\(tier.testDescription) in \(network.name)"
                )
            }
            try Self.compare(RandomNetwork(chain).network(side: side), count: count, tier)
        }
    }

    /// The widths of the networks that a tier must take, in chains that the reference computes in no time.
    @Test(
        arguments: [TierCase(tier: .fp32), TierCase(tier: .fp16), TierCase(tier: .cooperative)],
        ["1 2 P 3 5", "7 P 15 16 P 17 P 31", "31 P P 64 P 513 P 1", "16 P 600 P 100", "2 P P 5"]
    )
    func `any width is computed`(tier: TierCase, chain: String) throws {
        try Self.compare(RandomNetwork(chain).network(side: 17, .torchvision), count: 2, tier)
    }

    /// Batches on both sides of a tile's end share one backend.
    @Test(arguments: [TierCase(tier: .fp16), TierCase(tier: .cooperative)])
    func `any batch gives the same vectors`(tier: TierCase) throws {
        let network = RandomNetwork("33 P 40 P 40").network(side: 20)
        let backend = try VulkanBackend.software(network, maximumBatch: 7, tier: tier)
        let pixels = randomPixels(count: 7, side: 20)
        let all = try backend.vectors(pixels, count: 7, channels: 40)
        for count in [1, 2, 3, 5] {
            let some = try backend.vectors(Array(pixels.prefix(count * 1200)), count: count, channels: 40)
            for (a, b) in zip(some, all) { #expect(cosine(a, b) >= 0.999_999, "\(tier) batch of \(count)") }
        }
    }

    /// Weights that carry activations to 10^6, and down to 10^-6, which is gem3's floor: fp16 ends at 65,504 and at 6e-8.
    @Test(
        arguments: [TierCase(tier: .fp16), TierCase(tier: .cooperative)],
        [Float(30), 1e4, 1, 0.05, 0.003, 1e-5]
    )
    func `gains of any size are scaled away`(tier: TierCase, gain: Float) throws {
        let network = RandomNetwork("24 33 P 40 36", amplitude: gain, biasAmplitude: gain < 1 ? 0 : 1).network(side: 16)
        try Self.compare(network, count: 2, tier)
    }

    /// Of a pair of networks that differ by powers of two in their layers, nothing differs but gem3's floor.
    @Test(arguments: [TierCase(tier: .fp16), TierCase(tier: .cooperative)])
    func `a power of two in a layer changes no bit`(tier: TierCase) throws {
        let pixels = randomPixels(count: 1, side: 16)
        let rows = try [Float(1), 1024, 0x1p-12].map { gain in
            let network = RandomNetwork("24 33 P 40", amplitude: gain, biasAmplitude: 0).network(side: 16)
            let heads: [Head] = [.max, .mean, .rmac]
            return try VulkanBackend.software(network, tier: tier)
                .vectors(pixels, count: 1, heads: heads, channels: 40)
        }
        #expect(rows[1] == rows[0] && rows[2] == rows[0])
    }

    /// What the reference computed so far: it takes longer than all else, and many cases share a network.
    private static let known = Mutex<[String: [[Float]]]>([:])

    private static func expected(_ network: Network, _ pixels: [UInt8], count: Int) throws -> [[Float]] {
        let key = "\(network.weightsDigest) \(network.name) \(network.preprocessing.canonicalText) \(count)"
        if let vectors = known.withLock({ $0[key] }) { return vectors }
        let vectors = try ReferenceBackend(network: network)
            .vectors(pixels, count: count, channels: network.outputChannels)
        known.withLock { $0[key] = vectors }
        return vectors
    }

    /// Cosine, plain and about the mean, of every image and head to the reference's.
    private static func compare(_ network: Network, count: Int, _ tier: TierCase) throws {
        let side = network.preprocessing.side
        let channels = network.outputChannels
        let pixels = randomPixels(count: count, side: side)
        let expected = try expected(network, pixels, count: count)
        let backend = try VulkanBackend.software(network, tier: tier)
        #expect(backend.description.tier == tier.tier.rawValue)
        let found = try backend.vectors(pixels, count: count, channels: channels)
        for (row, (a, b)) in zip(found, expected).enumerated() {
            let name = "\(tier.testDescription), \(network.name) image \(row / 4) \(Head.allCases[row % 4])"
            let similarity = b.contains { $0 != 0 } ? cosine(a, b) : (a == b ? 1 : 0)
            #expect(similarity >= tier.tier.requiredCosine, "\(name): cosine \(similarity)")
            guard let centred = centredCosine(a, b) else { continue }
            #expect(centred >= 0.999, "\(name): centred cosine \(centred)")
        }
    }

    /// Cosine about the mean of `b`'s components; nil where what is left of `b` is too little to mean anything.
    private static func centredCosine(_ a: [Float], _ b: [Float]) -> Double? {
        let mean = b.reduce(0, +) / Float(b.count)
        let rest = b.map { $0 - mean }
        guard rest.reduce(0, { $0 + $1 * $1 }) > 0.01 else { return nil }
        return cosine(a.map { $0 - mean }, rest)
    }
}
