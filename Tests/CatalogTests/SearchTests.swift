import Catalog
import Platform
import Testing

struct SearchTests {
    private static func filled(_ count: Int) throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<count).map { fixture.indexing("p\($0)", $0) })
        return fixture
    }

    private static func similarity(_ a: Int, _ b: Int) -> Float {
        zip(CatalogFixture.vector(a), CatalogFixture.vector(b)).reduce(0) { $0 + $1.0 * $1.1 }
    }

    @Test(arguments: [false, true]) func theNearestComeFirstWithTheirCosines(_ isExact: Bool) throws {
        let fixture = try Self.filled(300)
        for seed in [0, 77, 299] {
            let hits = try fixture.search(seed) {
                $0.limit = 10
                $0.isExact = isExact
            }
            let expected = (0..<300).sorted { Self.similarity(seed, $0) > Self.similarity(seed, $1) }.prefix(10)
            #expect(hits.map(\.image.key.path.description) == expected.map { "p\($0)" })
            for (hit, other) in zip(hits, expected) { #expect(abs(hit.score - Self.similarity(seed, other)) < 1e-3) }
        }
    }

    @Test func pagesJoinToTheWholeList() throws {
        let fixture = try Self.filled(100)
        // Copies make ties, and a page may end in the middle of one.
        _ = try fixture.catalog.apply((0..<40).map { fixture.indexing("copy\($0)", $0 % 4) })
        let all = try fixture.search(2) {
            $0.limit = 1000
            $0.isExact = true
        }
        #expect(all.count == 140)
        for (a, b) in zip(all, all.dropFirst()) {
            #expect(a.score > b.score || (a.score == b.score && a.image.id < b.image.id))
        }
        var paged: [ImageID] = []
        for offset in stride(from: 0, to: 147, by: 7) {
            paged += try fixture.search(2) {
                $0.limit = 7
                $0.offset = offset
                $0.isExact = true
            }.map(\.image.id)
        }
        #expect(paged == all.map(\.image.id))
    }

    @Test func everyCopyIsAResult() throws {
        let fixture = try Self.filled(20)
        _ = try fixture.catalog.apply((0..<30).map { fixture.indexing("copy\($0)", 5) })
        let hits = try fixture.search(5) { $0.limit = 31 }
        #expect(hits.allSatisfy { $0.image.content == CatalogFixture.content(5) })
        #expect(hits.count == 31)
        #expect(Set(hits.map(\.image.id)).count == 31)
        #expect(try fixture.catalog.files(withContent: CatalogFixture.content(5), limit: 4).count == 4)
    }

    @Test func limitsBoundsAndExclusionsHold() throws {
        let fixture = try Self.filled(50)
        let own = try #require(try fixture.search(3).first?.image.id)
        #expect(try fixture.search(3) { $0.limit = 50 }.count == 50)
        #expect(try fixture.search(3) { $0.limit = 1000 }.count == 50)
        #expect(try fixture.search(3) { $0.limit = 0 }.count == 1)
        #expect(try fixture.search(3) { $0.limit = .max }.count == 50)
        #expect(try fixture.search(3) { $0.offset = .max }.isEmpty)
        #expect(try fixture.search(3) { $0.offset = -5 }.count == 10)
        let others = try fixture.search(3) {
            $0.limit = 50
            $0.excluded = own
        }
        #expect(others.count == 49 && !others.contains { $0.image.id == own })
        let near = try fixture.search(3) {
            $0.limit = 50
            $0.minimumScore = 0.3
        }
        #expect(near.count == (0..<50).count { Self.similarity(3, $0) >= 0.3 })
        #expect(throws: CatalogError.self) { try fixture.catalog.search(CatalogQuery(vector: [1])) }
        #expect(try fixture.catalog.search(CatalogQuery(vector: CatalogFixture.vector(3))).total == 50)
    }

    @Test func aVectorWithoutADirectionIsRefusedAsSuch() throws {
        let fixture = try Self.filled(5)
        for vector in [[Float](repeating: 0, count: 16), [.nan] + [Float](repeating: 1, count: 15)] {
            #expect {
                try fixture.catalog.search(CatalogQuery(vector: vector))
            } throws: { error in
                if case CatalogError.unusableVector = error { true } else { false }
            }
        }
    }

    @Test func anEmptyCollectionAnswersNothing() throws {
        let fixture = try CatalogFixture()
        #expect(try fixture.search(1).isEmpty)
        #expect(try fixture.catalog.images(after: nil, limit: 5).isEmpty)
        #expect(try fixture.catalog.failures(after: nil, limit: 5).isEmpty)
    }

    @Test func whatWasRemovedIsNeverFoundAgain() throws {
        let fixture = try Self.filled(60)
        for seed in stride(from: 0, to: 60, by: 2) {
            _ = try fixture.catalog.apply([.delete(key: fixture.key("p\(seed)"))])
            #expect(try fixture.search(seed) { $0.limit = 60 }.count == 59 - seed / 2)
            #expect(try !fixture.search(seed).contains { $0.image.content == CatalogFixture.content(seed) })
        }
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func listsPageInOrderOfIdWhileImagesCome() throws {
        let fixture = try Self.filled(10)
        let first = try fixture.catalog.images(after: nil, limit: 4)
        try fixture.index("later", 99)
        let rest = try fixture.catalog.images(after: first.last?.id, limit: 100)
        #expect((first + rest).map(\.id.rawValue) == Array(1...11))
        #expect(try fixture.catalog.images(after: ImageID(rawValue: .max), limit: 5).isEmpty)
        #expect(try fixture.catalog.images(after: nil, limit: 0).isEmpty)
    }
}
