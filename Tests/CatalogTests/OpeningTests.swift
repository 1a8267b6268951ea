import Catalog
import Platform
import Storage
import TestSupport
import Testing

struct OpeningTests {
    @Test func aReopenedCollectionIsTheSame() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<80).map { fixture.indexing("p\($0)", $0, document: "{\"n\":\($0)}") })
        _ = try fixture.catalog.apply([.delete(key: fixture.key("p3")), .exclude(ImageID(rawValue: 9))])
        let images = try fixture.catalog.images(after: nil, limit: 1000)
        let rows = try fixture.catalog.files(in: fixture.root, after: nil, limit: 1000)
        let hits = try fixture.search(40) { $0.limit = 78 }
        let statistics = fixture.catalog.statistics
        try fixture.reopen()
        #expect(try fixture.catalog.images(after: nil, limit: 1000) == images)
        #expect(try fixture.catalog.files(in: fixture.root, after: nil, limit: 1000) == rows)
        #expect(try fixture.search(40) { $0.limit = 78 }.map(\.image) == hits.map(\.image))
        #expect(fixture.catalog.statistics.imageCount == 78)
        #expect(fixture.catalog.statistics.imageCount == statistics.imageCount)
        #expect(fixture.catalog.statistics.vectorCount == statistics.vectorCount)
        #expect(fixture.catalog.statistics.fileCount == statistics.fileCount)
        #expect(fixture.catalog.statistics.diskByteCount >= statistics.diskByteCount)
        // Numbers go on where they were, not where images end.
        _ = try fixture.catalog.apply([.delete(key: fixture.key("p79"))])
        try fixture.reopen()
        #expect(try fixture.index("new", 200) == ImageID(rawValue: 81))
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func anotherModelOrDimensionIsRefused() throws {
        let fixture = try CatalogFixture()
        fixture.catalog.close()
        let path = fixture.folder.path
        #expect {
            try Catalog(directory: path, dimension: 16, fingerprint: "other", options: CatalogFixture.options())
        } throws: {
            guard case CatalogError.fingerprintMismatch(CatalogFixture.fingerprint, "other") = $0 else { return false }
            return true
        }
        #expect {
            try Catalog(
                directory: path,
                dimension: 32,
                fingerprint: CatalogFixture.fingerprint,
                options: CatalogFixture.options()
            )
        } throws: {
            guard case CatalogError.wrongDimension(32, 16) = $0 else { return false }
            return true
        }
    }

    @Test func aSecondOpenIsRefused() throws {
        let fixture = try CatalogFixture()
        #expect { try CatalogFixture.open(fixture.folder.path) } throws: {
            guard case CatalogError.inUse = $0 else { return false }
            return true
        }
        try fixture.index("a", 1)
    }

    @Test func aNewerFormatIsRefused() throws {
        let fixture = try CatalogFixture()
        fixture.catalog.close()
        try StoredBytes.change(in: fixture.folder.path, "catalog", [], "cfg") { $0[8] = 7 }
        #expect { try CatalogFixture.open(fixture.folder.path) } throws: {
            guard case CatalogError.newerFormat(7, 4) = $0 else { return false }
            return true
        }
    }

    @Test func afterClosingEveryCallFails() throws {
        let fixture = try CatalogFixture()
        fixture.catalog.close()
        fixture.catalog.close()
        #expect(throws: CatalogError.self) { try fixture.catalog.apply([fixture.indexing("a", 1)]) }
        #expect(throws: CatalogError.self) { try fixture.search(1) }
    }

    @Test func aRootHalfRemovedIsRemovedAfterTheNextStart() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<300).map { fixture.indexing("p\($0)", $0) })
        fixture.catalog.close()
        // As a process leaves it that ends between the first transaction of a removal and the second.
        try StoredBytes.change(in: fixture.folder.path, "root", .integerKey, fixture.root.rawValue) { row in
            row[4] = 1
            let checksum = CRC32C.checksum(fixture.root.rawValue.bytes, continuing: CRC32C.checksum(Array(row[4...])))
            row.replaceSubrange(0..<4, with: checksum.bytes)
        }
        try fixture.reopen()
        #expect(try fixture.catalog.roots().isEmpty)
        #expect(eventually { fixture.catalog.statistics.fileCount == 0 })
        #expect(try fixture.catalog.audit() == [])
    }
}

extension UInt32 {
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}

extension CRC32C {
    fileprivate static func checksum(_ bytes: [UInt8], continuing previous: UInt32 = 0) -> UInt32 {
        bytes.withStorageBytes { checksum($0, continuing: previous) }
    }
}

/// Reaches below a closed collection.
enum StoredBytes {
    static func change(
        in directory: String,
        _ database: String,
        _ flags: DatabaseFlags,
        _ key: some StorageBytes,
        _ body: (inout [UInt8]) -> Void
    ) throws {
        let environment = try Environment(directory: directory, options: options)
        defer { environment.close() }
        let transaction = try WriteTransaction(environment)
        let database = try transaction.openDatabase(database, flags)
        var bytes = try #require(try transaction.get(key, in: database))
        body(&bytes)
        try transaction.put(key, bytes, in: database)
        try transaction.commit()
    }

    static var options: EnvironmentOptions {
        var options = EnvironmentOptions()
        options.mapByteCount = 1 << 26
        return options
    }
}
