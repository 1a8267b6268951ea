import Testing

@testable import Inference

struct HeInitialisationTests {
    @Test func `values are reproducible, independent of the order and of the right spread`() {
        let generator = HeInitialisation(seed: 1)
        let values = generator.values(stream: 3, count: 100_000, deviation: 0.5)
        #expect(Array(values[..<10]) == generator.values(stream: 3, count: 10, deviation: 0.5))
        #expect(values[..<10] != HeInitialisation(seed: 2).values(stream: 3, count: 10, deviation: 0.5)[...])
        #expect(values[..<10] != generator.values(stream: 4, count: 10, deviation: 0.5)[...])
        let mean = values.reduce(0.0) { $0 + Double($1) } / 100_000
        let variance = values.reduce(0.0) { $0 + Double($1) * Double($1) } / 100_000
        #expect(abs(mean) < 0.01)
        #expect(abs(variance - 0.25) < 0.005)
    }

    @Test func `SplitMix64 is the published one`() {
        // First outputs for seed 1234567, from the reference implementation's documentation.
        #expect(HeInitialisation.mix(1_234_567 &+ 0x9E37_79B9_7F4A_7C15) == 6_457_827_717_110_365_317)
    }
}
