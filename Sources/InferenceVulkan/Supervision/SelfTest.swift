internal import Inference
internal import Platform

/// A known-answer self-test: a small network and a picture whose result is known. A device is used only after it reproduced that result.
///
/// Drivers that claim what they cannot do, or compile a kernel wrongly, are caught here and not in the index.
enum SelfTest {
    private static let imageCount = 3

    /// Runs every kernel that `network` would be computed with in the tier.
    ///
    /// - Throws: as `verify` of one session.
    static func verify(
        _ device: Device,
        for network: Network,
        tier: Tier,
        options: KernelOptions,
        timeouts: SubmissionTimeouts,
        cache: PipelineCache
    ) throws(InferenceError) {
        let set = KernelSet(tier, device.graphTarget, emulatesMatrixUnits: options.emulatesMatrixUnits)
        var names = set.kernelNames(for: network, options)
        // A network of one layer still has a first convolution and heads.
        if names.isEmpty { names = [""] }
        for name in names {
            var options = options
            options.preferredKernel = name
            try verify(device, tier: tier, options: options, timeouts: timeouts, cache: cache)
        }
    }

    /// Runs one session, convolutions pooled and not pooled, with channel counts that fill no tile; an image alone and two
    /// together. `pause` as for a session.
    ///
    /// - Throws: `.deviceUnavailable` with the cosine when the device computes wrongly, and what a session throws.
    static func verify(
        _ device: Device,
        tier: Tier,
        options: KernelOptions,
        timeouts: SubmissionTimeouts,
        cache: PipelineCache,
        pause: (() -> Void)? = nil
    ) throws(InferenceError) {
        let channels = network.outputChannels
        let expected = expected
        let session = try ComputeSession(
            device,
            network,
            tier: tier,
            options: options,
            maximumBatch: imageCount,
            timeouts: timeouts,
            cache: cache
        )
        var worst = 1.0
        var seenCount = 0
        try session.run(pixels.span.bytes, count: imageCount, pause: pause) { images, rows, pitch in
            seenCount += images.count
            for index in images.lowerBound * ComputeGraph.heads.count..<images.upperBound * ComputeGraph.heads.count {
                let (image, head) = index.quotientAndRemainder(dividingBy: ComputeGraph.heads.count)
                let row = (image - images.lowerBound) * ComputeGraph.heads.count + ComputeGraph.heads[head].summaryRow
                let own = Array(rows[row * pitch..<row * pitch + channels])
                let cosine = cosine(own, Array(expected[index * channels..<(index + 1) * channels]))
                // A NaN is the worst of all.
                worst = cosine >= worst ? worst : cosine
            }
        }
        guard seenCount == imageCount, worst >= tier.requiredCosine else {
            let kernel = options.preferredKernel.map { $0.isEmpty ? "" : " with \($0)" } ?? ""
            throw .deviceUnavailable(detail: "it computes wrongly\(kernel): cosine \(worst) to the reference")
        }
    }

    private static let network = makeNetwork()

    private static let pixels: [UInt8] = {
        var generator = SplitMix64(state: 2)
        let side = network.preprocessing.side
        return (0..<imageCount * side * side * 3).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }()

    /// `[imageCount, ComputeGraph.heads, outputChannels]`, computed once; zeros where that failed, which no device reproduces.
    private static let expected: [Float] = {
        var rows = [Float](repeating: 0, count: imageCount * ComputeGraph.heads.count * network.outputChannels)
        var span = rows.mutableSpan
        try? ReferenceBackend(network: network)
            .run(pixels.span.bytes, count: imageCount, heads: ComputeGraph.heads, into: &span)
        return rows
    }()

    private static func makeNetwork() -> Network {
        // Wide enough for every kernel: Winograd begins at 32 channels, the widest tiles at 65.
        let widths = [3, 7, 36, 66, 70]
        var layers: [Layer] = []
        for (index, width) in widths.dropLast().enumerated() {
            layers.append(
                .convolution(.init(index: index, inputChannels: width, outputChannels: widths[index + 1]))
            )
            if index == 0 || index == 2 { layers.append(.pool(.max2x2)) }
        }
        var preprocessing = Preprocessing.keras
        preprocessing.side = 18
        return Network(
            name: "self-test",
            layers: layers,
            preprocessing: preprocessing,
            weightsDigest: SHA256Digest(of: [UInt8]()),
            storage: makeWeights(widths)
        )
    }

    /// Seeded weights, uniform with the variance 2 / fan-in that keeps activations level (He et al. 2015, equation 10).
    private static func makeWeights(_ widths: [Int]) -> MemoryWeights {
        var generator = SplitMix64(state: 1)
        var memory = MemoryWeights()
        for (input, output) in zip(widths, widths.dropFirst()) {
            let bound = (6 / Float(9 * input)).squareRoot()
            memory.weights.append((0..<output * input * 9).map { _ in .random(in: -bound...bound, using: &generator) })
            memory.biases.append((0..<output).map { _ in .random(in: -1...1, using: &generator) })
        }
        return memory
    }

    private static func cosine(_ a: [Float], _ b: [Float]) -> Double {
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            ab += Double(x) * Double(y)
            aa += Double(x) * Double(x)
            bb += Double(y) * Double(y)
        }
        return ab / (aa * bb).squareRoot()
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same on every machine.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
