internal import DeviceReports
internal import Inference
internal import Platform

/// When kernels are measured, and what follows from it; all on the supervisor's thread.
extension Supervisor {
    /// How often those who yield look whether the device is free again.
    private static let yieldSeconds = 0.001

    /// Why a device serves, as far as it is known.
    static func reason(_ tuningStatus: TuningStatus) -> String {
        "a device that passes the self-test, \(tuningStatus)"
    }

    /// When to measure should nobody compute until then; nil where there is nothing to measure.
    func tuningDue(_ state: State) -> Instant? {
        guard let seconds = options.tuningIdleSeconds, state.tuningStatus == .pending, state.engine != nil
        else { return nil }
        return (state.useCount == 0 ? state.idleSince : .now) + seconds
    }

    func tune() {
        let current = state.withLock { Box(engine: $0.engine, health: $0.health) }
        guard let engine = current.engine else { return }
        let (failedTiers, ceiling) = state.withLock { ($0.failedTiers, $0.ceiling) }
        do throws(InferenceError) {
            let outcome = try tuner.tune(
                engine,
                failedTiers: failedTiers,
                ceiling: ceiling,
                yielding: makeYieldPolicy()
            )
            guard case .tuned(let opened, let start, let gain) = outcome else { return }
            Self.log.notice("\(engine.device.name), \(engine.tier.rawValue), tuned: \(gain)")
            takeOver(Box(engine: opened, health: DeviceHealth()), from: current, since: start)
        } catch {
            setTuningStatus(.refused("\(error)"))
            if case .deviceLost = error {
                // The engine has lost it too, as a rule: better to know now than in the next batch.
                _ = noteLoss(of: engine, error)
            } else {
                Self.log.warning("\(engine.device.name), \(engine.tier.rawValue), not tuned: \(error)")
            }
        }
    }

    /// Closes with the first use, and when the daemon stops.
    private func makeYieldPolicy() -> YieldPolicy {
        let number = state.withLock { $0.useNumber }
        return YieldPolicy(
            mayContinue: { [state] in
                state.withLock { $0.useCount == 0 && $0.useNumber == number && !$0.isStopping }
            },
            waitUntilFree: { [state] in
                while state.withLock({ $0.useCount > 0 && !$0.isStopping }) { sleep(seconds: Self.yieldSeconds) }
            },
            submissionLimit: SubmissionPlan.submissionLimit
        )
    }

    private func setTuningStatus(_ tuningStatus: TuningStatus) {
        state.withLockNotifyingAll { state in
            state.tuningStatus = tuningStatus
            if state.engine != nil { state.health.reason = Self.reason(tuningStatus) }
        }
    }

    /// Replaces the engine. Where there is no room for two, the device is recovering meanwhile. An engine that was lost in the meantime
    /// is being recovered already, and the next one will find the tuning.
    private func takeOver(_ opened: Box, from current: Box, since start: Instant) {
        let isServing = state.withLockNotifyingAll { state -> Bool in
            guard let engine = state.engine, engine === current.engine else { return false }
            guard opened.engine == nil else { return true }
            state.retired.append(RetiredDevice(engine))
            state.engine = nil
            state.health.state = .recovering
            state.health.reason = "opened anew with the fastest kernels"
            state.health.tier = ""
            state.attempt = .now
            return false
        }
        if isServing { serve(opened, since: start) }
    }
}
