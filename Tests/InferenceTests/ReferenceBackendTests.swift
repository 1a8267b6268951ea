import Testing

@testable import Inference

struct ReferenceBackendTests {
    @Test func `preprocessing reorders, subtracts, scales`() throws {
        // The centre tap of each plane, a digit each, makes the value readable. One channel is normalised to 1, so two
        // convolutions side by side are compared instead.
        let architecture = try #require(Architecture(stages: [[2]]))
        var weight = [Float](repeating: 0, count: 54)
        weight[4] = 1  // blue, output 0
        weight[27 + 13] = 1  // green, output 1
        let network = Network(
            name: "by hand",
            architecture: architecture,
            preprocessing: Preprocessing(
                side: 1,
                geometry: .squash,
                channelOrder: .bgr,
                mean: [1, 2, 3],
                scale: [1, 0.5, 2]
            ),
            weights: MemoryWeights(weights: [weight], biases: [[0, 0]])
        )
        let rows = try run(network, [200, 10, 4], heads: [.max])
        // Blue 4 - 1 = 3; green (10 - 2) / 2 = 4; length 5.
        #expect(rows == [0.6, 0.8])
    }

    @Test func `zero padding surrounds the preprocessed image`() throws {
        // All taps 1 on the red plane: corners of a 2x2 image of value 1 see four pixels. Bias tells the sum from the padding.
        let architecture = try #require(Architecture(stages: [[2]]))
        var weight = [Float](repeating: 0, count: 54)
        for tap in 18..<27 { weight[tap] = 1 }
        let network = Network(
            name: "by hand",
            architecture: architecture,
            preprocessing: Preprocessing(
                side: 2,
                geometry: .squash,
                channelOrder: .bgr,
                mean: [0, 0, 0],
                scale: [1, 1, 1]
            ),
            weights: MemoryWeights(weights: [weight], biases: [[0, 3]])
        )
        let rows = try run(network, [UInt8](repeating: 1, count: 12), heads: [.max])
        #expect(rows == [0.8, 0.6])
    }

    private func run(_ network: Network, _ pixels: [UInt8], heads: [Head]) throws -> [Float] {
        var rows = [Float](repeating: 0, count: heads.count * network.outputChannels)
        let backend = ReferenceBackend(network: network)
        var span = rows.mutableSpan
        try backend.run(pixels.span.bytes, count: 1, heads: heads, into: &span)
        return rows
    }
}
