import Foundation
import Glibc
import Platform
import Storage
import TestSupport
import Testing

@testable import Catalog

/// A changed byte of any record is found, and the record named; of any page, told or without meaning.
struct VerificationTests {
    private static func findings(_ file: String) throws -> [CatalogFinding] { try run(CatalogVerification(file: file)) }

    private static func run(_ verification: CatalogVerification) throws -> [CatalogFinding] {
        var findings: [CatalogFinding] = []
        var isDone = false
        while let step = try verification.next() {
            if case .finding(let finding) = step { findings.append(finding) }
            if case .done(_, let count) = step {
                #expect(count == findings.count)
                isDone = true
            }
        }
        #expect(isDone)
        return findings
    }

    /// Images, equal ones, failures, removed ones, documents: every database has rows.
    private static func filled(_ count: Int = 40) throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<count).map { fixture.indexing("\($0).jpg", $0, document: "{}") })
        _ = try fixture.catalog.apply((0..<5).map { fixture.indexing("copy \($0).jpg", $0) })
        let failure = FileFailure(kind: "corrupt", message: "no image", attempts: 1, nextAttempt: nil)
        _ = try fixture.catalog.apply([
            .fail(key: fixture.key("bad.jpg"), stamp: CatalogFixture.stamp(1), content: nil, failure: failure),
            .delete(key: fixture.key("7.jpg")),
            .exclude(ImageID(rawValue: 9)),
        ])
        try fixture.catalog.registerConsumer("replica")
        return fixture
    }

    @Test func aSoundCollectionHasNone() throws {
        let fixture = try Self.filled()
        #expect(try Self.run(fixture.catalog.verification()) == [])
        fixture.catalog.close()
        #expect(try Self.findings(fixture.folder.path + "/data.mdb") == [])
    }

    @Test func itGoesOnBesideChanges() throws {
        let fixture = try Self.filled(300)
        let verification = fixture.catalog.verification()
        var number = 1000
        var findings = 0
        while let step = try verification.next() {
            if case .finding(let finding) = step {
                Issue.record("\(finding)")
                findings += 1
            }
            try fixture.index("\(number).jpg", number)
            _ = try fixture.catalog.apply([.delete(key: fixture.key("\(number - 1).jpg"))])
            number += 1
        }
        #expect(findings == 0)
    }

    /// Every database, a key of it, and how the finding calls the key.
    private static let rows: [(database: String, flags: DatabaseFlags, key: [UInt8], name: String)] = [
        ("catalog", [], Array("cfg".utf8), "cfg"),
        ("catalog", [], Array("state".utf8), "state"),
        ("root", .integerKey, [1, 0, 0, 0], "root 1"),
        ("img", .integerKey, [3, 0, 0, 0, 0, 0, 0, 0], "image 3"),
        ("file", [], [0, 0, 0, 1] + Array("3.jpg".utf8), "root 1, 3.jpg"),
        ("content", [], CatalogFixture.content(3).bytes, CatalogFixture.content(3).description),
        ("event", .integerKey, [5, 0, 0, 0, 0, 0, 0, 0], "event 5"),
        ("consumer", [], Array("replica".utf8), "replica"),
        ("vec", .integerKey, [3, 0, 0, 0], "slot 3"),
        ("code", .integerKey, [3, 0, 0, 0], "slot 3"),
        ("ops", .integerKey, [0, 1, 0, 0, 0, 0, 0, 0], "operation 256"),
    ]

    @Test(arguments: rows.indices) func aChangedByteOfARecordIsFoundByItsName(number: Int) throws {
        let fixture = try Self.filled()
        fixture.catalog.close()
        let row = Self.rows[number]
        let file = fixture.folder.path + "/data.mdb"
        if row.database == "ops" {
            // Closing has written the links and let the operations go.
            let environment = try Environment(directory: fixture.folder.path, options: StoredBytes.options)
            let transaction = try WriteTransaction(environment)
            let addition: [UInt8] = [1, 3, 0, 0, 0]
            let checksum = withUnsafeBytes(of: CRC32C.checksum(addition.span.bytes).littleEndian) { Array($0) }
            let operations = try transaction.openDatabase("ops", .integerKey)
            try transaction.put(row.key, addition + checksum, in: operations)
            try transaction.commit()
            environment.close()
        }
        var byteCount = 0
        try StoredBytes.change(in: fixture.folder.path, row.database, row.flags, row.key) { byteCount = $0.count }
        for position in stride(from: 0, to: byteCount, by: max(1, byteCount / 7)) {
            try StoredBytes.change(in: fixture.folder.path, row.database, row.flags, row.key) { $0[position] ^= 0x04 }
            let findings = try Self.findings(file)
            let isNamed = findings.contains { $0.database == row.database && $0.key == row.name }
            #expect(isNamed, "\(row.database) byte \(position): \(findings)")
            try StoredBytes.change(in: fixture.folder.path, row.database, row.flags, row.key) { $0[position] ^= 0x04 }
        }
        #expect(try Self.findings(file) == [])
    }

    @Test func rowsThatDoNotBelongTogetherAreFound() throws {
        let fixture = try Self.filled()
        fixture.catalog.close()
        let path = fixture.folder.path
        let environment = try Environment(directory: path, options: StoredBytes.options)
        let transaction = try WriteTransaction(environment)
        let flags: DatabaseFlags = [.integerKey, .duplicates, .fixedDuplicates, .integerDuplicates]
        let pairs = try transaction.openDatabase("dup", flags)
        try transaction.delete(UInt32(3), in: pairs)
        try transaction.put(UInt32(4), UInt64(4), in: pairs)
        try transaction.put(Array("\0\0\0\u{1}x".utf8), [UInt8](), in: try transaction.openDatabase("failed"))
        try transaction.delete(CatalogFixture.content(5).bytes, in: try transaction.openDatabase("content"))
        try transaction.commit()
        environment.close()
        let findings = try Self.findings(path + "/data.mdb")
        for (database, key) in [("dup", "slot 4"), ("failed", "root 1, x"), ("img", "image 6"), ("vec", "slot 3")] {
            #expect(findings.contains { $0.database == database && $0.key == key }, "\(database) \(key): \(findings)")
        }
    }

    @Test func aChangedByteAnywhereInTheFileIsToldOrLiesWhereNothingIs() throws {
        let fixture = try Self.filled(200)
        fixture.catalog.close()
        let path = fixture.folder.path + "/data.mdb"
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let file = try OwnedDescriptor.open(path, O_RDWR)
        let live = bytes.indices.filter { bytes[$0] != 0 }
        var random = SystemRandomNumberGenerator()
        var told = 0
        for _ in 0..<120 {
            let position = live.randomElement(using: &random) ?? 0
            var flipped = bytes[position] ^ UInt8(1 << Int.random(in: 0..<8, using: &random))
            #expect(pwrite(file.rawValue, &flipped, 1, off_t(position)) == 1)
            if try !Self.findings(path).isEmpty { told += 1 }
            #expect(pwrite(file.rawValue, &bytes[position], 1, off_t(position)) == 1)
        }
        // The others lie in pages that are free, in the older meta page, and behind what is in use of a page.
        #expect(told > 20)
        #expect(try Self.findings(path) == [])
        for count in [0, 100, 4096, 8192, bytes.count - 4096] {
            #expect(truncate(path, off_t(count)) == 0)
            #expect(try !Self.findings(path).isEmpty, "\(count) bytes")
            try Data(bytes).write(to: URL(filePath: path))
        }
    }
}

