import Platform
import Storage
import Synchronization
import Testing

@testable import VectorIndex

/// Vectors that cannot be told apart by their components: they prune each other from every list.
@Suite("Equal vectors")
struct EqualVectorTests {
    @Test("a thousand in slots of their own are all reached and found")
    func aThousandApart() throws {
        let fixture = try IndexFixture(dimension: 24, isGraphForced: true)
        var source = FeatureSource(dimension: 24)
        let others = source.next(300)
        try fixture.add(others)
        let same = source.next()
        let slots = try fixture.addApart([[Float]](repeating: same, count: 1000))
        #expect(Set(slots).count == 1000)
        try fixture.link()
        #expect(fixture.index.maintenance.linker.orphans().isEmpty)
        #expect(fixture.violations() == [])
        for count in [1, 10, 200, 1000] {
            let hits = try fixture.search(same, count)
            #expect(Set(hits.map(\.slot)).isSubset(of: slots) && hits.count == count)
        }
        #expect(try fixture.everything(near: same).count == 1300)
        #expect(try fixture.recall(source.next(20), count: 10, ef: 64) >= 0.95)

        // Most go; the rest stay reached.
        try fixture.remove(Array(slots.dropFirst(100)))
        try fixture.link()
        #expect(fixture.index.maintenance.linker.orphans().isEmpty)
        #expect(fixture.violations() == [])
        #expect(Set(try fixture.search(same, 100).map(\.slot)) == Set(slots.prefix(100)))
    }

    /// What is nearly equal has equal codes: the hash does not find it, only the graph does.
    @Test("hundreds of nearly equal ones are reached")
    func nearlyEqual() throws {
        let fixture = try IndexFixture(dimension: 24, isGraphForced: true)
        var source = FeatureSource(dimension: 24)
        var generator = SeededGenerator(8)
        try fixture.add(source.next(200))
        let centre = source.next()
        let near = (0..<500).map { _ in unit(centre.map { $0 * (1 + 0.001 * generator.normal()) }) }
        try fixture.add(near)
        try fixture.link()
        #expect(fixture.index.maintenance.linker.orphans().isEmpty)
        #expect(try fixture.search(centre, 10).allSatisfy { $0.score > 0.999 })
        #expect(try fixture.recall(source.next(20), count: 10, ef: 64) >= 0.95)
    }

    @Test("as the entry and all its neighbours hide nothing behind them")
    func equalEntry() throws {
        let fixture = try IndexFixture(dimension: 24, isGraphForced: true)
        var source = FeatureSource(dimension: 24)
        let same = source.next()
        let slots = Set(try fixture.addApart([[Float]](repeating: same, count: 200)))
        try fixture.link()
        let entry = try #require(fixture.index.state.graph.entry)
        #expect(slots.contains(entry))
        let neighbours = fixture.index.state.graph.list(entry, level: 0).map { Slot(rawValue: $0) }
        #expect(!neighbours.isEmpty && slots.isSuperset(of: neighbours))
        let vectors = source.next(400)
        let added = try fixture.add(vectors)
        try fixture.link()
        #expect(fixture.index.maintenance.linker.orphans().isEmpty)
        #expect(try fixture.recall(source.next(30), count: 10, ef: 64) >= 0.95)
        for (slot, vector) in zip(added, vectors).prefix(50) {
            #expect(try fixture.search(vector, 1).first?.slot == slot)
        }
    }

    @Test("are found while linkers take them in side by side")
    func concurrentEqualInserts() throws {
        let fixture = try IndexFixture(dimension: 24, isGraphForced: true)
        var source = FeatureSource(dimension: 24)
        try fixture.add(source.next(100))
        let same = source.next()
        try fixture.index.start(threadCount: 2)
        var count = 0
        for _ in 0..<12 {
            count += try fixture.addApart([[Float]](repeating: same, count: 25)).count
            let hits = try fixture.search(same, count)
            #expect(hits.count == count)
            #expect(hits.allSatisfy { $0.score > 0.999 })
        }
        fixture.index.waitUntilLinked()
        fixture.index.stop()
        #expect(try fixture.search(same, count).allSatisfy { $0.score > 0.999 })
        #expect(fixture.violations() == [])
    }
}
