import Foundation
import Platform
import VectorIndex

/// The parent: starts one life of the worker after the other, ends it, and asks the next what is left.
final class TortureRun {
    let directory: String
    private let options: TortureOptions
    private var generator: TortureGenerator
    private var oracle = TortureOracle()
    private let begin = Instant.now
    private var rounds = 0
    private var lastPhase: TorturePhase?
    private var kills: [TorturePhase: Int] = [:]
    /// Mean seconds of each phase, to spread kills over all of it.
    private var duration: [TorturePhase: Double] = [:]
    private var orderlyEnds = 0
    private var wasOrderly = false
    private var longestOpening = 0.0
    /// How lives with a failing call ended.
    private var endings: [String: Int] = [:]
    private var strangeEndings: [String] = []
    /// Whether calls of this life fail, so that the store may refuse.
    private var mayRefuse = false

    /// Lives of one store, before a new one begins from nothing.
    private static let livesOfStore = 150
    private static let questionLimit = 1200
    /// A worker that says nothing for so long hangs.
    private static let patience = 30.0
    /// How long a phase is waited for that may not come.
    private static let aimSeconds = 0.35

    init(_ options: TortureOptions, directory: String) {
        self.options = options
        self.directory = directory
        generator = TortureGenerator(options.seed)
    }

