import Platform
import Testing

@testable import InferenceVulkan

@Suite struct LossHistoryTests {
    private let start = Instant(nanoseconds: 0)

    @Test func `delays double to a minute and begin anew after a calm one`() {
        var history = LossHistory(RecoveryPolicy())
        var now = start
        var delays: [Double] = []
        for _ in 0..<8 {
            guard case .retry(let delay) = history.noteFailure(at: now) else {
                Issue.record("no retry")
                return
            }
            delays.append(delay)
            now = now + delay
        }
        #expect(delays == [1, 2, 4, 8, 16, 32, 60, 60])
        history.noteService(at: now)
        #expect(history.noteLoss(at: now + 59) == .retry(after: 60))
        history.noteService(at: now + 200)
        #expect(history.noteLoss(at: now + 260) == .retry(after: 1))
    }

    @Test func `three losses in ten minutes cost a tier, six the device`() {
        var history = LossHistory(RecoveryPolicy())
        var verdicts: [LossHistory.Verdict] = []
        for number in 0..<6 {
            let now = start + Double(number) * 100
            verdicts.append(history.noteLoss(at: now))
            history.noteService(at: now + 1)
        }
        #expect(
            verdicts == [.retry(after: 1), .retry(after: 1), .retryLower(after: 1)] + [
                .retry(after: 1), .retry(after: 1), .close,
            ]
        )
    }

    @Test func `losses far apart are forgotten`() {
        var history = LossHistory(RecoveryPolicy())
        for number in 0..<50 {
            let now = start + Double(number) * 301
            #expect(history.noteLoss(at: now) != .close)
            history.noteService(at: now + 1)
        }
    }
}
