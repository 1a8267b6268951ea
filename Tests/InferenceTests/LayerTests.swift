import Foundation
import Testing

@testable import Inference

struct LayerTests {
    private func convolution(_ index: Int, _ inputs: Int, _ outputs: Int, _ kernel: Int, _ stride: Int, _ padding: Int)
        -> Layer
    {
        .convolution(
            Layer.Convolution(
                index: index,
                inputChannels: inputs,
                outputChannels: outputs,
                kernelSize: kernel,
                stride: stride,
                padding: padding
            )
        )
    }

    @Test func `a layer tells the size of its map`() {
        #expect(convolution(0, 3, 8, 3, 1, 1).outputSide(7) == 7)
        #expect(convolution(0, 3, 8, 1, 1, 0).outputSide(7) == 7)
        #expect(convolution(0, 3, 8, 7, 2, 3).outputSide(224) == 112)
        #expect(convolution(0, 3, 8, 5, 1, 0).outputSide(4) == 0)
        #expect(Layer.pool(.max2x2).outputSide(7) == 3)
        #expect(Layer.pool(.max2x2).outputSide(1) == 0)
        #expect(Layer.pool(.init(kind: .max, size: 3, stride: 2)).outputSide(7) == 3)
        #expect([convolution(0, 3, 8, 3, 1, 1), .pool(.max2x2), .pool(.max2x2)].outputSide(7) == 1)
    }

    @Test func `layers that do not fit each other are no architecture`() {
        let first = convolution(0, 3, 8, 3, 1, 1)
        #expect(Architecture(layers: [first, convolution(1, 8, 4, 1, 1, 0)]) != nil)
        #expect(Architecture(layers: []) == nil)
        #expect(Architecture(layers: [.pool(.max2x2), first]) == nil)
        #expect(Architecture(layers: [first, convolution(1, 7, 4, 3, 1, 1)]) == nil)
        #expect(Architecture(layers: [first, convolution(0, 8, 4, 3, 1, 1)]) == nil)
        #expect(Architecture(layers: [convolution(0, 1, 8, 3, 1, 1)]) == nil)
        #expect(Architecture(layers: [convolution(0, 3, 8, 3, 0, 1)]) == nil)
        #expect(Architecture(layers: [convolution(0, 3, 8, 3, 1, 3)]) == nil)
        #expect(Architecture(layers: [first, .pool(.init(kind: .max, size: 2, stride: 0))]) == nil)
    }

    @Test(arguments: [[[8]], [[5], [3, 7]], [[64, 64], [128, 128], [256]]])
    func `stages are stored as before and come back`(stages: [[Int]]) throws {
        let architecture = try #require(Architecture(stages: stages))
        #expect(architecture.stages == stages)
        #expect(architecture.layers.poolCount == stages.count - 1)
        let text = try JSONEncoder().encode([architecture])
        #expect(String(decoding: text, as: UTF8.self) == "\([stages])".replacing(" ", with: ""))
        #expect(try JSONDecoder().decode([Architecture].self, from: text) == [architecture])
    }

    @Test func `layers that stages cannot express are not stored`() throws {
        let first = convolution(0, 3, 8, 3, 1, 1)
        for last in [convolution(1, 8, 4, 1, 1, 0), convolution(1, 8, 4, 3, 2, 1), .pool(.max2x2)] {
            let architecture = try #require(Architecture(layers: [first, last]))
            #expect(architecture.stages == nil)
            #expect(throws: EncodingError.self) { try JSONEncoder().encode([architecture]) }
        }
    }

