import Platform
import Storage
import TestSupport
import Testing

struct RecordTests {
    @Test func whatIsCommittedIsReadBackAfterReopening() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database()
        try fixture.write { transaction in
            try transaction.put("key", [1, 2, 3], in: records)
            try transaction.put("empty", [UInt8](), in: records)
            try transaction.put("large", [UInt8](repeating: 7, count: 100_000), in: records)
        }
        fixture.environment.close()
        let again = try Environment(directory: fixture.folder.path, options: StorageFixture.options())
        let transaction = try WriteTransaction(again)
        let reopened = try transaction.openDatabase("records")
        #expect(try transaction.get("key", in: reopened) == [1, 2, 3])
        #expect(try transaction.get("empty", in: reopened) == [])
        #expect(try transaction.get("large", in: reopened)?.count == 100_000)
        #expect(try transaction.get("absent", in: reopened) == nil)
        #expect(try transaction.contains("key", in: reopened))
        #expect(try transaction.count(of: reopened) == 3)
    }

    @Test func aTransactionThatIsNotCommittedChangesNothing() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database()
        do {
            let transaction = try WriteTransaction(fixture.environment)
            try transaction.put("key", [1], in: records)
        }
        #expect(try ReadTransaction(fixture.environment).get("key", in: records) == nil)
    }

    @Test func aReaderKeepsItsSnapshotWhileAWriterCommits() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database()
        try fixture.write { try $0.put("key", [1], in: records) }
        let before = try ReadTransaction(fixture.environment)
        let environment = fixture.environment
        let writer = try WorkerThread(name: "writer") {
            do {
                let transaction = try WriteTransaction(environment)
                try transaction.put("key", [2], in: records)
                try transaction.commit()
            } catch { Issue.record(error) }
        }
        writer.join()
        #expect(try before.get("key", in: records) == [1])
        _ = consume before
        #expect(try ReadTransaction(environment).get("key", in: records) == [2])
    }

    @Test func insertKeepsWhatIsThere() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database()
        try fixture.write { transaction in
            #expect(try transaction.insert("key", [1], in: records))
            #expect(try !transaction.insert("key", [2], in: records))
            #expect(try transaction.get("key", in: records) == [1])
            try transaction.put("key", [3], in: records)
            #expect(try transaction.get("key", in: records) == [3])
            #expect(try transaction.delete("key", in: records))
            #expect(try !transaction.delete("key", in: records))
        }
    }

    @Test func integerKeysComeInNumericOrder() throws {
        let fixture = try StorageFixture()
        let narrow = try fixture.database("narrow", .integerKey)
        let wide = try fixture.database("wide", .integerKey)
        let numbers: [UInt32] = [256, 1, 0, 65_536, 255, 16_777_216, 2]
        try fixture.write { transaction in
            for number in numbers {
                try transaction.put(number, [UInt8(number.leadingZeroBitCount)], in: narrow)
                try transaction.put(UInt64(number) << 24, [], in: wide)
            }
        }
        let read = try fixture.keys(of: narrow).map { $0.span.bytes.integer(at: 0, as: UInt32.self) }
        #expect(read == numbers.sorted())
        let readWide = try fixture.keys(of: wide).map { $0.span.bytes.integer(at: 0, as: UInt64.self) }
        #expect(readWide == numbers.sorted().map { UInt64($0) << 24 })
    }

    @Test func appendTakesRisingKeysOnly() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database("records", .integerKey)
        try fixture.write { transaction in
            for number in UInt64(1)...1000 { try transaction.append(number, [1], in: records) }
        }
        let transaction = try WriteTransaction(fixture.environment)
        let error = #expect(throws: StorageError.self) { try transaction.append(UInt64(1000), [1], in: records) }
        #expect(error?.code == .keyExists)
    }

    @Test(arguments: [0, 512, 4096]) func aKeyOfImpossibleLengthIsRefused(_ byteCount: Int) throws {
        let fixture = try StorageFixture()
        let records = try fixture.database()
        let transaction = try WriteTransaction(fixture.environment)
        let key = [UInt8](repeating: 1, count: byteCount)
        let error = #expect(throws: StorageError.self) { try transaction.put(key, [1], in: records) }
        #expect(error?.code == .badSize)
        try transaction.put([UInt8](repeating: 1, count: Environment.maximumKeyByteCount), [1], in: records)
    }

    @Test func integersAreReadWithinBoundsOnly() {
        let bytes: [UInt8] = [1, 0, 0, 0, 2]
        #expect(bytes.span.bytes.integer(at: 0, as: UInt32.self) == 1)
        #expect(bytes.span.bytes.integer(at: 1, as: UInt32.self) == 2 << 24)
        #expect(bytes.span.bytes.integer(at: 2, as: UInt32.self) == nil)
        #expect(bytes.span.bytes.integer(at: -1, as: UInt8.self) == nil)
        #expect(bytes.span.bytes.integer(at: Int.max, as: UInt64.self) == nil)
        #expect(bytes.span.bytes.copy(3..<5) == [0, 2])
        #expect(bytes.span.bytes.copy(3..<6) == nil)
    }
}
