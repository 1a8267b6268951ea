internal import Inference

/// The power-of-two scales of an fp16 calibration: they keep the maps of a network within fp16, whatever its weights.
///
/// Convolution, bias, ReLU and pooling commute with a positive factor on map and bias, and the vectors are normalised in the end:
/// so each map is stored divided by 2^e. The factors go into biases and into the exact powers of two behind each sum, and what
/// remains of the last one into gem3's floor. `Network.fp16Calibration` measures the maps on synthetic pictures; real
/// ones may be 4,000 times as strong before fp16 ends (150 times where Winograd's transform adds up 36 of them), and 10^5 times as
/// weak before it loses precision. Photos in both trained networks of the tests stay within a factor of three of what is measured.
struct FP16Scales {
    /// Of the preprocessed input.
    let input: Int
    /// Of the map behind each convolution.
    let maps: [Int]

    /// The largest activation of a picture lands in [2^3, 2^4).
    private static let target = 3

    init(of network: Network) {
        let measured = network.fp16Calibration()
        input = measured.input - Self.target
        maps = measured.maps.map { $0 - Self.target }
    }

    /// No scaling at all.
    init(unscaled network: Network) {
        input = 0
        maps = network.layers.convolutions.map { _ in 0 }
    }
}
