internal import CKernels

/// How floats become bytes: value = step * (code - zero), codes 0...255 (README, "Codes").
struct VectorCodec: Hashable, Sendable {
    let dimension: Int
    /// 0 for non-negative data, 128 otherwise.
    let zero: Int32
    let step: Float

    /// Bytes of a code row: the dimension, padded to whole cache lines.
    var stride: Int { (dimension + 63) / 64 * 64 }

    /// Share of the components beyond the range, once a sample is large enough to say.
    private static let clippedShare = 1e-4

    init(dimension: Int, zero: Int32, step: Float) {
        self.dimension = dimension
        self.zero = zero
        self.step = step
    }

    /// Learns the range from vectors laid end to end in `sample`; [0, 0.25] when there are none.
    init(dimension: Int, sample: [Float]) {
        var hasNegative = false
        var largest: Float = 0
        for value in sample {
            if value < -1e-6 { hasNegative = true }
            largest = max(largest, abs(value))
        }
        if largest == 0 { largest = 0.25 }
        // Few vectors say little of the tail: leave room above what they show.
        let isSmall = sample.count < 256 * dimension
        let top = isSmall ? largest * 1.25 : Self.quantile(of: sample, below: largest)
        self.init(dimension: dimension, zero: hasNegative ? 128 : 0, step: top / (hasNegative ? 127 : 255))
    }

    /// The magnitude that all but `clippedShare` of the components stay below, to a 4096th of the largest one.
    private static func quantile(of sample: [Float], below largest: Float) -> Float {
        let binCount = 4096
        var bins = [Int](repeating: 0, count: binCount)
        let scale = Float(binCount - 1) / largest
        for value in sample { bins[Int(abs(value) * scale)] += 1 }
        var above = Int(Double(sample.count) * clippedShare)
        var bin = binCount - 1
        while bin > 0, bins[bin] <= above {
            above -= bins[bin]
            bin -= 1
        }
        return Float(bin + 1) / scale
    }

    /// Whether replacing this codec by `other` is worth encoding everything again.
    func differs(from other: VectorCodec) -> Bool {
        zero != other.zero || abs(step - other.step) > 0.1 * min(step, other.step)
    }

    /// Standard deviation of a similarity computed from codes, for a unit query: rounding errors are uniform in
    /// [-step/2, step/2] and independent.
    var deviation: Float { step * 0.28867513 }
}
