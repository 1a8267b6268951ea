import Platform
import Storage
import Synchronization
import Testing

@testable import VectorIndex

struct ChangeTests {
    @Test func equalVectorsShareOneSlot() throws {
        let fixture = try IndexFixture(dimension: 24, isGraphForced: true)
        var source = FeatureSource(dimension: 24)
        let same = source.next()
        let slots = try fixture.add([[Float]](repeating: same, count: 1000), batch: 300)
        #expect(Set(slots).count == 1)
        let others = try fixture.add(source.next(100))
        try fixture.link()
        #expect(fixture.index.statistics.vectorCount == 101)
        #expect(try fixture.search(same, 1).first?.slot == slots[0])
        #expect(try fixture.search(same, 200).count == 101)
        // Removed and added again, it is a new vector.
        try fixture.remove([slots[0]])
        #expect(try fixture.search(same, 200).count == 100)
        #expect(try fixture.add([same])[0] != slots[0])
        #expect(Set(try fixture.search(same, 200).map(\.slot)).isSuperset(of: others))
    }

    @Test func anAbortedTransactionLeavesNothing() throws {
        let fixture = try IndexFixture(dimension: 16)
        var source = FeatureSource(dimension: 16)
        let kept = source.next(10)
        let slots = try fixture.add(kept)
        let lost = source.next()
        do {
            let transaction = try WriteTransaction(fixture.environment)
            _ = try fixture.index.stage(lost, in: transaction)
            try fixture.index.stageRemoval(slots[0], in: transaction)
        }
        fixture.index.discard()
        #expect(try fixture.search(kept[0], 20).count == 10)
        #expect(try fixture.search(kept[0], 1).first?.slot == slots[0])
        let again = try fixture.add([lost])
        #expect(try fixture.search(lost, 1).first?.slot == again[0])
        try fixture.reopen()
        #expect(try fixture.search(lost, 20).count == 11)
    }

    /// Vectors with negative components make the codes of non-negative ones useless: at the 256th, all are encoded
    /// again.
    @Test func aNewRangeKeepsTheCodesOfRemovedVectors() throws {
        let fixture = try IndexFixture(dimension: 32, isGraphForced: true)
        var source = FeatureSource(dimension: 32)
        let vectors = source.next(200)
        let slots = try fixture.add(vectors)
        try fixture.link()
        // Too few for a repair: they stay in the graph.
        try fixture.remove(Array(slots[0..<20]))
        let step = fixture.index.state.codes.quantizer.scale
        try fixture.add(source.next(100).map { $0.map { -$0 } })
        let codes = fixture.index.state.codes
        #expect(codes.quantizer.zeroPoint == 128)
        for (slot, vector) in zip(slots, vectors) {
            let row = codes.row(slot)
            for (index, value) in vector.enumerated() {
                let decoded = codes.quantizer.scale * Float(Int32(row[index]) - 128)
                #expect(abs(decoded - value) < step + codes.quantizer.scale, "slot \(slot)")
            }
        }
    }

    @Test func aNewRangeInAnAbortedTransactionLosesNothing() throws {
        let fixture = try IndexFixture(dimension: 32)
        var source = FeatureSource(dimension: 32)
        let vectors = source.next(250)
        let slots = try fixture.add(vectors)
        do {
            let transaction = try WriteTransaction(fixture.environment)
            for slot in slots[0..<5] { try fixture.index.stageRemoval(slot, in: transaction) }
            for vector in source.next(20) { _ = try fixture.index.stage(vector.map { -$0 }, in: transaction) }
        }
        fixture.index.discard()
        #expect(fixture.index.state.codes.quantizer.zeroPoint == 128)
        for (slot, vector) in zip(slots, vectors) {
            #expect(try fixture.search(vector, 1, isExact: true).first?.slot == slot)
        }
    }

