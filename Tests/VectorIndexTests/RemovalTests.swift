import Platform
import Storage
import Testing

@testable import VectorIndex

/// Collections that shrink, vanish and move on.
@Suite("Removals")
struct RemovalTests {
    @Test("everything may go and come again")
    func everythingGoes() throws {
        let fixture = try IndexFixture(dimension: 24, isGraphForced: true)
        var source = FeatureSource(dimension: 24)
        for round in 0..<3 {
            let vectors = source.next(150)
            let slots = try fixture.add(vectors)
            try fixture.link()
            #expect(try fixture.everything(near: vectors[0]) == Set(slots))
            // The range of the codes is still that of the very first vector, which cuts many of these short.
            for (slot, vector) in zip(slots, vectors) { #expect(try fixture.search(vector, 1).first?.slot == slot) }
            try fixture.remove(slots)
            #expect(try fixture.search(vectors[0], 10).isEmpty)
            // Before the repair, after it, and after a checkpoint.
            if round > 0 { try fixture.link() }
            if round > 1 { try fixture.checkpoint() }
            #expect(fixture.violations() == [])
        }
        try fixture.checkpoint()
        #expect(fixture.index.writer.shared.withLock { $0.free.count } == Int(fixture.index.state.graph.slotCount))
        try fixture.reopen()
        let late = source.next(20)
        let slots = try fixture.add(late)
        try fixture.link()
        #expect(try fixture.everything(near: late[0]) == Set(slots))
    }

    @Test("the entry may be removed again and again")
    func theEntryGoes() throws {
        let fixture = try IndexFixture(dimension: 24, isGraphForced: true)
        var source = FeatureSource(dimension: 24)
        let vectors = source.next(300)
        let slots = try fixture.add(vectors)
        try fixture.link()
        var live = Dictionary(uniqueKeysWithValues: zip(slots, vectors))
        for number in 0..<120 {
            let entry = try #require(fixture.index.state.graph.entry)
            // A repair comes by and by; until then the entry is a removed slot.
            let gone = live[entry] == nil ? try #require(live.keys.max { $0.level < $1.level }) : entry
            try fixture.remove([gone])
            live[gone] = nil
            if number % 10 == 0 {
                try fixture.link()
                #expect(fixture.violations() == [])
                let (slot, vector) = try #require(live.first)
                #expect(try fixture.search(vector, 1).first?.slot == slot)
            }
        }
        try fixture.link()
        #expect(try fixture.everything(near: source.next()) == Set(live.keys))
        #expect(try fixture.recall(source.next(20), count: 10, ef: 64) >= 0.95)
    }

    /// Survivors whose neighbours all went have to be found from far away.
    @Test("whole clusters may vanish, one after the other")
    func clustersVanish() throws {
        let fixture = try IndexFixture(dimension: 32, isGraphForced: true)
        var sources = (0..<6).map { FeatureSource(dimension: 32, clusterCount: 1, seed: UInt64($0)) }
        var clusters: [[Slot]] = []
        for index in sources.indices { clusters.append(try fixture.add(sources[index].next(100))) }
        try fixture.link()
        while clusters.count > 2 {
            try fixture.remove(clusters.removeFirst())
            try fixture.link()
            sources.removeFirst()
            #expect(fixture.violations() == [])
            #expect(fixture.index.maintenance.linker.tombstones().isEmpty)
            #expect(fixture.index.maintenance.linker.orphans().isEmpty)
            let queries = sources.indices.flatMap { sources[$0].next(5) }
            #expect(try fixture.recall(queries, count: 10, ef: 64) >= 0.95)
        }
        #expect(try fixture.everything(near: sources[0].next()) == Set(clusters.joined()))
    }

    @Test("a window may slide over drifting vectors")
    func aWindowSlides() throws {
        let fixture = try IndexFixture(dimension: 32, isGraphForced: true)
        var sources = (0..<10).map { FeatureSource(dimension: 32, clusterCount: 1, seed: UInt64($0)) }
        var window: [[Slot]] = []
        for step in 0..<8 {
            // Two of every three clusters are those of the step before.
            let clusters = step..<step + 3
            window.append(try fixture.add(clusters.flatMap { sources[$0].next(30) }))
            if window.count > 3 { try fixture.remove(window.removeFirst()) }
            try fixture.link()
            if step % 2 == 1 { try fixture.checkpoint() }
            #expect(fixture.violations() == [])
            let queries = clusters.flatMap { sources[$0].next(4) }
            #expect(try fixture.recall(queries, count: 10, ef: 64) >= 0.95, "step \(step)")
        }
        // Slots come back: the window holds 270 of the 720 added.
        #expect(fixture.index.state.graph.slotCount <= 540)
        #expect(try fixture.everything(near: sources[9].next()) == Set(window.joined()))
    }

    /// A remove and an add of the same content in one transaction: what an update of an image's metadata must not cost.
    @Test("storms of updates leave one vector each")
    func updateStorms() throws {
        let fixture = try IndexFixture(dimension: 24, isGraphForced: true)
        var source = FeatureSource(dimension: 24)
        let vectors = source.next(200)
        var slots = try fixture.add(vectors)
        try fixture.link()
        var generator = SeededGenerator(5)
        for round in 0..<15 {
            let changed = (0..<40).map { _ in Int.random(in: 0..<vectors.count, using: &generator) }
            let isKept = round % 4 != 3
            var next = slots
            do {
                let transaction = try WriteTransaction(fixture.environment)
                for row in changed {
                    try fixture.index.stageRemoval(next[row], in: transaction)
                    next[row] = try fixture.index.stage(vectors[row], in: transaction)
                }
                if isKept { try transaction.commit() }
            }
            if isKept {
                fixture.index.publish()
                slots = next
            } else {
                fixture.index.discard()
            }
            if round % 3 == 0 { try fixture.link() }
            if round % 5 == 0 { try fixture.checkpoint() }
            #expect(fixture.index.statistics.vectorCount == vectors.count)
            for row in changed { #expect(try fixture.search(vectors[row], 1).first?.slot == slots[row]) }
        }
        try fixture.link()
        #expect(fixture.violations() == [])
        #expect(try fixture.everything(near: vectors[0]) == Set(slots))
    }

    /// Linkers that are stopped in the middle of a repair leave it to those that start next.
    @Test("a repair may be put off")
    func repairsMayBePutOff() throws {
        let fixture = try IndexFixture(dimension: 24, isGraphForced: true)
        var source = FeatureSource(dimension: 24)
        let slots = try fixture.add(source.next(800))
        try fixture.link()
        let gone = slots.filter { $0.rawValue % 3 == 0 }
        try fixture.remove(gone)
        for _ in 0..<20 where !fixture.index.maintenance.linker.tombstones().isEmpty {
            try fixture.index.start(threadCount: 1)
            fixture.index.stop()
            #expect(fixture.violations() == [])
        }
        try fixture.link()
        #expect(fixture.index.maintenance.linker.tombstones().isEmpty)
        #expect(fixture.violations() == [])
        #expect(fixture.index.maintenance.detached.withLock { Set($0.map(\.slot)) } == Set(gone))
    }
}
