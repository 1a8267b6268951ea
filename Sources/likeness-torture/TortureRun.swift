import Foundation
import Harness
import Platform
import VectorIndex

/// The parent: starts one life of the worker after the other, ends it, and asks the next what is left.
final class TortureRun {
    let directory: String
    let options: TortureOptions
    var generator: SeededRandom
    var oracle = TortureOracle()
    let begin = Instant.now
    var rounds = 0
    var lastPhase: TorturePhase?
    var kills: [TorturePhase: Int] = [:]
    /// Mean seconds of each phase, to spread kills over all of it.
    var duration: [TorturePhase: Double] = [:]
    var orderlyEnds = 0
    var wasOrderly = false
    var longestOpening = 0.0
    /// How lives with a failing call ended.
    var endings: [String: Int] = [:]
    var strangeEndings: [String] = []
    /// Whether calls of this life fail, so that the store may refuse.
    var mayRefuse = false

    /// Lives of one store, before a new one begins from nothing.
    static let livesOfStore = 150
    static let questionLimit = 1200
    /// A worker that says nothing for so long hangs.
    static let timeout = 30.0
    /// How long a phase is waited for that may not come.
    static let aimSeconds = 0.35

    init(_ options: TortureOptions, directory: String) {
        self.options = options
        self.directory = directory
        generator = SeededRandom(seed: options.seed)
    }

    // MARK: One life

    func clear() throws {
        try? FileManager.default.removeItem(atPath: directory)
        oracle.forget()
        wasOrderly = false
    }

    func start(_ plan: TorturePlan, environment: [String] = []) throws -> TortureProcess {
        oracle.beginLife()
        lastPhase = nil
        return try TortureProcess(
            ["torture-worker", options.subject, directory],
            environment: environment,
            plan: plan.words
        )
    }

    func plan(stepCount: UInt32, isAsking: Bool = true) -> TorturePlan {
        var plan = TorturePlan()
        plan.seed = generator.next()
        plan.nextItem = oracle.nextItem
        plan.nextBatch = oracle.nextBatch
        // Both sides of the sizes at which the index begins to link and learns its codes again.
        let era = rounds % Self.livesOfStore
        plan.target = UInt32(era < 40 || options.fault != nil ? 256 : era < 80 ? 700 : 2048)
        plan.stepCount = stepCount
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

    func take(_ frame: TortureFrame) {
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
    func drain(_ process: inout TortureProcess) throws {
        while case .frame(let frame) = try process.next(until: Instant.now + Self.timeout) { take(frame) }
    }

    /// Waits for a worker that ends by itself; its exit status.
    func finish(_ process: consuming TortureProcess) throws -> Int32 {
        var process = process
        let deadline = Instant.now + Self.timeout
        while true {
            switch try process.next(until: deadline) {
            case .frame(let frame): take(frame)
            case .end: return try process.reap()
            case .silence: throw HarnessFailure("the worker hangs in phase \(lastPhase.map { "\($0)" } ?? "none")")
            }
        }
    }

    /// Asks a life without work.
    func look() throws {
        if try finish(start(plan(stepCount: 0))) != 0 || lastPhase != .checking {
            strangeEndings.append("the store could not be looked at")
        }
    }
}
