import Glibc
import Harness
import Platform

/// Lives that are killed.
extension TortureRun {
    /// Lives that end by SIGKILL until the time or the rounds are used up, and one that looks at what the last one left.
    func killAll() throws {
        try clear()
        while rounds < options.roundLimit, Instant.now - begin < options.secondsLimit, faults.isEmpty {
            if rounds > 0, rounds.isMultiple(of: Self.livesOfStore) {
                try look()
                try clear()
            }
            rounds += 1
            if rounds.isMultiple(of: 20) { try endInOrder() } else { try killOnce() }
        }
        try look()
    }

    private func killOnce() throws {
        let aim = aim()
        let isRare = [.opening, .checking, .codecChange, .mapGrowth].contains(aim)
        var hitsLeft = isRare ? 1 : Int.random(in: 1...3, using: &generator)
        let share = Double.random(in: 0...1.3, using: &generator)
        var process = try start(plan(stepCount: .max))
        var deadline = Instant.now + Self.timeout
        var isAimed = false
        var phaseStart = Instant.now
        while case .frame(let frame) = try process.next(until: deadline) {
            take(frame)
            guard frame.kind == .phase, let phase = frame.words.first.flatMap(TorturePhase.init) else { continue }
            note(phase, phaseStart)
            phaseStart = Instant.now
            if !isAimed, phase != .opening, phase != .checking {
                isAimed = true
                deadline = Instant.now + Self.aimSeconds
            }
            guard phase == aim else { continue }
            hitsLeft -= 1
            if hitsLeft == 0 {
                Platform.sleep(seconds: min(0.2, share * duration[phase, default: 0.001]))
                break
            }
        }
        process.kill()
        try drain(&process)
        if try process.reap() == 128 + SIGKILL, let lastPhase { kills[lastPhase, default: 0] += 1 }
    }

    /// Phases that end a life, rare ones as often as others.
    private func aim() -> TorturePhase {
        let phases: [TorturePhase] = [
            .opening, .opening, .checking, .insertion, .insertion, .deletion, .update, .checkpoint, .checkpoint,
            .consolidation,
            .consolidation, .codecChange, .codecChange, .mapGrowth, .mapGrowth, .search,
        ]
        return phases[Int.random(in: 0..<phases.count, using: &generator)]
    }

    /// Follows the mean length of the phase that has ended.
    private func note(_ phase: TorturePhase, _ start: Instant) {
        defer { lastPhase = phase }
        guard let lastPhase else { return }
        let seconds = Instant.now - start
        duration[lastPhase] = duration[lastPhase].map { $0 * 0.9 + seconds * 0.1 } ?? seconds
    }

    /// A life that checkpoints everything and closes: afterwards links on disk must be whole.
    private func endInOrder() throws {
        let process = try start(plan(stepCount: 12))
        let status = try finish(process)
        guard status == 0, lastPhase == .closing else { throw HarnessFailure("an orderly life ended with \(status)") }
        orderlyEnds += 1
        wasOrderly = true
    }
}
