import Foundation
import Glibc
import Platform
import TestSupport
import Testing

@testable import Storage

/// Pages read without LMDB are what LMDB wrote, and no flipped byte of them does harm.
struct PageTests {
    private static let duplicates: DatabaseFlags = [.integerKey, .duplicates, .fixedDuplicates, .integerDuplicates]

    /// Trees of three pages' depth, overflow pages, values of one key within a page and in a tree of their own, and free pages.
    private static func fill(_ fixture: StorageFixture) throws {
        let numbers = try fixture.database("numbers", .integerKey)
        let texts = try fixture.database("texts")
        let pairs = try fixture.database("pairs", duplicates)
        try fixture.write { transaction in
            for number in UInt32(0)..<400 {
                try transaction.put(number, [UInt8](repeating: 7, count: 1000), in: numbers)
            }
            for number in 0..<2000 {
                try transaction.put("key \(number * 7919 % 2000)", [UInt8(number & 255)], in: texts)
            }
            try transaction.put("large", [UInt8](repeating: 9, count: 20_000), in: texts)
            for number in UInt64(0)..<900 { try transaction.put(UInt32(5), number * 3, in: pairs) }
            for number in UInt32(10)..<300 {
                for value in UInt64(0)..<UInt64(number % 9 + 1) { try transaction.put(number, value, in: pairs) }
            }
        }
        try fixture.write { transaction in
            for number in UInt32(100)..<200 { try transaction.delete(number, in: numbers) }
        }
    }

    private static func records(of tree: PageTree, after start: [UInt8]? = nil) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var visitor = PageTree.Visitor { damage, _ in
            Issue.record("\(damage)")
            return true
        }
        visitor.record = { key, value in
            found.append(Array(key) + [0xFF] + Array(value))
            return true
        }
        tree.traverse(after: start, visitor)
        return found
    }

    @Test func theyHoldWhatLMDBReads() throws {
        let fixture = try StorageFixture()
        try Self.fill(fixture)
        let transaction = try ReadTransaction(fixture.environment)
        let snapshot = try #require(try transaction.pages())
        let trees = try snapshot.trees()
        #expect(Set(trees.keys) == ["numbers", "texts", "pairs"])
        for (name, flags) in [("numbers", .integerKey), ("texts", []), ("pairs", Self.duplicates)]
            as [(String, DatabaseFlags)]
        {
            let database = Database(name: name, flags: flags, index: try index(of: name, fixture))
            var expected: [[UInt8]] = []
            try transaction.scan(database) { (key, value) throws(StorageError) in
                expected.append(key.copied + [0xFF] + value.copied)
                return true
            }
            let tree = try #require(trees[name])
            #expect(tree.flags == flags)
            #expect(tree.entryCount == expected.count)
            #expect(Self.records(of: tree) == expected, "\(name)")
        }
        #expect(try trees["texts"]?.values(of: Array("key 1234".utf8)).count == 1)
        #expect(try trees["texts"]?.values(of: Array("key x".utf8)) == [])
        #expect(try trees["texts"]?.values(of: Array("large".utf8)).first?.count == 20_000)
        #expect(try trees["pairs"]?.values(of: [5, 0, 0, 0], limit: 2000).count == 900)
        let after = try #require(trees["numbers"]).traversalCount(after: [50, 0, 0, 0])
        #expect(after == 249)
        let audit = PageAudit(snapshot).run()
        #expect(audit.findings == [])
        #expect(audit.isComplete)
    }

    private func index(of name: String, _ fixture: StorageFixture) throws -> UInt32 {
        try fixture.database(name, name == "numbers" ? .integerKey : name == "pairs" ? Self.duplicates : []).index
    }

    @Test func aFlippedByteOfAnyPageIsToldOrChangesAValueOnly() throws {
        let fixture = try StorageFixture(mapByteCount: 1 << 26)
        try Self.fill(fixture)
        let path = fixture.folder.path + "/data.mdb"
        fixture.environment.close()
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        let copy = fixture.folder.path + "/copy"
        try Data(bytes).write(to: URL(filePath: copy))
        let file = try OwnedDescriptor.open(copy, O_RDWR)
        func state() throws -> (records: [[UInt8]], problems: Int) {
            var problems = 0
            var found: [[UInt8]] = []
            do throws(PageDamage) {
                let snapshot = try PageSnapshot(descriptor: file.rawValue)
                for tree in try snapshot.trees().sorted(by: { $0.key < $1.key }) {
                    var visitor = PageTree.Visitor { _, _ in
                        problems += 1
                        return problems < 50
                    }
                    visitor.record = { key, value in
                        found.append(Array(key) + Array(value))
                        return true
                    }
                    tree.value.traverse(visitor)
                }
                problems += PageAudit(snapshot).run().findings.count
            } catch { problems += 1 }
            return (found, problems)
        }
        let whole = try state()
        #expect(whole.problems == 0)
        var random = SystemRandomNumberGenerator()
        var harmless = 0
        for round in 0..<400 {
            // Headers and offsets of all pages first, then anything.
            let page = Int.random(in: 0..<bytes.count / 4096, using: &random)
            let position = 4096 * page + Int.random(in: 0..<(round % 2 == 0 ? 24 : 4096), using: &random)
            var flipped = bytes[position] ^ UInt8.random(in: 1...255, using: &random)
            #expect(pwrite(file.rawValue, &flipped, 1, off_t(position)) == 1)
            let damaged = try state()
            if damaged.problems == 0 {
                // A value or key of the same order, the older meta page, or bytes that nothing uses.
                harmless += 1
                #expect(damaged.records.count == whole.records.count, "position \(position)")
            }
            #expect(pwrite(file.rawValue, &bytes[position], 1, off_t(position)) == 1)
        }
        #expect(harmless < 400)
        #expect(try state().problems == 0)
    }
}

extension PageTree {
    fileprivate func traversalCount(after start: [UInt8]) -> Int {
        var count = 0
        var visitor = Visitor { _, _ in true }
        visitor.record = { _, _ in
            count += 1
            return true
        }
        traverse(after: start, visitor)
        return count
    }
}
