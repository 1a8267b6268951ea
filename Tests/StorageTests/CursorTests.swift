import Storage
import Testing

struct CursorTests {
    private static let dup: DatabaseFlags = [.integerKey, .duplicates, .fixedDuplicates, .integerDuplicates]

    @Test func scansStartWhereTheyAreToldAndStopWhenTheyAreTold() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database("records", .integerKey)
        try fixture.write { transaction in
            for number in stride(from: UInt32(0), to: 100, by: 10) { try transaction.put(number, [1], in: records) }
        }
        let transaction = try ReadTransaction(fixture.environment)
        var seen: [UInt32?] = []
        try transaction.scan(records, from: UInt32(35)) { (key, _) throws(StorageError) in
            seen.append(key.integer(at: 0))
            return seen.count < 3
        }
        #expect(seen == [40, 50, 60])
        seen = []
        try transaction.scan(records, from: UInt32(91)) { (key, _) throws(StorageError) in
            seen.append(key.integer(at: 0))
            return true
        }
        #expect(seen.isEmpty)
    }

    @Test func aPrefixScanSeesItsKeysOnly() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database()
        try fixture.write { transaction in
            for key in ["a", "b", "b/1", "b/2", "b0", "c"] { try transaction.put(key, [1], in: records) }
        }
        var seen: [String] = []
        try ReadTransaction(fixture.environment).scan(records, prefix: Array("b/".utf8)) {
            (key, _) throws(StorageError) in
            seen.append(String(decoding: key.copied, as: UTF8.self))
            return true
        }
        #expect(seen == ["b/1", "b/2"])
    }

    @Test func duplicatesAreOrderedCountedAndDeletedOneByOne() throws {
        let fixture = try StorageFixture()
        let dup = try fixture.database("dup", Self.dup)
        try fixture.write { transaction in
            for image in [UInt64(300), 2, 256, 1] { try transaction.put(UInt32(5), image, in: dup) }
            try transaction.put(UInt32(6), UInt64(9), in: dup)
            #expect(try !transaction.insert(UInt32(5), UInt64(256), in: dup))
            #expect(try transaction.delete(UInt32(5), value: UInt64(2), in: dup))
            #expect(try !transaction.delete(UInt32(5), value: UInt64(2), in: dup))
        }
        let transaction = try ReadTransaction(fixture.environment)
        var values: [UInt64?] = []
        try transaction.scan(dup, valuesOf: UInt32(5)) { (value) throws(StorageError) in
            values.append(value.integer(at: 0))
            return true
        }
        #expect(values == [1, 256, 300])
        #expect(try transaction.count(of: dup) == 4)
    }

    @Test func aCursorDeletesWhileItWalks() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database("records", .integerKey)
        try fixture.write { transaction in
            for number in UInt32(0)..<2000 {
                try transaction.put(number, [UInt8](repeating: 0, count: 50), in: records)
            }
        }
        try fixture.write { transaction in
            try transaction.withCursor(in: records) { (cursor: inout Cursor) throws(StorageError) in
                var isThere = try cursor.moveToFirst()
                while isThere {
                    let key = try cursor.withCurrent { key, _ in key.integer(at: 0, as: UInt32.self) }
                    if let number = key.flatMap({ $0 }), number % 3 != 0 { try cursor.delete() }
                    isThere = try cursor.moveToNext()
                }
            }
        }
        let left = try fixture.keys(of: records).compactMap { $0.span.bytes.integer(at: 0, as: UInt32.self) }
        #expect(left == Array(stride(from: UInt32(0), to: 2000, by: 3)))
    }

    @Test func theEndsAndExactKeysAreFound() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database("records", .integerKey)
        try fixture.write { transaction in
            for number in UInt32(3)...7 { try transaction.put(number, [UInt8(number)], in: records) }
        }
        let transaction = try ReadTransaction(fixture.environment)
        let ends = try transaction.withCursor(in: records) { (cursor: inout Cursor) throws(StorageError) in
            var found: [UInt8?] = []
            #expect(try cursor.withCurrent { _, value in value.integer(at: 0, as: UInt8.self) } == nil)
            #expect(try cursor.moveToLast())
            found.append(try cursor.withCurrent { _, value in value.integer(at: 0) } ?? nil)
            #expect(try cursor.move(to: UInt32(5)))
            found.append(try cursor.withCurrent { _, value in value.integer(at: 0) } ?? nil)
            #expect(try !cursor.move(to: UInt32(8)))
            return found
        }
        #expect(ends == [7, 5])
    }

    @Test func anErrorOfTheCallerEndsTheScan() throws {
        struct Stop: StorageErrorConvertible, Equatable {
            var count = 0
            init(count: Int) { self.count = count }
            init(_ error: StorageError) {}
        }
        let fixture = try StorageFixture()
        let records = try fixture.database()
        try fixture.write { transaction in
            for key in ["a", "b", "c"] { try transaction.put(key, [1], in: records) }
        }
        let transaction = try ReadTransaction(fixture.environment)
        var count = 0
        let error = #expect(throws: Stop.self) {
            try transaction.scan(records) { (_, _) throws(Stop) -> Bool in
                count += 1
                if count == 2 { throw Stop(count: count) }
                return true
            }
        }
        #expect(error == Stop(count: 2))
        #expect(count == 2)
    }
}
