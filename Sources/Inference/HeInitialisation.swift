internal import Glibc

/// Deterministic random weights, the same bits on every machine.
///
/// Value `i` of stream `s` is a function of `(seed, s, i)` alone. `mix` is SplitMix64's finaliser (Steele, Lea and Flood,
/// OOPSLA 2014) on `key + (i + 1) * 0x9E3779B97F4A7C15`; its four 16-bit quarters are summed and centred, which gives an
/// integer with a nearly normal distribution (Irwin-Hall, n = 4), variance 4 (2^32 - 1) / 12 and no value beyond 3.47
/// standard deviations. The only floating-point steps are one square root, one division and one product in double
/// precision, which IEEE 754 rounds alike everywhere, and one rounding to fp32.
package struct HeInitialisation {
    let seed: UInt64

    private static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15
    /// Standard deviation of the sum of four integers from 0...65535.
    private static let sumDeviation = (4.0 * 4_294_967_295.0 / 12.0).squareRoot()

    /// Normal-like values of the given standard deviation.
    func values(stream: UInt64, count: Int, deviation: Double) -> [Float] {
        let key = Self.mix(seed &+ Self.gamma &* (stream &+ 1))
        let factor = deviation / Self.sumDeviation
        return [Float](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            for index in 0..<count {
                let bits = Self.mix(key &+ Self.gamma &* UInt64(truncatingIfNeeded: index &+ 1))
                let sum = (bits & 0xFFFF) &+ (bits >> 16 & 0xFFFF) &+ (bits >> 32 & 0xFFFF) &+ (bits >> 48)
                let centred = Int64(truncatingIfNeeded: sum) &- 131_070
                buffer.initializeElement(at: index, to: Float(Double(centred) * factor))
            }
            initializedCount = count
        }
    }

    /// SplitMix64's output function.
    package static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension MemoryWeights {
    /// He initialisation (variance 2 / fan-in, arXiv 1502.01852): streams 2i and 2i + 1 are convolution i's weight and bias.
    package static func random(_ architecture: Architecture, seed: UInt64, biasDeviation: Double = 0) -> MemoryWeights {
        let generator = HeInitialisation(seed: seed)
        var random = MemoryWeights(weights: [], biases: [])
        for convolution in architecture.layers.convolutions {
            let index = convolution.index
            random.weights.append(
                generator.values(
                    stream: UInt64(2 * index),
                    count: convolution.weightCount,
                    deviation: (2 / Double(convolution.fanIn)).squareRoot()
                )
            )
            random.biases.append(
                generator.values(
                    stream: UInt64(2 * index + 1),
                    count: convolution.outputChannels,
                    deviation: biasDeviation
                )
            )
        }
        return random
    }
}

extension Network {
    /// A network with seeded random weights, in memory, for benchmarks and tests.
    ///
    /// - Parameters:
    ///   - name: shown in status and errors.
    ///   - architecture: the convolutions.
    ///   - preprocessing: must have a side that the architecture accepts.
    ///   - seed: equal seeds give equal bits on every machine.
    ///   - biasDeviation: standard deviation of the biases, in units of the input (0...255 for Keras); 0 as published.
    /// - Returns: the network.
    package static func random(
        name: String,
        architecture: Architecture,
        preprocessing: Preprocessing = .keras,
        seed: UInt64,
        biasDeviation: Double = 0
    ) -> Network {
        precondition(
            architecture.accepts(side: preprocessing.side),
            "nothing is left of \(preprocessing.side) pixels after \(architecture.layers.poolCount) pools"
        )
        return Network(
            name: name,
            architecture: architecture,
            preprocessing: preprocessing,
            weights: .random(architecture, seed: seed, biasDeviation: biasDeviation)
        )
    }
}
