import Foundation
import Platform
import Storage
import Testing

@testable import VectorIndex

struct SearchTests {
    @Test(arguments: [1, 2, 33, 128]) func aStoredVectorFindsItselfFirst(dimension: Int) throws {
        let fixture = try IndexFixture(dimension: dimension)
        var generator = SeededGenerator(3)
        let vectors = (0..<50).map { _ in unit((0..<dimension).map { _ in generator.normal() }) }
        let slots = try fixture.add(vectors)
        for (vector, slot) in zip(vectors, slots) {
            let first = try #require(try fixture.search(vector, 3).first)
            #expect(first.score >= 0.999)
            if dimension > 2 { #expect(first.slot == slot) }
        }
    }

    @Test func anExactSearchIsBruteForce() throws {
        let fixture = try IndexFixture(dimension: 48)
        var source = FeatureSource(dimension: 48)
        let vectors = source.next(400)
        let slots = try fixture.add(vectors)
        let transaction = try ReadTransaction(fixture.environment)
        let stored = try slots.map { try fixture.index.vector($0, in: transaction) }
        for query in source.next(20) {
            let truth = zip(slots, stored).map { slot, vector in
                IndexHit(slot: slot, score: zip(query, vector).reduce(0) { $0 + $1.0 * $1.1 })
            }
            let best = truth.map(\.score).sorted(by: >).prefix(10)
            let hits = try fixture.index.search(query, count: 10, isExact: true, transaction: transaction)
            for (hit, score) in zip(hits, best) { #expect(abs(hit.score - score) < 1e-5) }
            #expect(hits.count == 10)
        }
    }

    @Test func theGraphFindsWhatBruteForceFinds() throws {
        let fixture = try IndexFixture(dimension: 64, isGraphForced: true)
        var source = FeatureSource(dimension: 64)
        try fixture.add(source.next(2500))
        let queries = source.next(50)
        // Pending: found by scan, so nothing is missed but what rounding hides.
        #expect(try fixture.recall(queries, count: 10, ef: 64) >= 0.99)
        try fixture.link()
        #expect(fixture.index.statistics.pendingCount == 0)
        #expect(try fixture.recall(queries, count: 10, ef: 64) >= 0.95)
        #expect(fixture.index.maintenance.linker.orphans().isEmpty)
    }

    @Test func thereAreAsManyResultsAsVectors() throws {
        let fixture = try IndexFixture(dimension: 16, isGraphForced: true)
        var source = FeatureSource(dimension: 16)
        #expect(try fixture.search(source.next(), 5).isEmpty)
        try fixture.add(source.next(120))
        try fixture.link()
        for count in [1, 7, 119, 120, 121, 1000] {
            let hits = try fixture.search(source.next(), count, ef: 1)
            #expect(hits.count == min(count, 120))
            #expect(Set(hits.map(\.slot)).count == hits.count)
            #expect(zip(hits, hits.dropFirst()).allSatisfy { $0.score >= $1.score })
        }
        #expect(try fixture.search(source.next(), 0).isEmpty)
    }

    @Test func whatHasNoDirectionIsRefused() throws {
        let fixture = try IndexFixture(dimension: 3)
        #expect(throws: IndexError.zeroVector) { try fixture.add([[0, 0, 0]]) }
        #expect(throws: IndexError.notFinite) { try fixture.add([[0, .nan, 1]]) }
        #expect(throws: IndexError.notFinite) { try fixture.search([0, .infinity, 1], 1) }
        #expect(throws: IndexError.dimension(got: 2, expected: 3)) { try fixture.add([[0, 1]]) }
        #expect(throws: IndexError.dimension(got: 0, expected: 4096)) { _ = try IndexFixture(dimension: 0) }
        // Lengths other than 1 are taken for what they point at.
        try fixture.add([[0, 0, 1e-20], [3e20, 0, 0]])
        #expect(try fixture.search([0, 0, 5], 1).first?.score == 1)
    }

    @Test func aSearchSeesWhatItsTransactionSees() throws {
        let fixture = try IndexFixture(dimension: 8)
        var source = FeatureSource(dimension: 8)
        let old = source.next(5)
        try fixture.add(old)
        let before = try ReadTransaction(fixture.environment)
        let late = source.next()
        let adder = try WorkerThread(name: "adder") { _ = try? fixture.add([late]) }
        adder.join()
        #expect(try fixture.index.search(late, count: 10, transaction: before).count == 5)
    }

    @Test func aVectorFarOutOfTheRangeOfTheCodesFindsItself() throws {
        let fixture = try IndexFixture(dimension: 48, isGraphForced: true)
        var generator = SeededGenerator(3)
        func vector(_ exponent: Float) -> [Float] {
            unit((0..<48).map { _ in pow(Float.random(in: 0.05...1, using: &generator), exponent) })
        }
        // The range is trained from 256 even vectors; it cuts off most of the ones that follow.
        try fixture.add((0..<300).map { _ in vector(0.3) })
        let uneven = (0..<300).map { _ in vector(12) }
        let slots = try fixture.add(uneven)
        for _ in 0..<2 {
            for (vector, slot) in zip(uneven, slots) { #expect(try fixture.search(vector, 3).first?.slot == slot) }
            try fixture.link()
        }
    }
}
