/// Time slicing of a batch: how it is divided into short submissions, by images into buckets, and a bucket by steps.
///
/// Everything follows from what was measured. The first image runs a step a submission; what that took decides how many
/// images and steps the next submission may hold.
struct SubmissionPlan {
    /// Seconds that all submissions in flight may take together: the longest that a query waits for bulk work.
    static let limit = 0.025
    /// Seconds of one submission at most, so that a second one can wait behind it and the device never idles.
    static let submissionLimit = limit / 2

    private var times: StepTimes
    /// What is recorded in command buffers for each bucket; changed only when it no longer fits, for recording costs.
    private var cuts: [[Range<Int>]?]

    /// - Parameters:
    ///   - stepCount: steps of the graph.
    ///   - capacity: images of the largest bucket, a power of two.
    init(stepCount: Int, capacity: Int) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "a bucket of \(capacity) images")
        let bucketCount = capacity.trailingZeroBitCount + 1
        times = StepTimes(stepCount: stepCount, bucketCount: bucketCount)
        cuts = Array(repeating: nil, count: bucketCount)
    }

    /// Images of the largest bucket in which every single step is short enough.
    var largestBucket: Int {
        var exponent = 0
        while exponent + 1 < cuts.count, isShortEnough(exponent: exponent + 1) { exponent += 1 }
        return 1 << exponent
    }

    private func isShortEnough(exponent: Int) -> Bool {
        (0..<times.stepCount).allSatisfy { step in
            times.estimate(step: step, exponent: exponent).map { $0 <= Self.submissionLimit } ?? false
        }
    }

    /// The next piece of a batch.
    ///
    /// - Parameter remaining: images that are left, at least 1.
    /// - Returns: how many of them, and the bucket they run in; it may have room for a third more.
    func piece(of remaining: Int) -> (imageCount: Int, bucket: Int) {
        let largest = largestBucket
        if remaining >= largest { return (largest, largest) }
        let below = 1 << (Int.bitWidth - 1 - remaining.leadingZeroBitCount)
        let above = 2 * below
        if below < remaining, above <= largest, 4 * remaining >= 3 * above { return (remaining, above) }
        return (below, below)
    }

    /// The submissions of a bucket: ranges of steps that together are all of them.
    mutating func cut(bucket: Int) -> [Range<Int>] {
        let exponent = bucket.trailingZeroBitCount
        let fresh = freshCut(exponent)
        if let known = cuts[exponent], isUsable(known, exponent, freshCount: fresh.count) { return known }
        // What was cut without knowing is cut again.
        let isKnown = times.estimate(steps: 0..<times.stepCount, exponent: exponent) != nil
        cuts[exponent] = isKnown ? fresh : nil
        return fresh
    }

    /// Expected seconds of a submission; nil before its steps ran.
    func estimate(bucket: Int, steps: Range<Int>) -> Double? {
        times.estimate(steps: steps, exponent: bucket.trailingZeroBitCount)
    }

    /// Takes in how long a submission took.
    mutating func note(bucket: Int, steps: Range<Int>, seconds: Double) {
        times.note(steps: steps, exponent: bucket.trailingZeroBitCount, measured: seconds)
    }

    /// As many steps a submission as fit; a step alone may be too long, or unknown.
    private func freshCut(_ exponent: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var first = 0
        var sum = 0.0
        for step in 0..<times.stepCount {
            let part = times.estimate(step: step, exponent: exponent) ?? .infinity
            if step > first, sum + part > Self.submissionLimit {
                ranges.append(first..<step)
                (first, sum) = (step, 0)
            }
            sum += part
        }
        ranges.append(first..<times.stepCount)
        return ranges
    }

    private func isUsable(_ cut: [Range<Int>], _ exponent: Int, freshCount: Int) -> Bool {
        let isTooCoarse = cut.contains { steps in
            guard steps.count > 1, let seconds = times.estimate(steps: steps, exponent: exponent) else { return false }
            return seconds > Self.submissionLimit * 1.5
        }
        return !isTooCoarse && cut.count <= 2 * freshCount
    }
}