    /// A vector that was pending when the index was opened can be named by lists, which a crash between two parts of a
    /// checkpoint leaves behind.
    @Test func noListNamesAFreeSlot() throws {
        let fixture = try IndexFixture(dimension: 32, isGraphForced: true)
        var source = FeatureSource(dimension: 32)
        let slots = try fixture.add(source.next(300))
        try fixture.link()
        try fixture.checkpoint()
        let lost = Array(slots[10..<20])
        do {
            let transaction = try WriteTransaction(fixture.environment)
            let lists = try transaction.openDatabase("adj0", .integerKey)
            for slot in lost { try transaction.delete(slot.rawValue, in: lists) }
            try transaction.commit()
        }
        try fixture.reopen()
        #expect(fixture.index.statistics.pendingCount == lost.count)
        try fixture.remove(lost)
        try fixture.link()
        try fixture.checkpoint()
        let free = Set(fixture.index.writer.shared.withLock { $0.free.map(\.slot.rawValue) })
        for slot in slots {
            for level in 0...slot.level {
                #expect(free.isDisjoint(with: fixture.index.state.graph.list(slot, level: level)), "slot \(slot)")
            }
        }
    }

    @Test func addingWaitsForLinkersThatLagBehind() throws {
        let fixture = try IndexFixture(dimension: 32, isGraphForced: true, pendingLimit: 100)
        var source = FeatureSource(dimension: 32)
        try fixture.add(source.next(600))
        // Nobody links: nothing to wait for.
        fixture.index.applyBackpressure()
        #expect(fixture.index.statistics.pendingCount == 600)
        try fixture.index.start()
        fixture.index.applyBackpressure()
        #expect(fixture.index.statistics.pendingCount <= 101)
        fixture.index.stop()
    }