    @Test func `a layer without a kernel is refused by name`() throws {
        let network = try network(
            [convolution(0, 3, 2, 3, 1, 1), convolution(1, 2, 4, 1, 2, 0)],
            side: 4,
            weights: nil
        )
        let error = try #require(throws: InferenceError.self) {
            try network.check(for: "test") { $0.outputSide(4) == 4 }
        }
        guard case .unsupportedLayer(let refused) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(refused.position == 1 && refused.layer == network.layers[1])
        let text = "a 1x1 convolution from 2 to 4 channels, stride 2, padding 0, relu"
        #expect(error.description.contains("layer 1 of the network by hand is \(text)"))
        #expect(error.description.contains("backend test"))
    }

    /// 3 planes of 1, 2, 3 ... by rows, times the plane's number.
    @Test func `the reference computes kernels, strides and paddings of any size`() throws {
        let side = 5
        var pixels: [UInt8] = []
        for position in 0..<side * side {
            for plane in 1...3 { pixels.append(UInt8(plane * (position + 1))) }
        }
        for (kernel, stride, padding) in [(1, 1, 0), (1, 2, 0), (2, 1, 0), (3, 2, 1), (5, 1, 2), (5, 2, 0), (4, 3, 3)] {
            let layer = convolution(0, 3, 2, kernel, stride, padding)
            let taps = kernel * kernel
            let weights = (0..<2 * 3 * taps).map { Float($0 * 7 % 11) - 4 }
            let network = try network([layer], side: side, weights: [weights])
            let outputSide = layer.outputSide(side)
            // The mean over all positions, position by position.
            var means: [Double] = []
            for channel in 0..<2 {
                var total = 0.0
                for y in 0..<outputSide {
                    for x in 0..<outputSide {
                        var sum = 0.0
                        for tap in 0..<3 * taps {
                            let (plane, place) = tap.quotientAndRemainder(dividingBy: taps)
                            let row = y * stride + place / kernel - padding
                            let column = x * stride + place % kernel - padding
                            guard 0..<side ~= row, 0..<side ~= column else { continue }
                            sum +=
                                Double(weights[channel * 3 * taps + tap])
                                * Double(pixels[(row * side + column) * 3 + plane])
                        }
                        total += max(0, sum)
                    }
                }
                means.append(total)
            }
            let length = (means[0] * means[0] + means[1] * means[1]).squareRoot()
            var rows: [Float] = [0, 0]
            var span = rows.mutableSpan
            try ReferenceBackend(network: network).run(pixels.span.bytes, count: 1, heads: [.mean], into: &span)
            for channel in 0..<2 {
                #expect(abs(Double(rows[channel]) - means[channel] / length) < 1e-6, "\(layer): \(rows)")
            }
        }
    }

    @Test func `the reference pools squares of any size`() throws {
        let layers = [convolution(0, 3, 2, 1, 1, 0), .pool(.init(kind: .max, size: 3, stride: 1))]
        let network = try network(layers, side: 4, weights: [[1, 0, 0, 0, 1, 0]])
        // Red has a 3 that lies in all four squares of 3x3 of a map of 4x4; green is 4 everywhere.
        var pixels = [UInt8](repeating: 0, count: 48)
        pixels[(1 * 4 + 1) * 3] = 3
        for position in 0..<16 { pixels[position * 3 + 1] = 4 }
        var rows: [Float] = [0, 0]
        var span = rows.mutableSpan
        try ReferenceBackend(network: network).run(pixels.span.bytes, count: 1, heads: [.mean], into: &span)
        #expect(rows == [0.6, 0.8])
        #expect(layers.outputSide(4) == 2)
    }

    /// Without a bias; with weights of zeros where none are given.
    private func network(_ layers: [Layer], side: Int, weights: [[Float]]?) throws -> Network {
        try Network(
            name: "by hand",
            architecture: #require(Architecture(layers: layers)),
            preprocessing: Preprocessing(
                side: side,
                geometry: .squash,
                channelOrder: .rgb,
                mean: [0, 0, 0],
                scale: [1, 1, 1]
            ),
            weights: MemoryWeights(
                weights: weights ?? layers.convolutions.map { .init(repeating: 0, count: $0.weightCount) },
                biases: layers.convolutions.map { .init(repeating: 0, count: $0.outputChannels) }
            )
        )
    }
}
