/// A measured cost model: how long each step of a graph takes for each bucket of images, an exponential moving average.
struct StepTimes {
    /// Seconds by bucket (a power of two) and step; nil where nothing was measured.
    private var seconds: [[Double?]]
    /// Weight of a new measurement.
    private static let share = 0.3
    private static let least = 1e-6

    /// Nothing measured yet, for buckets `1, 2, 4 ... 2^(bucketCount - 1)`.
    init(stepCount: Int, bucketCount: Int) {
        seconds = Array(repeating: Array(repeating: nil, count: stepCount), count: bucketCount)
    }

    var stepCount: Int { seconds[0].count }

    /// Expected seconds of `step` for `1 << exponent` images: measured, or scaled from the nearest bucket that was. From
    /// a smaller one that errs on the safe side, for devices work better on more images. Nil when the step never ran.
    func estimate(step: Int, exponent: Int) -> Double? {
        if let known = seconds[exponent][step] { return known }
        for smaller in (0..<exponent).reversed() {
            if let known = seconds[smaller][step] { return known * Double(1 << (exponent - smaller)) }
        }
        for larger in (exponent + 1)..<max(exponent + 1, seconds.count) {
            if let known = seconds[larger][step] { return known }
        }
        return nil
    }

    /// Expected seconds of consecutive steps; nil when one of them never ran.
    func estimate(steps: Range<Int>, exponent: Int) -> Double? {
        var sum = 0.0
        for step in steps {
            guard let part = estimate(step: step, exponent: exponent) else { return nil }
            sum += part
        }
        return sum
    }

    /// Takes a measurement in; that of several steps is shared out as they were expected to take.
    mutating func note(steps: Range<Int>, exponent: Int, measured: Double) {
        let measured = max(measured, Self.least)
        let expected = estimate(steps: steps, exponent: exponent)
        for step in steps {
            let part: Double
            if let expected, let own = estimate(step: step, exponent: exponent) {
                part = measured * own / max(expected, Self.least)
            } else {
                part = measured / Double(steps.count)
            }
            if let old = seconds[exponent][step] {
                seconds[exponent][step] = old + Self.share * (part - old)
            } else {
                seconds[exponent][step] = part
            }
        }
    }
}