    @Test func removingAnUnknownSlotIsAnError() throws {
        let fixture = try IndexFixture(dimension: 16)
        let transaction = try WriteTransaction(fixture.environment)
        #expect(throws: IndexError.unknownSlot(Slot(rawValue: 9))) {
            try fixture.index.stageRemoval(Slot(rawValue: 9), in: transaction)
        }
    }

    @Test func threeQuartersMayBeRemoved() throws {
        let fixture = try IndexFixture(dimension: 64, isGraphForced: true)
        var source = FeatureSource(dimension: 64)
        let vectors = source.next(1600)
        let slots = try fixture.add(vectors)
        try fixture.link()
        let gone = Set(slots.enumerated().filter { $0.offset % 4 != 0 }.map(\.element))
        try fixture.remove(Array(gone))
        let queries = source.next(30)
        for query in queries { #expect(try !fixture.search(query, 50).contains { gone.contains($0.slot) }) }
        try fixture.link()
        #expect(fixture.index.maintenance.linker.tombstones().isEmpty)
        #expect(fixture.index.maintenance.linker.orphans().isEmpty)
        #expect(try fixture.recall(queries, count: 10, ef: 64) >= 0.95)

        // Their slots come back after a checkpoint, not before.
        let early = try fixture.add(source.next(10))
        #expect(early.allSatisfy { !gone.contains($0) })
        try fixture.checkpoint()
        let late = try fixture.add(source.next(200))
        #expect(late.allSatisfy { gone.contains($0) })
    }

    @Test func everyLiveVectorFindsItselfAfterChurn() throws {
        let fixture = try IndexFixture(dimension: 48, isGraphForced: true)
        var source = FeatureSource(dimension: 48)
        var generator = SeededGenerator(11)
        var live: [Slot: [Float]] = [:]
        for round in 0..<6 {
            let fresh = source.next(250)
            for (slot, vector) in zip(try fixture.add(fresh, batch: 100), fresh) { live[slot] = vector }
            try fixture.link()
            let gone = live.keys.sorted().filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }
            try fixture.remove(gone)
            for slot in gone { live[slot] = nil }
            if round % 2 == 1 { try fixture.checkpoint() }
        }
        try fixture.link()
        #expect(fixture.index.statistics.vectorCount == live.count)
        for (slot, vector) in live {
            #expect(try fixture.search(vector, 1, ef: 64).first?.slot == slot)
        }
        try fixture.reopen()
        try fixture.link()
        #expect(fixture.index.statistics.vectorCount == live.count)
        #expect(try fixture.recall(source.next(30), count: 10, ef: 64) >= 0.95)
    }

    @Test func linksOfEarlierVectorsAreNotTakenForThoseOfLaterOnes() throws {
        let fixture = try IndexFixture(dimension: 32, isGraphForced: true)
        var source = FeatureSource(dimension: 32)
        let slots = try fixture.add(source.next(300))
        try fixture.link()
        try fixture.checkpoint()
        // The last slots lose their vectors and keep their rows of links: the process ends before the next checkpoint.
        try fixture.remove(Array(slots[250...]))
        try fixture.reopen()
        let fresh = source.next(50)
        let reused = try fixture.add(fresh)
        #expect(Set(reused) == Set(slots[250...]))
        try fixture.checkpoint()
        try fixture.reopen()
        #expect(fixture.index.statistics.pendingCount == 50)
    }

    @Test(arguments: [true, false]) func aReopenedIndexGivesTheSameAnswers(hasCheckpoint: Bool) throws {
        let fixture = try IndexFixture(dimension: 32, isGraphForced: true)
        var source = FeatureSource(dimension: 32)
        let slots = try fixture.add(source.next(800))
        try fixture.link()
        if hasCheckpoint { try fixture.checkpoint() }
        try fixture.add(source.next(50))
        try fixture.remove(Array(slots[0..<5]))
        let queries = source.next(20)
        let exact = try queries.map { try fixture.search($0, 10, isExact: true) }
        try fixture.reopen()
        #expect(fixture.index.statistics.pendingCount == (hasCheckpoint ? 50 : 845))
        #expect(try queries.map { try fixture.search($0, 10, isExact: true) } == exact)
        #expect(try fixture.recall(queries, count: 10, ef: 64) >= 0.95)
        try fixture.link()
        #expect(try fixture.recall(queries, count: 10, ef: 64) >= 0.95)
    }

    @Test func aCheckpointGoesInPartsAndSurvivesAborts() throws {
        let fixture = try IndexFixture(dimension: 16, isGraphForced: true)
        var source = FeatureSource(dimension: 16)
        try fixture.add(source.next(400))
        try fixture.link()
        do {
            let transaction = try WriteTransaction(fixture.environment)
            _ = try fixture.index.checkpoint(in: transaction)
        }
        fixture.index.discard()
        #expect(fixture.index.needsCheckpoint)
        try fixture.checkpoint()
        #expect(!fixture.index.needsCheckpoint)
        let transaction = try WriteTransaction(fixture.environment)
        let links = try transaction.count(of: try transaction.openDatabase("adj0", .integerKey))
        let operations = try transaction.count(of: try transaction.openDatabase("ops", .integerKey))
        #expect(links == 400)
        #expect(operations == 0)
    }

    @Test func searchesRunBesideInsertionsAndRemovals() throws {
        let fixture = try IndexFixture(dimension: 32, isGraphForced: true)
        var source = FeatureSource(dimension: 32)
        let base = source.next(300)
        let slots = try fixture.add(base)
        let queries = source.next(20)
        let isDone = Atomic<Bool>(false)
        let failures = Monitor<[String]>([])
        try fixture.index.start(threadCount: 2)
        let searchers = try (0..<2).map { number in
            let index = fixture.index
            let environment = fixture.environment
            return try WorkerThread(name: "searcher-\(number)") {
                while !isDone.load(ordering: .relaxed) {
                    for (query, slot) in zip(queries, slots) {
                        do {
                            let transaction = try ReadTransaction(environment)
                            let hits = try index.search(query, count: 10, transaction: transaction)
                            let own = try index.search(base[Int(slot.rawValue)], count: 1, transaction: transaction)
                            let isRight = hits.count == 10 && own.first?.slot == slot
                            if !isRight { failures.withLockNotifyingAll { $0.append("\(hits.count) hits, \(own)") } }
                        } catch { failures.withLockNotifyingAll { $0.append("\(error)") } }
                    }
                }
            }
        }
        for _ in 0..<6 {
            let added = try fixture.add(source.next(100), batch: 25)
            try fixture.remove(Array(added.prefix(60)))
            try fixture.checkpoint()
        }
        fixture.index.waitUntilLinked()
        isDone.store(true, ordering: .relaxed)
        for searcher in searchers { searcher.join() }
        fixture.index.stop()
        #expect(failures.withLock { $0 } == [])
        #expect(fixture.index.statistics.vectorCount == 300 + 6 * 40)
    }
}
