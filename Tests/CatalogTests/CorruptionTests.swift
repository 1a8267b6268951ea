import Catalog
import Platform
import Storage
import TestSupport
import Testing

/// Any flipped bit of a record is told as damage of that record, and nothing traps.
struct CorruptionTests {
    private static func isCorrupted(_ error: any Error, _ word: String) -> Bool {
        guard case CatalogError.corrupted(let record, _) = error else { return false }
        return record.contains(word)
    }

    private static func check(
        _ database: String,
        _ flags: DatabaseFlags,
        _ key: (CatalogFixture) -> some StorageBytes,
        names word: String,
        _ read: (Catalog, CatalogFixture) throws -> Void
    ) throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply([fixture.indexing("a.jpg", 1, document: "{}"), fixture.indexing("b.jpg", 2)])
        fixture.catalog.close()
        let path = fixture.folder.path
        var byteCount = 0
        try StoredBytes.change(in: path, database, flags, key(fixture)) { byteCount = $0.count }
        for position in stride(from: 0, to: byteCount, by: 5) {
            try StoredBytes.change(in: path, database, flags, key(fixture)) { $0[position] ^= 0x10 }
            #expect {
                let catalog = try CatalogFixture.open(path)
                defer { catalog.close() }
                try read(catalog, fixture)
            } throws: { Self.isCorrupted($0, word) }
            try StoredBytes.change(in: path, database, flags, key(fixture)) { $0[position] ^= 0x10 }
        }
        for length in [0, 3, byteCount / 2, byteCount - 1] {
            var whole: [UInt8] = []
            try StoredBytes.change(in: path, database, flags, key(fixture)) {
                whole = $0
                $0 = Array($0.prefix(length))
            }
            #expect {
                let catalog = try CatalogFixture.open(path)
                defer { catalog.close() }
                try read(catalog, fixture)
            } throws: { Self.isCorrupted($0, word) }
            try StoredBytes.change(in: path, database, flags, key(fixture)) { $0 = whole }
        }
        let catalog = try CatalogFixture.open(path)
        defer { catalog.close() }
        #expect(try catalog.audit() == [])
    }

    @Test func images() throws {
        try Self.check("img", .integerKey, { _ in UInt64(1) }, names: "image 1") { catalog, _ in
            _ = try catalog.search(CatalogQuery(vector: CatalogFixture.vector(1)))
        }
    }

    @Test func files() throws {
        let key = { (fixture: CatalogFixture) -> [UInt8] in [0, 0, 0, 1] + Array("a.jpg".utf8) }
        try Self.check("file", [], key, names: "a.jpg") { catalog, fixture in
            _ = try catalog.apply([.delete(key: fixture.key("a.jpg"))])
        }
    }

    @Test func contents() throws {
        try Self.check("content", [], { _ in CatalogFixture.content(1).bytes }, names: "content") { catalog, _ in
            _ = try catalog.knowsContent(CatalogFixture.content(1))
        }
    }

    @Test func roots() throws {
        try Self.check("root", .integerKey, { $0.root.rawValue }, names: "root 1") { catalog, _ in
            _ = try catalog.roots()
        }
    }

    @Test func configuration() throws {
        try Self.check("catalog", [], { _ in "cfg" }, names: "catalog cfg") { _, _ in }
    }

    @Test func state() throws {
        try Self.check("catalog", [], { _ in "state" }, names: "catalog state") { catalog, fixture in
            _ = try catalog.apply([fixture.indexing("c.jpg", 3)])
        }
    }

    @Test func aDamagedStateRefusesChangesAndNotSearches() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply([fixture.indexing("a.jpg", 1)])
        fixture.catalog.close()
        try StoredBytes.change(in: fixture.folder.path, "catalog", [], "state") { $0[10] ^= 1 }
        try fixture.reopen()
        #expect(try fixture.search(1).count == 1)
        #expect(throws: CatalogError.self) { try fixture.catalog.apply([fixture.indexing("b.jpg", 2)]) }
        #expect(try fixture.search(1).count == 1)
    }

    @Test func aDamagedRecordFailsOneRequestAndNotItsNeighbours() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply([fixture.indexing("a.jpg", 1), fixture.indexing("b.jpg", 2)])
        fixture.catalog.close()
        try StoredBytes.change(in: fixture.folder.path, "img", .integerKey, UInt64(1)) { $0[10] ^= 1 }
        try fixture.reopen()
        let catalog = fixture.catalog
        let damaged = CatalogChange.delete(key: fixture.key("a.jpg"))
        let sound = (0..<20).map { fixture.indexing("c\($0)", 10 + $0) }
        let threads = try (0..<20).map { index in
            try WorkerThread(name: "caller \(index)") {
                do {
                    #expect(throws: CatalogError.self) { try catalog.apply([damaged]) }
                    guard case .done(.some) = try catalog.apply([sound[index]])[0] else {
                        throw CatalogFixture.Unexpected()
                    }
                } catch { Issue.record(error) }
            }
        }
        for thread in threads { thread.join() }
        #expect(fixture.catalog.statistics.imageCount == 22)
        #expect(try fixture.catalog.vector(of: ImageID(rawValue: 2)) != nil)
    }
}