/// Damaged vectors go, their files wait to be read again, and everything else is found as before.
struct RebuildingTests {
    private static func run(_ rebuilding: CatalogRebuilding) throws -> (linked: Int, dropped: Int) {
        while let step = try rebuilding.next() {
            if case .done(let linked, let dropped) = step { return (linked, dropped) }
        }
        throw CatalogFixture.Unexpected()
    }

    @Test func damagedVectorsAreDroppedAndReadAgain() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<20).map { fixture.indexing("\($0).jpg", $0) })
        _ = try fixture.catalog.apply([fixture.indexing("copy.jpg", 3)])
        fixture.catalog.close()
        try StoredBytes.change(in: fixture.folder.path, "vec", .integerKey, UInt32(3)) { $0[20] ^= 1 }
        try fixture.reopen()
        #expect(try Self.run(fixture.catalog.rebuilding()).dropped == 2)
        #expect(try fixture.catalog.audit() == [])
        let failures = try fixture.catalog.failures(after: nil, limit: 10)
        #expect(failures.map(\.key.path) == [RelativePath("3.jpg"), RelativePath("copy.jpg")])
        for row in failures {
            guard case .failed(let failure) = row.state else { continue }
            #expect(failure.kind == "damaged-vector")
            #expect(failure.nextAttempt ?? .max <= wallClockNanoseconds())
        }
        #expect(try fixture.catalog.knowsContent(CatalogFixture.content(3)) == false)
        try fixture.index("3.jpg", 3)
        #expect(try fixture.search(3).first?.image.key.path == RelativePath("3.jpg"))
        #expect(try Self.run(fixture.catalog.rebuilding()).dropped == 0)
    }

    @Test func aGraphIsLinkedAnewWhileSearchesGoOn() throws {
        let fixture = try CatalogFixture()
        for start in stride(from: 0, to: 2400, by: 200) {
            _ = try fixture.catalog.apply((start..<start + 200).map { fixture.indexing("\($0).jpg", $0) })
        }
        let rebuilding = fixture.catalog.rebuilding()
        var linked = 0
        while let step = try rebuilding.next() {
            if case .done(let count, _) = step { linked = count }
            for seed in [1, 700, 2399] {
                #expect(try fixture.search(seed).first?.image.key.path == RelativePath("\(seed).jpg"))
            }
        }
        #expect(linked == 2400)
        try fixture.reopen()
        for seed in stride(from: 0, to: 2400, by: 100) {
            #expect(try fixture.search(seed).first?.image.key.path == RelativePath("\(seed).jpg"))
        }
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func aCopyOpensAsTheCollection() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<50).map { fixture.indexing("\($0).jpg", $0, document: "{}") })
        let copy = try fixture.catalog.copy(isCompacting: false, pace: CatalogCopy.Pace(bytesPerSecond: 1e7))
        var bytes: [UInt8] = []
        while true {
            let piece = try copy.next()
            guard !piece.isEmpty else { break }
            bytes += piece
            try fixture.index("late \(bytes.count).jpg", bytes.count)
        }
        let folder = try TemporaryDirectory()
        try Data(bytes).write(to: URL(filePath: folder.path + "/data.mdb"))
        let other = try CatalogFixture.open(folder.path)
        defer { other.close() }
        #expect(try other.audit() == [])
        #expect(other.statistics.imageCount == 50)
        #expect(
            try other.search(CatalogQuery(vector: CatalogFixture.vector(7))).hits.first?.image.id
                == ImageID(rawValue: 8)
        )
    }

    @Test func aCopyEndsWhenTheStoreGrowsTooMuch() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<2000).map { fixture.indexing("\($0).jpg", $0) })
        var pace = CatalogCopy.Pace()
        (pace.growthShare, pace.growthByteCount) = (0, 1 << 16)
        let copy = try fixture.catalog.copy(isCompacting: false, pace: pace)
        _ = try copy.next()
        for start in stride(from: 2000, to: 4000, by: 200) {
            _ = try fixture.catalog.apply((start..<start + 200).map { fixture.indexing("\($0).jpg", $0) })
        }
        #expect(throws: CatalogError.self) { while try !copy.next().isEmpty {} }
    }
}
