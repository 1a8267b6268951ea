import Platform
import Storage
import Synchronization
import Testing

@testable import VectorIndex

/// Removals that were published, seen from other threads.
@Suite("Published removals")
struct RemovalVisibilityTests {
    /// Slots that are gone, each with the number of its removal: slots come back with other vectors.
    private final class Gone: Sendable {
        private let state = Monitor<(slots: [Slot: Int], next: Int)>(([:], 0))

        func add(_ slots: [Slot]) {
            state.withLockNotifyingAll { state in
                for slot in slots {
                    state.slots[slot] = state.next
                    state.next += 1
                }
            }
        }

        func remove(_ slots: [Slot]) {
            state.withLockNotifyingAll { state in for slot in slots { state.slots[slot] = nil } }
        }
        var slots: [Slot: Int] { state.withLock { $0.slots } }
    }

    @Test("are never returned, beside inserts, repairs, reuse and checkpoints")
    func neverReturned() throws {
        let fixture = try IndexFixture(dimension: 24, isGraphForced: true)
        var source = FeatureSource(dimension: 24)
        let vectors = source.next(400)
        var live = try fixture.add(vectors)
        let gone = Gone()
        let isDone = Atomic(false)
        let failures = Monitor<[String]>([])
        try fixture.index.start(threadCount: 2)
        let index = fixture.index
        let environment = fixture.environment
        let searchers = try (0..<2).map { number in
            try WorkerThread(name: "searcher-\(number)") {
                var at = number
                while !isDone.load(ordering: .relaxed) {
                    at = (at + 7) % vectors.count
                    let before = gone.slots
                    do {
                        let transaction = try ReadTransaction(environment)
                        let hits = try index.search(vectors[at], count: 10, transaction: transaction)
                        let after = gone.slots
                        for hit in hits {
                            guard let removal = before[hit.slot], after[hit.slot] == removal else { continue }
                            failures.withLockNotifyingAll { $0.append("\(hit.slot) was removed") }
                        }
                        if hits.count < 10 { failures.withLockNotifyingAll { $0.append("\(hits.count) hits") } }
                    } catch { failures.withLockNotifyingAll { $0.append("\(error)") } }
                }
            }
        }
        var generator = SeededGenerator(4)
        for _ in 0..<12 {
            live.shuffle(using: &generator)
            let removed = Array(live.suffix(90))
            live.removeLast(90)
            try fixture.remove(removed)
            gone.add(removed)
            do {
                let transaction = try WriteTransaction(environment)
                let added = try source.next(90).map { try index.stage($0, in: transaction) }
                gone.remove(added)
                try transaction.commit()
                index.publish()
                live += added
            }
            try fixture.checkpoint()
        }
        index.waitUntilLinked()
        isDone.store(true, ordering: .relaxed)
        for searcher in searchers { searcher.join() }
        index.stop()
        #expect(failures.withLock { $0 } == [])
        #expect(fixture.violations() == [])
        // Slots did come back, or the test shows less than it says.
        #expect(index.state.graph.slotCount < 400 + 12 * 90)
        #expect(try fixture.everything(near: vectors[0]) == Set(live))
    }
}
