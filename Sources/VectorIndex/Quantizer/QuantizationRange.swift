/// Zero point and scale of a scalar quantizer, trained from the values to quantize.
struct QuantizationRange {
    let zeroPoint: Int32
    let scale: Float

    /// Share of the values beyond the range, once a sample is large enough to say.
    private static let clippedShare = 1e-4

    /// Trains the range from vectors of `width` values laid end to end in `sample`; [0, 0.25] when there are none.
    init(_ sample: [Float], width: Int) {
        var hasNegative = false
        var largest: Float = 0
        for value in sample {
            if value < -1e-6 { hasNegative = true }
            largest = max(largest, abs(value))
        }
        if largest == 0 { largest = 0.25 }
        // Few vectors say little of the tail: leave room above what they show.
        let isSmall = sample.count < 256 * width
        let top = isSmall ? largest * 1.25 : Self.quantile(of: sample, below: largest)
        zeroPoint = hasNegative ? 128 : 0
        scale = top / (hasNegative ? 127 : 255)
    }

    /// The magnitude that all but `clippedShare` of the values stay below, to a 4096th of the largest one.
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
}
