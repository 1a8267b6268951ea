internal import Platform

/// What to do after a loss, from the losses before.
struct LossHistory {
    /// What comes next.
    enum Verdict: Equatable {
        /// Try again after so many seconds.
        case retry(after: Double)
        /// The same, in a lower tier than so far.
        case retryLower(after: Double)
        case close
    }

    private let policy: RecoveryPolicy
    private var losses: [Instant] = []
    /// Attempts and losses since the last calm.
    private var failureCount = 0
    private var servingSince: Instant?

    init(_ policy: RecoveryPolicy) { self.policy = policy }

    /// The device computes from now on.
    mutating func noteService(at now: Instant) { servingSince = now }

    /// A loss, a hang, or a driver that crashed or did not answer.
    mutating func noteLoss(at now: Instant) -> Verdict {
        let delay = nextDelay(at: now)
        losses = losses.filter { now - $0 <= policy.window } + [now]
        if losses.count >= policy.lossesUntilClosed { return .close }
        return losses.count == policy.lossesUntilLowerTier ? .retryLower(after: delay) : .retry(after: delay)
    }

    /// An attempt that failed without harm, as for lack of memory.
    mutating func noteFailure(at now: Instant) -> Verdict { .retry(after: nextDelay(at: now)) }

    private mutating func nextDelay(at now: Instant) -> Double {
        if let servingSince, now - servingSince >= policy.calm { failureCount = 0 }
        servingSince = nil
        defer { failureCount += 1 }
        // The exponent is bounded before the power is taken.
        return min(policy.longestDelay, policy.firstDelay * Double(1 << min(failureCount, 30)))
    }
}