    // MARK: Kills

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
        var hitsLeft = aim == .opening || aim == .checking ? 1 : Int.random(in: 1...3, using: &generator)
        let share = Double.random(in: 0...1.3, using: &generator)
        var process = try start(plan(stepCount: 0))
        var deadline = Instant.now + Self.patience
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
            .opening, .checking, .insertion, .insertion, .deletion, .update, .checkpoint, .checkpoint, .consolidation,
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
        guard status == 0, lastPhase == .closing else { throw BenchFailure("an orderly life ended with \(status)") }
        orderlyEnds += 1
        wasOrderly = true
    }

    /// Asks a life without work.
    private func look() throws {
        var process = try start(plan(stepCount: 0))
        var isDone = false
        while !isDone, case .frame(let frame) = try process.next(until: Instant.now + Self.patience) {
            take(frame)
            isDone = frame.kind == .checked
        }
        if !isDone { strangeEndings.append("the store could not be looked at") }
        process.kill()
        try drain(&process)
        _ = try process.reap()
    }

    // MARK: Failing calls

    /// Pairs of lives: one in which the k-th call fails, one without faults that looks; until no call fails any more.
    func failAll() throws {
        guard let fault = options.fault else { return }
        try clear()
        _ = try finish(start(plan(stepCount: 12)))
        var number = options.firstCall
        while rounds < options.roundLimit, Instant.now - begin < options.secondsLimit, faults.isEmpty {
            rounds += 1
            let mark = directory + ".hit"
            try? FileManager.default.removeItem(atPath: mark)
            let environment = [
                "LD_PRELOAD=\(fault.library)", "LIKENESS_FAULT_CALL=\(fault.call)",
                "LIKENESS_FAULT_AT=\(number)", "LIKENESS_FAULT_LASTING=\(fault.isLasting ? 1 : 0)",
                "LIKENESS_FAULT_ERROR=\(fault.error)", "LIKENESS_FAULT_BELOW=\(directory)",
                "LIKENESS_FAULT_MARK=\(mark)",
            ]
            mayRefuse = true
            let status = try finish(start(plan(stepCount: 12, isAsking: false), environment: environment))
            mayRefuse = false
            let isHit = FileManager.default.fileExists(atPath: mark)
            endings[ending(status, isHit: isHit), default: 0] += 1
            try look()
            if !isHit { break }
            number += options.callStride
        }
    }

    private func ending(_ status: Int32, isHit: Bool) -> String {
        if status != 0 { strangeEndings.append("the worker ended with status \(status)") }
        if !isHit { return "not hit" }
        return switch lastPhase {
        case .opening: "did not open"
        case .closing: "went on"
        default: "gave up"
        }
    }

    // MARK: One life

    private func clear() throws {
        try? FileManager.default.removeItem(atPath: directory)
        oracle.forget()
        wasOrderly = false
    }

    private func start(_ plan: TorturePlan, environment: [String] = []) throws -> TortureProcess {
        oracle.beginLife()
        lastPhase = nil
        return try TortureProcess(
            ["torture", "--worker", options.subject, directory],
            environment: environment,
            plan: plan.words
        )
    }

    private func plan(stepCount: Int, isAsking: Bool = true) -> TorturePlan {
        var plan = TorturePlan()
        plan.seed = generator.next()
        plan.nextItem = oracle.nextItem
        plan.nextBatch = oracle.nextBatch
        // Both sides of the sizes at which the index begins to link and learns its codes again.
        let era = rounds % Self.livesOfStore
        plan.target = UInt32(era < 40 ? 256 : era < 80 ? 700 : 2048)
        plan.stepCount = UInt32(stepCount)
        // The worker does not learn how batches ended that the last kill cut off, and leaves their items alone.
        let unresolved = Set(oracle.unresolved)
        plan.live = oracle.live.filter { !unresolved.contains($0.key) }
            .map { TorturePlan.Entry(item: $0.key, place: $0.value) }
        if isAsking { plan.questions = questions }
        return plan
    }

    /// What changed since the last look, and samples of what must be there and of what must not.
    private var questions: [TorturePlan.Entry] {
        var asked = oracle.changed.union(oracle.unresolved)
        asked.formUnion(oracle.live.keys.shuffled(using: &generator).prefix(Self.questionLimit))
        asked.formUnion(oracle.dead.shuffled(using: &generator).prefix(Self.questionLimit / 4))
        return asked.sorted().map { TorturePlan.Entry(item: $0, place: oracle.live[$0] ?? TortureFrame.absent) }
    }

    private func take(_ frame: TortureFrame) {
        oracle.take(frame)
        switch frame.kind {
        case .opened:
            guard let opening = TortureOpening(frame.words) else { return }
            longestOpening = max(longestOpening, Double(opening.microseconds) / 1000)
            // Below its threshold an index links nothing; a collection does not wait for repairs before it closes.
            if wasOrderly, options.subject == "index", oracle.live.count >= TortureIndex.parameters.linkFrom {
                oracle.expectWholeLinks(opening)
            }
            wasOrderly = false
        case .failed: note("failed: \(frame.text())")
        case .refused: note("refused: \(frame.text(after: 1))")
        case .phase: lastPhase = frame.words.first.flatMap(TorturePhase.init)
        default: break
        }
    }

    private func note(_ refusal: String) {
        if mayRefuse { endings[refusal, default: 0] += 1 } else { strangeEndings.append(refusal) }
    }

    /// Reads what a worker that was killed has left in the pipe.
    private func drain(_ process: inout TortureProcess) throws {
        while case .frame(let frame) = try process.next(until: Instant.now + Self.patience) { take(frame) }
    }

    /// Waits for a worker that ends by itself; its exit status.
    private func finish(_ process: consuming TortureProcess) throws -> Int32 {
        var process = process
        let deadline = Instant.now + Self.patience
        while true {
            switch try process.next(until: deadline) {
            case .frame(let frame): take(frame)
            case .end: return try process.reap()
            case .silence: throw BenchFailure("the worker hangs in phase \(lastPhase.map { "\($0)" } ?? "none")")
            }
        }
    }

    // MARK: The report

    /// Everything that must not be; empty is good.
    var faults: [String] {
        var faults = oracle.findings + strangeEndings
        if faults.isEmpty, oracle.verdict.faultCount > 0 { faults.append("\(oracle.verdict)") }
        let missed = oracle.verdict.missedByGraph
        if missed > 10, missed * 50 > oracle.verdict.insertsChecked {
            faults.append("the graph does not lead to \(missed) of \(oracle.verdict.insertsChecked) vectors")
        }
        return faults
    }

    var report: [String: any Sendable] {
        let verdict = oracle.verdict
        return [
            "bench": "torture", "subject": options.subject, "seed": options.seed, "rounds": rounds,
            "seconds": Instant.now - begin, "kills": kills.values.reduce(0, +),
            "kills_by_phase": Dictionary(uniqueKeysWithValues: kills.map { ("\($0.key)", $0.value) }),
            "orderly_ends": orderlyEnds, "endings": endings,
            "inserts_acknowledged": verdict.acknowledgedInserts, "deletes_acknowledged": verdict.acknowledgedDeletes,
            "inserts_checked": verdict.insertsChecked, "deletes_checked": verdict.deletesChecked,
            "unacknowledged_kept": verdict.unacknowledgedKept,
            "unacknowledged_dropped": verdict.unacknowledgedDropped, "refused": verdict.refused,
            "lost": verdict.lost, "undead": verdict.undead, "damaged": verdict.damaged, "torn": verdict.torn,
            "miscounted": verdict.miscounted, "dangling": verdict.dangling, "graph_missed": verdict.missedByGraph,
            "reopen_ms_max": longestOpening,
        ]
    }
}
