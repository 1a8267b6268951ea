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

    @Test(arguments: [(Head.max, [3, 1, 4, -1]), (.mean, [2, 4, 8, 0])])
    func `heads are normalised`(head: Head, values: [Float]) {
        #expect(reduce(values, head, channels: 2).row == [0.6, 0.8])
    }

    @Test func `gem3 is the cubic mean of what is above its floor`() {
        let (row, isSound) = reduce([0, 2, 1, 1], .gem3, channels: 2)
        #expect(isSound)
        // (8 / 2)^(1/3) = 1.5874 against 1.
        #expect(abs(row[0] / row[1] - 1.587401) < 1e-5)
    }

    @Test(arguments: Head.allCases, [Float.nan, .infinity])
    func `a non-finite value is told wherever it stands`(head: Head, value: Float) {
        for position in 0..<4 {
            var values: [Float] = [1, 2, 3, 4]
            values[position] = value
            #expect(!reduce(values, head, channels: 2).isSound, "\(head) \(value) at \(position)")
        }
    }

    @Test func `a map of zeros gives zeros`() {
        let (row, isSound) = reduce([0, 0, 0, 0], .max, channels: 2)
        #expect(isSound)
        #expect(row == [0, 0])
    }

    @Test func `both layouts of a map give the same row`() {
        let values: [Float] = [1, 5, 2, 6, 3, 7]
        var row = [Float](repeating: 0, count: 2)
        let (expected, _) = reduce([1, 2, 3, 5, 6, 7], .gem3, channels: 2)
        values.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let map = FeatureMap(base: base, channels: 2, positions: 3, channelStride: 1, positionStride: 2)
            var span = row.mutableSpan
            #expect(Head.gem3.reduce(map, into: &span, at: 0))
        }
        #expect(row == expected)
    }

    private func run(_ network: Network, _ pixels: [UInt8], heads: [Head]) throws -> [Float] {
        var rows = [Float](repeating: 0, count: heads.count * network.outputChannels)
        let backend = ReferenceBackend(network: network)
        var span = rows.mutableSpan
        try backend.run(pixels.span.bytes, count: 1, heads: heads, into: &span)
        return rows
    }

    private func reduce(_ values: [Float], _ head: Head, channels: Int) -> (row: [Float], isSound: Bool) {
        var row = [Float](repeating: 0, count: channels)
        var isSound = false
        values.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let positions = values.count / channels
            let map = FeatureMap(
                base: base,
                channels: channels,
                positions: positions,
                channelStride: positions,
                positionStride: 1
            )
            var span = row.mutableSpan
            isSound = head.reduce(map, into: &span, at: 0)
        }
        return (row, isSound)
    }
}
