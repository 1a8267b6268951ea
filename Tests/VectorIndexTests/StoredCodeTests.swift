import Storage
import TestSupport
import Testing

@testable import VectorIndex

/// Codes in the store: they spare reading vectors, and never decide what there is.
struct StoredCodeTests {
    private static let dimension = 192
    private static let vectors: [[Float]] = {
        var source = FeatureSource(dimension: dimension)
        return source.next(2100)
    }()

    /// An index that has trained a pca.
    private func fixture(checkedBelow: Int) throws -> (IndexFixture, [[Float]], [Slot]) {
        var parameters = IndexParameters()
        parameters.checkedBelow = checkedBelow
        let fixture = try IndexFixture(dimension: Self.dimension, parameters: parameters)
        let vectors = Self.vectors
        let slots = try fixture.add(vectors)
        #expect(fixture.index.state.codes.quantizer.pca != nil)
        return (fixture, vectors, slots)
    }

    @Test(arguments: [0, 1_000_000]) func aReopenedIndexHasTheSameCodes(checkedBelow: Int) throws {
        let (fixture, vectors, slots) = try fixture(checkedBelow: checkedBelow)
        try fixture.remove(Array(slots[100..<120]))
        let quantizer = fixture.index.state.codes.quantizer
        let before = slots.map { slot in (0..<quantizer.stride).map { fixture.index.state.codes.row(slot)[$0] } }
        try fixture.reopen()
        #expect(fixture.index.state.codes.quantizer.tag == quantizer.tag)
        #expect(fixture.index.statistics.vectorCount == 2080)
        for (number, slot) in slots.enumerated() where !(100..<120).contains(number) {
            #expect((0..<quantizer.stride).map { fixture.index.state.codes.row(slot)[$0] } == before[number])
            #expect(fixture.index.state.codes.quantizationError(slot).tail > 0)
        }
        for number in stride(from: 0, to: 2100, by: 97) where !(100..<120).contains(number) {
            #expect(try fixture.search(vectors[number], 1).first?.slot == slots[number])
        }
        // Equal vectors share a slot again: the hashes came back too.
        #expect(try fixture.add([vectors[5]]) == [slots[5]])
    }

    @Test(arguments: [0, 1_000_000]) func aDamagedOrMissingCodeIsMadeAgain(checkedBelow: Int) throws {
        let (fixture, vectors, slots) = try fixture(checkedBelow: checkedBelow)
        do {
            let transaction = try WriteTransaction(fixture.environment)
            let codes = try transaction.openDatabase("code", .integerKey)
            var row = try #require(try transaction.get(slots[3].rawValue, in: codes))
            row[40] ^= 1
            try transaction.put(slots[3].rawValue, row, in: codes)
            try transaction.delete(slots[4].rawValue, in: codes)
            try transaction.commit()
        }
        try fixture.reopen()
        #expect(fixture.index.statistics.vectorCount == 2100)
        for number in [3, 4] { #expect(try fixture.search(vectors[number], 1).first?.slot == slots[number]) }
        // The next change writes them all.
        try fixture.remove([slots[2000]])
        var source = FeatureSource(dimension: Self.dimension, seed: 5)
        _ = try fixture.add(source.next(1))
        let transaction = try ReadTransaction(fixture.environment)
        #expect(try transaction.count(of: fixture.index.state.databases.codes) == 2100)
    }

    @Test func manyResultsAreTheNearestToo() throws {
        let fixture = try IndexFixture(dimension: Self.dimension, isGraphForced: true)
        _ = try fixture.add(Self.vectors)
        #expect(fixture.index.state.codes.quantizer.pca != nil)
        try fixture.link()
        var found = 0
        for query in Self.vectors.prefix(10) {
            let truth = Set(try fixture.search(query, 100, isExact: true).map(\.slot))
            found += try fixture.search(query, 100).count { truth.contains($0.slot) }
        }
        #expect(found >= 950, "\(found) of 1000")
    }

    @Test func aCodeWithoutItsVectorIsDropped() throws {
        let (fixture, vectors, slots) = try fixture(checkedBelow: 0)
        do {
            let transaction = try WriteTransaction(fixture.environment)
            try transaction.delete(slots[9].rawValue, in: try transaction.openDatabase("vec", .integerKey))
            try transaction.commit()
        }
        try fixture.reopen()
        #expect(fixture.index.statistics.vectorCount == 2099)
        #expect(try fixture.search(vectors[9], 1).first?.slot != slots[9])
    }

    @Test func anAbandonedLessonIsWrittenByTheNextChange() throws {
        let fixture = try IndexFixture(dimension: Self.dimension)
        let vectors = Self.vectors
        _ = try fixture.add(Array(vectors[..<2040]))
        let plain = fixture.index.state.codes.quantizer
        do {
            let transaction = try WriteTransaction(fixture.environment)
            for vector in vectors[2040..<2060] { _ = try fixture.index.stage(vector, in: transaction) }
            #expect(fixture.index.state.codes.quantizer.tag != plain.tag)
        }
        fixture.index.discard()
        _ = try fixture.add(Array(vectors[2060...2065]))
        let quantizer = fixture.index.state.codes.quantizer
        try fixture.reopen()
        #expect(fixture.index.state.codes.quantizer.tag == quantizer.tag)
        #expect(fixture.index.statistics.vectorCount == 2046)
        #expect(fixture.index.statistics.damagedSlots.isEmpty)
    }
}
