import Testing

@testable import Inference

struct FP16CalibrationTests {
    private static func network(gain: Float) throws -> Network {
        var preprocessing = Preprocessing.keras
        preprocessing.side = 24
        let widths = [3, 8, 12, 12]
        var weights = MemoryWeights(weights: [], biases: [])
        for (inputs, outputs) in zip(widths, widths.dropFirst()) {
            weights.weights.append((0..<outputs * inputs * 9).map { gain * Float(($0 * 37) % 19 - 8) / 64 })
            weights.biases.append([Float](repeating: 0, count: outputs))
        }
        let architecture = try #require(Architecture(stages: [[8, 12], [12]]))
        return Network(name: "gain", architecture: architecture, preprocessing: preprocessing, weights: weights)
    }

    @Test(arguments: [-60, -12, 5, 40])
    func `a power of two in every layer adds up, however far it leads`(exponent: Int) throws {
        let plain = try Self.network(gain: 1).fp16Calibration()
        let scaled = try Self.network(gain: Float(sign: .plus, exponent: exponent, significand: 1))
            .fp16Calibration()
        #expect(scaled.input == plain.input && plain.input == 7)
        #expect(scaled.maps == plain.maps.enumerated().map { $1 + exponent * ($0 + 1) })
    }

    @Test func `a map of zeros counts as large as the one before it`() throws {
        let exponents = try Self.network(gain: 0).fp16Calibration()
        #expect(exponents.maps == [7, 7, 7])
    }
}
