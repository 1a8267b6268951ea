import Testing

@testable import InferenceVulkan

@Suite struct SubmissionPlanTests {
    /// A device that takes `seconds[step]` an image; runs a batch as a session does and gives the pieces' sizes.
    private func run(_ plan: inout SubmissionPlan, _ count: Int, seconds: [Double]) -> [Int] {
        var rest = count
        var pieces: [Int] = []
        while rest > 0 {
            let (imageCount, bucket) = plan.piece(of: rest)
            #expect(imageCount <= bucket && imageCount * 4 >= bucket * 3 && imageCount <= rest)
            let cut = plan.cut(bucket: bucket)
            #expect(cut.flatMap { Array($0) } == Array(seconds.indices))
            for steps in cut {
                plan.note(bucket: bucket, steps: steps, seconds: seconds[steps].reduce(0, +) * Double(bucket))
            }
            pieces.append(imageCount)
            rest -= imageCount
        }
        return pieces
    }

    @Test func `the first image runs a step a submission, the next ones as many as fit`() {
        var plan = SubmissionPlan(stepCount: 3, capacity: 8)
        #expect(plan.piece(of: 20) == (1, 1))
        #expect(plan.cut(bucket: 1) == [0..<1, 1..<2, 2..<3])
        #expect(plan.estimate(bucket: 1, steps: 0..<3) == nil)
        #expect(run(&plan, 20, seconds: [1e-5, 1e-5, 1e-5]) == [1, 8, 8, 3])
        #expect(plan.cut(bucket: 8) == [0..<3])
    }

    /// 100 ms an image: no step fits twice, and every submission stays within its limit as long as a step does.
    @Test func `a slow device gets short submissions`() {
        let seconds = [0.002, 0.011, 0.003, 0.004, 0.012, 0.001, 0.001]
        var plan = SubmissionPlan(stepCount: seconds.count, capacity: 64)
        #expect(run(&plan, 5, seconds: seconds) == [1, 1, 1, 1, 1])
        let cut = plan.cut(bucket: 1)
        #expect(cut == [0..<1, 1..<2, 2..<4, 4..<5, 5..<7])
        for steps in cut { #expect(seconds[steps].reduce(0, +) <= SubmissionPlan.submissionLimit) }
    }

    @Test(arguments: [1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
    func `buckets grow until a single step is too long`(seconds: Double) {
        var plan = SubmissionPlan(stepCount: 4, capacity: 256)
        for _ in 0..<3 { _ = run(&plan, 300, seconds: [seconds, seconds / 2, seconds, seconds / 3]) }
        let largest = plan.largestBucket
        #expect(Double(largest) * seconds <= SubmissionPlan.submissionLimit)
        #expect(largest == 256 || Double(2 * largest) * seconds > SubmissionPlan.submissionLimit)
        for steps in plan.cut(bucket: largest) {
            let estimate = plan.estimate(bucket: largest, steps: steps) ?? .infinity
            #expect(estimate <= SubmissionPlan.submissionLimit * 1.5)
        }
    }

    @Test func `a device that slows down is cut finer, and a fast one coarser again`() {
        var plan = SubmissionPlan(stepCount: 6, capacity: 1)
        let fast = [Double](repeating: 0.001, count: 6)
        _ = run(&plan, 3, seconds: fast)
        #expect(plan.cut(bucket: 1) == [0..<6])
        for _ in 0..<30 { _ = run(&plan, 1, seconds: fast.map { $0 * 10 }) }
        #expect(plan.cut(bucket: 1).count == 6)
        for _ in 0..<30 { _ = run(&plan, 1, seconds: fast) }
        #expect(plan.cut(bucket: 1).count <= 2)
    }

    @Test func `a step of unknown length is scaled from the nearest bucket`() {
        var times = StepTimes(stepCount: 2, bucketCount: 4)
        #expect(times.estimate(step: 0, exponent: 0) == nil)
        times.note(steps: 0..<1, exponent: 1, measured: 0.25)
        #expect(times.estimate(step: 0, exponent: 3) == 1)
        #expect(times.estimate(step: 0, exponent: 0) == 0.25)
        #expect(times.estimate(steps: 0..<2, exponent: 1) == nil)
        times.note(steps: 0..<2, exponent: 1, measured: 0.5)
        #expect(times.estimate(steps: 0..<2, exponent: 1) != nil)
    }
}
