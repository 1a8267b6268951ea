import Storage
import Synchronization
import Testing

@testable import VectorIndex

/// The graph under random changes, and under every count of vectors.
@Suite("The graph stays whole")
struct GraphFuzzTests {
    /// Adds, removals, aborts, links, checkpoints and restarts in random order; every live vector is there after each.
    @Test("under random changes", arguments: [1, 2, 3] as [UInt64])
    func randomChanges(seed: UInt64) throws {
        let fixture = try IndexFixture(dimension: 16, isGraphForced: true)
        var source = FeatureSource(dimension: 16, seed: seed)
        var generator = SeededGenerator(seed)
        var live: [Slot: [Float]] = [:]
        for step in 0..<60 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0...3:
                let fresh = source.next(Int.random(in: 1...40, using: &generator))
                for (slot, vector) in zip(try fixture.add(fresh, batch: 15), fresh) { live[slot] = vector }
            case 4...5:
                let count = Int.random(in: 0...live.count / 3, using: &generator)
                let gone = Array(live.keys.sorted().shuffled(using: &generator).prefix(count))
                try fixture.remove(gone)
                for slot in gone { live[slot] = nil }
            case 6:
                do {
                    let transaction = try WriteTransaction(fixture.environment)
                    for vector in source.next(5) { _ = try fixture.index.stage(vector, in: transaction) }
                    for slot in live.keys.prefix(3) { try fixture.index.stageRemoval(slot, in: transaction) }
                }
                fixture.index.discard()
            case 7: try fixture.link()
            case 8: try fixture.checkpoint()
            default: try fixture.reopen()
            }
            let statistics = fixture.index.statistics
            #expect(statistics.vectorCount == live.count, "seed \(seed), step \(step)")
            #expect(fixture.violations() == [], "seed \(seed), step \(step)")
            guard let (slot, vector) = live.randomElement(using: &generator) else { continue }
            #expect(try fixture.everything(near: vector) == Set(live.keys), "seed \(seed), step \(step)")
            #expect(try fixture.search(vector, 1).first?.slot == slot, "seed \(seed), step \(step)")
        }
        // A removal large enough for a repair: afterwards nothing names what is gone, in memory or on disk.
        let fresh = source.next(150)
        for (slot, vector) in zip(try fixture.add(fresh), fresh) { live[slot] = vector }
        try fixture.link()
        let gone = Array(live.keys.sorted().prefix(live.count / 2))
        try fixture.remove(gone)
        for slot in gone { live[slot] = nil }
        try fixture.link()
        try fixture.checkpoint()
        #expect(fixture.index.maintenance.linker.tombstones().isEmpty)
        try fixture.reopen()
        #expect(fixture.index.statistics.pendingCount == 0)
        #expect(fixture.violations() == [])
        #expect(fixture.index.maintenance.linker.orphans().isEmpty)
        #expect(fixture.slotsWithoutInLink() == [])
    }

    @Test("with any number of vectors", arguments: [1, 2, 3, 5, 17, 33, 150, 1500])
    func anyCount(count: Int) throws {
        let fixture = try IndexFixture(dimension: 16, isGraphForced: true)
        var generator = SeededGenerator(UInt64(count))
        // Without structure: the hardest vectors to reach.
        let vectors = (0..<count).map { _ in unit((0..<16).map { _ in generator.normal() }) }
        let slots = try fixture.add(vectors)
        try fixture.link()
        #expect(fixture.index.maintenance.linker.orphans().isEmpty)
        #expect(fixture.slotsWithoutInLink() == [])
        #expect(fixture.violations() == [])
        #expect(try fixture.everything(near: vectors[0]) == Set(slots))
        for (slot, vector) in zip(slots, vectors).prefix(200) {
            // A little beside it, where the hash does not help.
            let near = vector.enumerated().map { $0.offset % 2 == 0 ? $0.element * 1.02 : $0.element }
            #expect(try fixture.search(near, 1, ef: 128).first?.slot == slot)
        }
    }

    @Test("and gives the same answers after it was opened again")
    func theSameAfterOpening() throws {
        let fixture = try IndexFixture(dimension: 32, isGraphForced: true)
        var source = FeatureSource(dimension: 32)
        let slots = try fixture.add(source.next(900))
        try fixture.link()
        try fixture.remove(Array(slots.prefix(300)))
        try fixture.add(source.next(100))
        try fixture.link()
        try fixture.checkpoint()
        let queries = source.next(40)
        let before = try queries.map { try fixture.search($0, 10, ef: 20) }
        try fixture.reopen()
        #expect(fixture.index.statistics.pendingCount == 0)
        #expect(try queries.map { try fixture.search($0, 10, ef: 20) } == before)
    }
}
