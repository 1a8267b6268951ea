import Inference
import Platform
import Testing

@testable import InferenceVulkan

/// When a submission counts as hung.
@Suite struct SubmissionTimeoutsTests {
    private let measured = SubmissionTimeouts(isSoftware: false)

    private func flight(_ share: Double) -> SubmissionInFlight {
        let part = BatchPart(images: 0..<1, bucket: 1, frame: 0, steps: 0..<1, isFirst: true, isLast: true)
        return SubmissionInFlight(
            value: 1,
            part: part,
            submitted: Instant(nanoseconds: 0),
            estimate: nil,
            timeoutShare: share
        )
    }

    private func graph() throws -> ComputeGraph {
        try ComputeGraph(RandomNetwork("8 P 20").network(side: 16), tier: .fp32, target: GraphTarget())
    }

    @Test func `the first submission of each pipeline may take long, measured or not`() throws {
        let graph = try graph()
        let all = 0..<graph.steps.count
        var first = FirstSubmissions(of: graph)
        for step in all {
            #expect(first.share(of: all, imageCount: 1, in: graph, expected: 0.001) == SubmissionTimeouts.first)
            first.noteEnd(of: step..<step + 1, imageCount: 1, in: graph)
            // Its duration is not known yet.
            #expect(
                first.share(of: step..<step + 1, imageCount: 1, in: graph, expected: nil) == SubmissionTimeouts.first
            )
        }
        #expect(first.share(of: all, imageCount: 1, in: graph, expected: 0.001) == 0.004)
    }

    @Test func `a kernel that larger batches use has a first submission of its own`() throws {
        var target = GraphTarget()
        target.sharedByteLimit = 48 << 10
        let network = RandomNetwork("64 512").network(side: 14)
        let graph = try ComputeGraph(network, tier: .cooperative, target: target)
        #expect(graph.steps[1].implementations.count > 1)
        var first = FirstSubmissions(of: graph)
        first.noteEnd(of: 0..<graph.steps.count, imageCount: 1, in: graph)
        #expect(first.share(of: 1..<2, imageCount: 1, in: graph, expected: 0.25) == 1)
        #expect(first.share(of: 1..<2, imageCount: 64, in: graph, expected: 0.25) == SubmissionTimeouts.first)
    }

    @Test func `all that is in flight counts, above a floor`() {
        #expect(measured.seconds([]) == SubmissionTimeouts.floor)
        #expect(measured.seconds([flight(0.5), flight(0.25)]) == SubmissionTimeouts.floor + 0.75)
        #expect(measured.seconds([flight(0.5)], and: 0.25) == SubmissionTimeouts.floor + 0.75)
        #expect(measured.firstSeconds == SubmissionTimeouts.first)
        #expect(SubmissionTimeouts.floor >= 5 && SubmissionTimeouts.first >= 20)
    }

    @Test func `a software device may take minutes, and a test may say how long`() {
        let software = SubmissionTimeouts(isSoftware: true)
        #expect(software.seconds([flight(1)]) == 600 && software.firstSeconds == 600 && software.teardown == 600)
        let fixed = SubmissionTimeouts(isSoftware: true, fixed: 0.25)
        #expect(fixed.seconds([flight(1)], and: 1) == 0.25 && fixed.firstSeconds == 0.25 && fixed.teardown == 600)
        #expect(measured.teardown == 2)
    }
}
