import Platform
import Testing

@testable import InferenceVulkan

@Suite struct BackoffPolicyTests {
    private let start = Instant(nanoseconds: 0)

    @Test func `delays double to a minute and begin anew after a calm one`() {
        var backoff = BackoffPolicy(BackoffPolicy.Settings())
        var now = start
        var delays: [Double] = []
        for _ in 0..<8 {
            guard case .retry(let delay) = backoff.noteFailure(at: now) else {
                Issue.record("no retry")
                return
            }
            delays.append(delay)
            now = now + delay
        }
        #expect(delays == [1, 2, 4, 8, 16, 32, 60, 60])
        backoff.noteService(at: now)
        #expect(backoff.noteLoss(at: now + 59) == .retry(after: 60))
        backoff.noteService(at: now + 200)
        #expect(backoff.noteLoss(at: now + 260) == .retry(after: 1))
    }

    @Test func `three losses in ten minutes cost a tier, six the device`() {
        var backoff = BackoffPolicy(BackoffPolicy.Settings())
        var decisions: [BackoffPolicy.Decision] = []
        for number in 0..<6 {
            let now = start + Double(number) * 100
            decisions.append(backoff.noteLoss(at: now))
            backoff.noteService(at: now + 1)
        }
        #expect(
            decisions == [.retry(after: 1), .retry(after: 1), .retryLower(after: 1)] + [
                .retry(after: 1), .retry(after: 1), .close,
            ]
        )
    }

    @Test func `losses far apart are forgotten`() {
        var backoff = BackoffPolicy(BackoffPolicy.Settings())
        for number in 0..<50 {
            let now = start + Double(number) * 301
            #expect(backoff.noteLoss(at: now) != .close)
            backoff.noteService(at: now + 1)
        }
    }
}
