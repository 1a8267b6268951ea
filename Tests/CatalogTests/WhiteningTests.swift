import Foundation
import LinearAlgebra
import Platform
import Storage
import TestSupport
import Testing

@testable import Catalog

/// Whitening of a collection of 16 dimensions: at least 32 vectors are needed.
struct WhiteningTests {
    private let fixture: CatalogFixture

    init() throws {
        fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<60).map { fixture.indexing("\($0).jpg", $0, document: #"{"n":\#($0)}"#) })
    }

    /// Everything that a collection tells, but for scores.
    private struct Contents: Equatable {
        var images: [ImageRecord]
        var files: [FileRow]
        var vectors: [[Float]?]
        var roots: [RootRecord]

        init(_ catalog: Catalog, root: RootID) throws {
            images = try catalog.images(after: nil, limit: 1000)
            files = try catalog.files(in: root, after: nil, limit: 1000)
            vectors = try images.map { try catalog.vector(of: $0.id) }
            roots = try catalog.roots()
        }
    }

    private func contents() throws -> Contents { try Contents(fixture.catalog, root: fixture.root) }

    private func whiten() throws -> Whitening {
        let whitening = try fixture.catalog.learnWhitening()
        try fixture.catalog.rewrite(whitening: whitening)
        try fixture.reopen()
        return whitening
    }

    /// Searches against cosines of the whitened vectors, computed here.
    private func expectSearches(_ whitening: Whitening?, seeds: [Int]) throws {
        func transformed(_ vector: [Float]) -> [Float] { whitening?.applied(to: vector) ?? vector }
        for query in [0, 17, 1000] {
            let hits = try fixture.search(query) { $0.limit = 1000 }
            #expect(hits.count == seeds.count)
            let expected = Dictionary(
                uniqueKeysWithValues: seeds.map { seed in
                    let similarity = cosine(
                        transformed(CatalogFixture.vector(query)),
                        transformed(CatalogFixture.vector(seed))
                    )
                    return ("\(seed).jpg", similarity)
                }
            )
            for hit in hits {
                let similarity = try #require(expected[hit.image.key.path.description])
                #expect(abs(Double(hit.score) - similarity) < 4e-3, "\(query): \(hit.image.key.path)")
            }
            #expect(hits.map(\.score) == hits.map(\.score).sorted(by: >))
        }
    }

    @Test func `whitening changes scores and nothing else, and off gives everything back`() throws {
        let before = try contents()
        try expectSearches(nil, seeds: Array(0..<60))
        let whitening = try whiten()
        #expect(fixture.catalog.whitening == whitening)
        #expect(whitening.sampleCount == 60)
        #expect(try contents() == before)
        #expect(try fixture.catalog.audit() == [])
        try expectSearches(whitening, seeds: Array(0..<60))
        let own = try fixture.search(5).first
        #expect(own?.image.key == fixture.key("5.jpg") && (own?.score ?? 0) > 0.999)

        // Life goes on: new images, equal bytes, removals.
        _ = try fixture.catalog.apply([fixture.indexing("60.jpg", 60), fixture.indexing("copy.jpg", 7)])
        _ = try fixture.catalog.apply([.delete(key: fixture.key("copy.jpg")), .delete(key: fixture.key("3.jpg"))])
        let seeds = (0...60).filter { $0 != 3 }
        try fixture.reopen()
        try expectSearches(whitening, seeds: seeds)
        #expect(try fixture.catalog.audit() == [])

        let changed = try contents()
        try fixture.catalog.rewrite(whitening: nil)
        try fixture.reopen()
        #expect(fixture.catalog.whitening == nil)
        #expect(try contents() == changed)
        #expect(changed.vectors.prefix(3) == before.vectors.prefix(3))
        #expect(try fixture.catalog.audit() == [])
        try expectSearches(nil, seeds: seeds)
        #expect(try fixture.index("later.jpg", 61).rawValue == 63)
    }

    @Test func `it can be learned anew, from the vectors of the network`() throws {
        let first = try whiten()
        #expect(try fixture.catalog.learnWhitening() == first)
        _ = try fixture.catalog.apply((60..<90).map { fixture.indexing("\($0).jpg", $0) })
        let second = try whiten()
        #expect(second != first && second.sampleCount == 90)
        try expectSearches(second, seeds: Array(0..<90))
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func `too few distinct vectors are refused with both counts`() throws {
        let small = try CatalogFixture()
        // 31 vectors, one of them twice: 32 are needed.
        _ = try small.catalog.apply((0..<31).map { small.indexing("\($0).jpg", $0) } + [small.indexing("again.jpg", 4)])
        let error = #expect(throws: CatalogError.self) { try small.catalog.learnWhitening() }
        guard case .whiteningRefused(let detail)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(detail.contains("31 distinct") && detail.contains("32"), "\(detail)")
    }

    @Test func `vectors without direction are refused as before`() throws {
        _ = try whiten()
        let zeros = [Float](repeating: 0, count: CatalogFixture.dimension)
        #expect(throws: CatalogError.self) { try fixture.catalog.search(CatalogQuery(vector: zeros)) }
        let change = CatalogChange.index(
            key: fixture.key("black.jpg"),
            stamp: CatalogFixture.stamp(99),
            content: CatalogFixture.content(99),
            embedded: ImageFeatures(vector: zeros, format: "jpeg", width: 1, height: 1),
            document: []
        )
        #expect(try fixture.catalog.apply([change]) == [.done(nil)])
        guard case .failed(let failure)? = try fixture.catalog.file(fixture.key("black.jpg"))?.state else {
            Issue.record("it did not fail")
            return
        }
        #expect(failure.kind == "unusable-vector")
    }

    /// Whatever fails between two steps, and whatever a kill leaves on the disk there.
    @Test(arguments: RewritingStep.allCases) func `the old collection is in force, or the new one`(
        at step: RewritingStep
    ) throws {
        struct Failure: Error {}
        let whitening = try fixture.catalog.learnWhitening()
        let before = try contents()
        let killed = try TemporaryDirectory()
        let copied = killed.url.appending(path: "state")
        let folder = fixture.folder.url
        #expect(throws: CatalogError.self) {
            try fixture.catalog.rewrite(whitening: whitening) { (reached) throws(CatalogFailure) in
                guard reached == step else { return }
                try? FileManager.default.copyItem(at: folder, to: copied)
                throw .catalog(.storage(detail: "injected"))
            }
        }
        // The process that lived on: it still works, or takes nothing that would be lost.
        let isSwitched = step == .switched
        if isSwitched {
            #expect(throws: CatalogError.self) { try fixture.index("new.jpg", 70) }
            #expect(try fixture.search(5).count == 10)
        } else {
            try fixture.index("new.jpg", 70)
        }
        try fixture.reopen()
        #expect((fixture.catalog.whitening != nil) == isSwitched)
        #expect(try fixture.catalog.images(after: nil, limit: 1000).count == (isSwitched ? 60 : 61))
        #expect(try fixture.catalog.audit() == [])
        // The one that was killed there.
        let survivor = try CatalogFixture.open(copied.path)
        defer { survivor.close() }
        #expect((survivor.whitening != nil) == isSwitched)
        #expect(try Contents(survivor, root: fixture.root) == before)
        #expect(try survivor.audit() == [])
        let names = try FileManager.default.contentsOfDirectory(atPath: copied.path).sorted()
        #expect(names == (isSwitched ? ["1", "generation"] : ["data.mdb", "lock.mdb", "pid"]))
    }

    @Test func `a failed attempt can be made again`() throws {
        let whitening = try fixture.catalog.learnWhitening()
        #expect(throws: CatalogError.self) {
            try fixture.catalog.rewrite(whitening: whitening) { (step) throws(CatalogFailure) in
                if step == .written { throw .catalog(.storage(detail: "injected")) }
            }
        }
        _ = try whiten()
        #expect(try fixture.catalog.audit() == [])
    }

