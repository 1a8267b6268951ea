/// What must be in the store, known from the pipe alone, and the judge of what the worker finds there.
struct TortureOracle {
    private struct Batch {
        var changes: [(item: UInt32, to: UInt32)]
        /// Where each item was before.
        var before: [UInt32?]
    }

    /// Similarity from which two vectors are the same one.
    private static let sameScore: Float = 0.999
    private static let findingLimit = 20
    /// Removed slots that make a repair due in a small index.
    private static let repairedFrom = 64

    private(set) var verdict = TortureVerdict()
    /// What was wrong, in words; the first ones.
    private(set) var findings: [String] = []
    private(set) var live: [UInt32: UInt32] = [:]
    private var items: [UInt32: UInt32] = [:]
    private(set) var dead: [UInt32] = []
    /// Items that changed since everything was last checked.
    private(set) var changed: Set<UInt32> = []
    private var begun: [UInt32: Batch] = [:]
    private(set) var nextItem: UInt32 = 0
    private(set) var nextBatch: UInt32 = 0
    /// The opening of this life, until `checked`.
    private var opening: TortureOpening?
    private var isChecking = false
    /// Where items of unacknowledged batches were found, and places that hits named, until `checked`.
    private var seen: [UInt32: UInt32] = [:]
    private var named: Set<UInt32> = []

    /// Items of batches whose end is not known.
    var unresolved: [UInt32] { begun.values.flatMap { $0.changes.map(\.item) } }

    /// The store was removed. Numbers are not given again.
    mutating func forget() {
        (live, items, dead, changed, begun) = ([:], [:], [], [], [:])
    }

    /// A new life begins.
    mutating func beginLife() {
        opening = nil
        isChecking = true
        seen = [:]
        named = []
    }

    /// Takes the links on disk for complete: the last life ended in good order, after it had removed enough for a repair. One that
    /// began in the middle of that removal leaves fewer slots than it takes for the next.
    mutating func expectWholeLinks(_ opening: TortureOpening) {
        let isRepaired = opening.danglingCount < Self.repairedFrom
        guard !isRepaired || opening.unlinkedCount > 0 else { return }
        verdict.dangling += Int(opening.danglingCount + opening.unlinkedCount)
        find("after an orderly end: \(opening)")
    }

    mutating func take(_ frame: TortureFrame) {
        switch frame.kind {
        case .intent: begin(frame.words)
        case .acknowledged: acknowledge(frame.words)
        case .refused: refuse(frame)
        case .opened:
            opening = TortureOpening(frame.words)
            if let opening {
                let faults = opening.malformedCount + opening.damagedCount + opening.findingCount
                verdict.damaged += Int(faults)
                if faults > 0 { find("\(opening)") }
            }
        case .answer: if let answer = TortureAnswer(frame.words) { judge(answer) }
        case .checked: resolve()
        case .phase, .failed: break
        }
    }

    // MARK: Batches

    private mutating func begin(_ words: [UInt32]) {
        guard let number = words.first else { return }
        let changes = stride(from: 1, to: words.count - 1, by: 2).map { (item: words[$0], to: words[$0 + 1]) }
        begun[number] = Batch(changes: changes, before: changes.map { live[$0.item] })
        changed.formUnion(changes.map(\.item))
        nextBatch = max(nextBatch, number + 1)
        for change in changes {
            nextItem = max(nextItem, change.item + 1)
            if change.to < TortureFrame.unknown { nextItem = max(nextItem, change.to + 1) }
        }
    }

    private mutating func acknowledge(_ words: [UInt32]) {
        guard let number = words.first, let batch = begun.removeValue(forKey: number) else { return }
        for (index, place) in words.dropFirst().enumerated() where index < batch.changes.count {
            if batch.before[index] == nil { verdict.acknowledgedInserts += 1 }
            if place == TortureFrame.absent { verdict.acknowledgedDeletes += 1 }
        }
        apply(zip(batch.changes, words.dropFirst()).map { ($0.item, $1) })
    }

    private mutating func refuse(_ frame: TortureFrame) {
        guard let number = frame.words.first, let batch = begun.removeValue(forKey: number) else { return }
        verdict.refused += 1
        dead += zip(batch.changes, batch.before).filter { $1 == nil }.map { $0.0.item }
    }

    /// Removals first: an item may take the place of another in one batch.
    private mutating func apply(_ places: [(item: UInt32, to: UInt32)]) {
        for (item, _) in places {
            guard let place = live.removeValue(forKey: item) else { continue }
            items[place] = nil
        }
        for (item, place) in places {
            if place == TortureFrame.absent {
                dead.append(item)
            } else {
                live[item] = place
                items[place] = item
            }
        }
    }

    /// The store has been looked at: batches without an acknowledgement are there as a whole or not at all.
    private mutating func resolve() {
        for (number, batch) in begun.sorted(by: { $0.key < $1.key }) {
            let places = batch.changes.map { seen[$0.item] }
            let isAfter = zip(batch.changes, places).allSatisfy { change, place in
                change.to == TortureFrame.absent
                    ? place == nil : place != nil && (change.to == TortureFrame.unknown || place == change.to)
            }
            if isAfter {
                verdict.unacknowledgedKept += 1
                apply(zip(batch.changes, places).map { ($0.item, $1 ?? TortureFrame.absent) })
            } else if zip(batch.before, places).allSatisfy({ $0 == $1 }) {
                verdict.unacknowledgedDropped += 1
                dead += zip(batch.changes, batch.before).filter { $1 == nil }.map { $0.0.item }
            } else {
                verdict.tornWrites += 1
                find("batch \(number) is there in part: \(batch.changes) were at \(batch.before), are at \(places)")
            }
        }
        begun = [:]
        for place in named where items[place] == nil {
            verdict.resurrectedDeletes += 1
            find("a search names place \(place), which nothing has")
        }
        if let opening, opening.vectorCount != live.count || opening.storedCount != live.count {
            verdict.miscounted += 1
            find("\(live.count) must be there: \(opening)")
        }
        changed = []
        dead = dead.suffix(4000)
        isChecking = false
    }

    // MARK: Answers

    private mutating func judge(_ answer: TortureAnswer) {
        let hits = answer.exact + answer.own + answer.near
        if isChecking {
            named.formUnion(hits.map(\.place))
        } else {
            for hit in hits where items[hit.place] == nil {
                verdict.resurrectedDeletes += 1
                find("a search names place \(hit.place), which nothing has")
            }
        }
        let isUnresolved = isChecking && begun.values.contains { $0.changes.contains { $0.item == answer.item } }
        if isUnresolved {
            seen[answer.item] = answer.exact.first { $0.score >= Self.sameScore }?.place
            return
        }
        if let place = live[answer.item] {
            verdict.insertsChecked += 1
            let isFound = [answer.exact, answer.own].allSatisfy { hits in
                hits.first.map { $0.place == place && $0.score >= Self.sameScore } ?? false
            }
            if !isFound {
                verdict.lost += 1
                find("item \(answer.item) at place \(place) is not found: \(answer)")
            }
            if !answer.isRowIntact {
                verdict.damaged += 1
                find("the row of item \(answer.item) at place \(place) is damaged")
            }
            if !answer.near.contains(where: { $0.place == place }) { verdict.missedByGraph += 1 }
        } else {
            verdict.deletesChecked += 1
            for hit in hits where hit.score >= Self.sameScore {
                verdict.resurrectedDeletes += 1
                find("item \(answer.item) is gone and found at place \(hit.place)")
            }
        }
    }

    private mutating func find(_ finding: String) {
        if findings.count < Self.findingLimit { findings.append(finding) }
    }
}
