import Catalog
import Foundation
import Platform
import TestSupport
import Testing

/// The disk fails in the ways that it can; memory and disk stay of one mind.
struct FailureTests {
    private static func isStorageFull(_ error: any Error) -> Bool {
        if case CatalogError.storageFull = error { true } else { false }
    }

    @Test func aFullDiskRefusesChangesAndAnswersSearchesUntilThereIsRoom() throws {
        let fixture = try CatalogFixture()
        let id = try fixture.index("a", 1)
        let fault = try #require(DescriptorFault(.pages, in: fixture.folder.path, by: "/dev/full", flags: O_WRONLY))
        for _ in 0..<3 {
            #expect { try fixture.catalog.apply([fixture.indexing("b", 2)]) } throws: { Self.isStorageFull($0) }
            #expect { try fixture.catalog.apply([.exclude(id)]) } throws: { Self.isStorageFull($0) }
            #expect { try fixture.catalog.addRoot(RelativePath("/new")) } throws: { Self.isStorageFull($0) }
        }
        #expect(try fixture.search(1).map(\.image.id) == [id])
        #expect(try fixture.search(2) { $0.minimumScore = 0.99 }.isEmpty)
        #expect(fixture.catalog.statistics.imageCount == 1 && fixture.catalog.statistics.vectorCount == 1)
        fault.repair()
        #expect(try fixture.index("b", 2) > id)
        #expect(try fixture.search(2).count == 2)
        #expect(try fixture.catalog.audit() == [])
        try fixture.reopen()
        #expect(try fixture.catalog.audit() == [])
        #expect(try fixture.search(2).count == 2)
    }

    @Test func theLargestMapIsAFullDiskToo() throws {
        let fixture = try CatalogFixture(options: CatalogFixture.options(maximumByteCount: 2 << 20))
        let document = String(repeating: "x", count: 20_000)
        var stored = 0
        var refusal: (any Error)?
        while refusal == nil, stored < 1000 {
            do {
                _ = try fixture.catalog.apply([fixture.indexing("p\(stored)", stored, document: document)])
                stored += 1
            } catch { refusal = error }
        }
        #expect(stored > 20)
        #expect(refusal.map { Self.isStorageFull($0) } == true)
        #expect(fixture.catalog.statistics.imageCount == stored)
        #expect(try fixture.search(5).first?.image.key == fixture.key("p5"))
        #expect(try fixture.catalog.audit() == [])
        #expect(fixture.catalog.statistics.diskByteCount <= 2 << 20)
    }

    @Test func theMapGrowsUnderSearches() throws {
        var options = CatalogFixture.options()
        options.mapByteCount = 1 << 20
        let fixture = try CatalogFixture(options: options)
        let document = String(repeating: "x", count: 20_000)
        for batch in 0..<20 {
            _ = try fixture.catalog.apply(
                (0..<10).map { fixture.indexing("p\(batch * 10 + $0)", batch * 10 + $0, document: document) }
            )
            #expect(try fixture.search(batch * 10).first?.image.key == fixture.key("p\(batch * 10)"))
        }
        #expect(fixture.catalog.statistics.diskByteCount > 4 << 20)
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func aPanicEndsByItself() throws {
        let fixture = try CatalogFixture()
        let id = try fixture.index("a", 1)
        let fault = try #require(DescriptorFault(.meta, in: fixture.folder.path, by: "/dev/full", flags: O_WRONLY))
        // The store opens the file again to recover, so the fault lasts for one commit.
        #expect(throws: CatalogError.self) { try fixture.catalog.apply([fixture.indexing("b", 2)]) }
        #expect(try fixture.search(1).map(\.image.id) == [id])
        #expect(fixture.catalog.statistics.imageCount == 1)
        #expect(try fixture.index("b", 2) > id)
        #expect(try fixture.search(2).count == 2)
        #expect(try fixture.catalog.audit() == [])
        fault.discard()
        try fixture.reopen()
        #expect(try fixture.search(2).count == 2)
    }

    @Test func readersSurviveAPanicAsWell() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<50).map { fixture.indexing("p\($0)", $0) })
        let catalog = fixture.catalog
        let isDone = Monitor(false)
        let readers = try (0..<3).map { number in
            try WorkerThread(name: "reader \(number)") {
                while !isDone.withLock({ $0 }) {
                    do {
                        let hits = try catalog.search(CatalogQuery(vector: CatalogFixture.vector(number))).hits
                        if hits.first?.image.content != CatalogFixture.content(number) {
                            Issue.record("\(hits.count) hits")
                        }
                    } catch { Issue.record(error) }
                }
            }
        }
        for round in 0..<3 {
            let fault = try #require(DescriptorFault(.meta, in: fixture.folder.path, by: "/dev/full", flags: O_WRONLY))
            #expect(throws: CatalogError.self) { try catalog.apply([fixture.indexing("new\(round)", 100 + round)]) }
            fault.discard()
            #expect(try catalog.apply([fixture.indexing("new\(round)", 100 + round)]).count == 1)
        }
        isDone.withLockNotifyingAll { $0 = true }
        for reader in readers { reader.join() }
        #expect(catalog.statistics.imageCount == 53)
        #expect(try catalog.audit() == [])
    }
}
