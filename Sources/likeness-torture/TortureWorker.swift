import Foundation
import Glibc
import Harness
import Platform

/// One life of the process that is killed: reads its plan, opens the store, answers, and works.
///
/// Everything it says goes to standard output as frames; it decides nothing about right and wrong.
final class TortureWorker {
    private let subject: any TortureSubject
    private let plan: TorturePlan
    private var generator: SeededRandom
    private var live: [TorturePlan.Entry]
    private var nextItem: UInt32
    private var nextBatch: UInt32
    /// Items of the last batches, present and removed.
    private var recent: [TorturePlan.Entry] = []
    private var refusedInSuccession = 0

    /// Batches refused one after the other, after which the store is taken to be beyond help for now.
    private static let refusalLimit = 8
    /// Where the index learns the range of its codes again.
    private static let trainings = [256, 2048]

    private init(_ subject: any TortureSubject, _ plan: TorturePlan) {
        self.subject = subject
        self.plan = plan
        generator = SeededRandom(seed: plan.seed)
        live = plan.live
        nextItem = plan.nextItem
        nextBatch = plan.nextBatch
    }

    /// Runs a life on the store in `directory` by the plan on standard input.
    static func run(_ directory: String, _ subject: any TortureSubject) throws {
        let bytes = try FileHandle.standardInput.readToEnd() ?? Data()
        let words = bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt32.self)) }
        guard let plan = TorturePlan(words) else { throw HarnessFailure("the plan cannot be read") }
        let worker = TortureWorker(subject, plan)
        subject.announce = { worker.say(.phase, [$0.rawValue]) }
        do {
            try worker.live(in: directory)
        } catch { worker.say(TortureFrame(.failed, text: "\(error)")) }
    }

    private func live(in directory: String) throws {
        var opening = TortureOpening()
        if !plan.questions.isEmpty { try TortureRows.look(into: directory, &opening) }
        enter(.opening)
        let start = Instant.now
        try subject.open(&opening)
        opening.microseconds = UInt32(min(4e9, (Instant.now - start) * 1e6))
        say(.opened, opening.words)
        enter(.checking)
        for question in plan.questions { say(.answer, try subject.answer(question.item, at: question.place).words) }
        say(.checked)
        guard plan.stepCount > 0 else { return }
        for _ in 0..<plan.stepCount { try takeStep() }
        enter(.consolidation)
        try consolidate()
        enter(.closing)
        try subject.close()
    }

    // MARK: Work

    private func takeStep() throws {
        let isLow = live.count < Int(plan.target)
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<(isLow ? 45 : 15): try insert()
        case ..<50: try remove(Int.random(in: 1...24, using: &generator), .deletion)
        case ..<65: try update()
        case ..<85:
            enter(.checkpoint)
            while try attempt({ try subject.checkpoint() }) == true { enter(.checkpoint) }
        case ..<92:
            enter(.consolidation)
            try consolidate()
        default:
            enter(.search)
            for entry in recent.suffix(4) { say(.answer, try subject.answer(entry.item, at: entry.place).words) }
        }
    }

    private func insert() throws {
        let missing = Int(plan.target) - live.count
        let count = missing > 200 ? 128 : Int.random(in: 1...32, using: &generator)
        let isTraining = Self.trainings.contains { live.count < $0 && live.count + count >= $0 }
        enter(isTraining ? .codecChange : .insertion)
        try commit((0..<count).map { _ in addition() })
    }

    private func remove(_ count: Int, _ phase: TorturePhase) throws {
        enter(phase)
        try commit(
            (0..<min(count, live.count)).map { _ in
                let victim = takeLive()
                return TortureChange(item: victim.item, from: victim.place, to: TortureFrame.absent)
            }
        )
    }

    /// New vectors in the place of old ones; in a collection that chooses no places, some move instead.
    private func update() throws {
        enter(.update)
        var changes: [TortureChange] = []
        for _ in 0..<min(Int.random(in: 1...12, using: &generator), live.count) {
            let old = takeLive()
            if !subject.choosesPlaces, Bool.random(using: &generator) {
                changes.append(TortureChange(item: old.item, from: old.place, to: takeNumber()))
            } else {
                changes.append(TortureChange(item: old.item, from: old.place, to: TortureFrame.absent))
                changes.append(addition(at: old.place))
            }
        }
        try commit(changes)
    }

    /// Removes so many that a repair is due, and waits for it.
    private func consolidate() throws {
        try remove(max(70, live.count / 12), .consolidation)
        try subject.settle()
        while try attempt({ try subject.checkpoint() }) == true {}
    }

    private func addition(at place: UInt32? = nil) -> TortureChange {
        let item = takeNumber()
        let chosen = subject.choosesPlaces ? TortureFrame.unknown : place ?? item
        return TortureChange(item: item, from: TortureFrame.absent, to: chosen)
    }

    private func takeNumber() -> UInt32 {
        defer { nextItem += 1 }
        return nextItem
    }

    private func takeLive() -> TorturePlan.Entry {
        live.swapAt(Int.random(in: 0..<live.count, using: &generator), live.count - 1)
        return live.removeLast()
    }

    /// Announces a batch, stores it, and says so.
    private func commit(_ changes: [TortureChange]) throws {
        guard !changes.isEmpty else { return }
        let batch = nextBatch
        nextBatch += 1
        say(.intent, [batch] + changes.flatMap { [$0.item, $0.to] })
        guard let places = try attempt({ try subject.apply(changes) }, refusing: batch) else {
            live += changes.filter { !$0.isAddition }.map { TorturePlan.Entry(item: $0.item, place: $0.from) }
            return
        }
        say(.acknowledged, [batch] + places)
        let entries = zip(changes, places).map { TorturePlan.Entry(item: $0.item, place: $1) }
        live += entries.filter { $0.place != TortureFrame.absent }
        recent = (recent + entries).suffix(8)
    }

    /// Runs `body`; nil when the store refuses, which it may do for a while.
    private func attempt<R>(_ body: () throws -> R, refusing batch: UInt32? = nil) throws -> R? {
        do {
            let result = try body()
            refusedInSuccession = 0
            return result
        } catch {
            if let batch { say(TortureFrame(.refused, [batch], text: "\(error)")) }
            refusedInSuccession += 1
            guard refusedInSuccession < Self.refusalLimit else { throw error }
            return nil
        }
    }

    // MARK: The pipe

    private func enter(_ phase: TorturePhase) { say(.phase, [phase.rawValue]) }

    private func say(_ kind: TortureFrame.Kind, _ words: [UInt32] = []) { say(TortureFrame(kind, words)) }

    /// A worker that nobody listens to has nothing to do.
    private func say(_ frame: TortureFrame) {
        if !frame.write(to: STDOUT_FILENO) { exit(1) }
    }
}