    @Test(arguments: ["", "x\n", "0\n", "-1\n", "2", "7\n", "99999999999999999999\n"])
    func `a damaged pointer is an error, not an empty collection`(text: String) throws {
        _ = try whiten()
        fixture.catalog.close()
        try Data(text.utf8).write(to: fixture.folder.url.appending(path: "generation"))
        let error = #expect(throws: CatalogError.self) { try CatalogFixture.open(fixture.folder.path) }
        if case .corrupted? = error {} else { Issue.record("\(String(describing: error))") }
        #expect(FileManager.default.fileExists(atPath: fixture.folder.path + "/1/data.mdb"))
    }

    @Test(arguments: [4, 6, 10, 20, 30, 70, 200]) func `a damaged whitening is named`(offset: Int) throws {
        _ = try whiten()
        fixture.catalog.close()
        let folder = fixture.folder.path + "/1"
        let environment = try Environment(directory: folder, options: CatalogFixture.options().sizes)
        try flip(offset, environment)
        environment.close()
        let error = #expect(throws: CatalogError.self) { try CatalogFixture.open(fixture.folder.path) }
        guard case .corrupted(let record, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(record.contains("whitening"))
    }

    /// One bit of the record.
    private func flip(_ offset: Int, _ environment: Environment) throws {
        let transaction = try WriteTransaction(environment)
        let tables = try CatalogTables(transaction)
        guard var record = try transaction.get("whitening", in: tables.catalog) else {
            throw CatalogFixture.Unexpected()
        }
        record[offset] ^= 1
        try transaction.put("whitening", record, in: tables.catalog)
        try transaction.commit()
    }

    @Test func `another model's fingerprint is refused, whitened or not`() throws {
        let whitening = try whiten()
        fixture.catalog.close()
        for other in ["weights=test", "weights=test head=max whitening=\(whitening.digest)", "weights=test head=maxi"] {
            #expect(throws: CatalogError.self) {
                try Catalog(
                    directory: fixture.folder.path,
                    dimension: CatalogFixture.dimension,
                    fingerprint: other,
                    options: CatalogFixture.options()
                )
            }
        }
    }

    @Test func `a small map grows while the collection is written anew`() throws {
        var options = CatalogFixture.options()
        options.mapByteCount = 1 << 18
        let small = try CatalogFixture(options: options)
        for block in 0..<10 {
            _ = try small.catalog.apply((0..<50).map { small.indexing("\(block)-\($0).jpg", block * 50 + $0) })
        }
        try small.catalog.rewrite(whitening: small.catalog.learnWhitening())
        try small.reopen()
        #expect(small.catalog.statistics.imageCount == 500)
        #expect(try small.catalog.audit() == [])
    }
}
