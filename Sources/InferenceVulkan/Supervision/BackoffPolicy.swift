internal import Platform

/// An exponential backoff with a circuit breaker: when a lost device is tried again, when it drops a tier, when it is left alone.
package struct BackoffPolicy {
    package struct Settings: Sendable {
        /// Seconds until the first attempt; each one that fails doubles them.
        package var firstDelay = 1.0
        package var longestDelay = 60.0
        /// Seconds of service after which the delay begins anew.
        package var calm = 60.0
        /// Seconds within which losses count together.
        package var window = 600.0
        /// Losses that cost a tier.
        package var lossesUntilLowerTier = 3
        /// Losses after which the device is left alone.
        package var lossesUntilClosed = 6

        package init() {}
    }

    /// What comes next.
    enum Decision: Equatable {
        /// Try again after so many seconds.
        case retry(after: Double)
        /// The same, in a lower tier than so far.
        case retryLower(after: Double)
        case close
    }

    private let settings: Settings
    private var losses: [Instant] = []
    /// Attempts and losses since the last calm.
    private var failureCount = 0
    private var servingSince: Instant?

    init(_ settings: Settings) { self.settings = settings }

    /// The device computes from now on.
    mutating func noteService(at now: Instant) { servingSince = now }

    /// A loss, a hang, or a driver that crashed or did not answer.
    mutating func noteLoss(at now: Instant) -> Decision {
        let delay = nextDelay(at: now)
        losses = losses.filter { now - $0 <= settings.window } + [now]
        if losses.count >= settings.lossesUntilClosed { return .close }
        return losses.count == settings.lossesUntilLowerTier ? .retryLower(after: delay) : .retry(after: delay)
    }

    /// An attempt that failed without harm, as for lack of memory.
    mutating func noteFailure(at now: Instant) -> Decision { .retry(after: nextDelay(at: now)) }

    private mutating func nextDelay(at now: Instant) -> Double {
        if let servingSince, now - servingSince >= settings.calm { failureCount = 0 }
        servingSince = nil
        defer { failureCount += 1 }
        // The exponent is bounded before the power is taken.
        return min(settings.longestDelay, settings.firstDelay * Double(1 << min(failureCount, 30)))
    }
}
