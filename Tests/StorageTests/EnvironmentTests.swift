import Foundation
import Platform
import TestSupport
import Testing

@testable import Storage

struct EnvironmentTests {
    private static let page = [UInt8](repeating: 3, count: 4000)

    @Test func aFullMapGrowsAndTheTransactionIsTriedAgain() throws {
        let fixture = try StorageFixture(mapByteCount: 1 << 20)
        let records = try fixture.database("records", .integerKey)
        var growths = 0
        for batch in UInt32(0)..<20 {
            while true {
                do {
                    try fixture.write { transaction in
                        for index in UInt32(0)..<64 { try transaction.put(batch * 64 + index, Self.page, in: records) }
                    }
                    break
                } catch let error as StorageError {
                    #expect(error.code == .mapFull)
                    try fixture.environment.grow()
                    growths += 1
                }
            }
        }
        #expect(growths >= 3)
        #expect(try fixture.keys(of: records).count == 1280)
        #expect(try fixture.environment.statistics.usedByteCount > 1280 * 4096)
    }

    @Test func growthEndsAtItsLimitAndReadsGoOn() throws {
        let fixture = try StorageFixture(mapByteCount: 1 << 20, maximumMapByteCount: 1 << 21)
        let records = try fixture.database("records", .integerKey)
        try fixture.write { try $0.put(UInt32(0), [1], in: records) }
        try fixture.environment.grow()
        let error = #expect(throws: StorageError.self) { try fixture.environment.grow() }
        #expect(error?.code == .storageFull)
        #expect(try ReadTransaction(fixture.environment).get(UInt32(0), in: records) == [1])
    }

    @Test func aMapThatTheSystemRefusesLeavesTheStoreAsItWas() throws {
        // A process has 2^47 bytes of addresses.
        let fixture = try StorageFixture(mapByteCount: 1 << 40, maximumMapByteCount: 1 << 50)
        let records = try fixture.database("records", .integerKey)
        try fixture.write { try $0.put(UInt32(0), [1], in: records) }
        let error = #expect(throws: StorageError.self) {
            for _ in 0..<8 { try fixture.environment.grow() }
        }
        #expect(error?.code == .system)
        #expect(try ReadTransaction(fixture.environment).get(UInt32(0), in: records) == [1])
        try fixture.write { try $0.put(UInt32(1), [2], in: records) }
        #expect(try ReadTransaction(fixture.environment).get(UInt32(1), in: records) == [2])
        #expect(try fixture.environment.statistics.mapByteCount >= 1 << 40)
    }

    @Test func growthWaitsForReadersAndHoldsNewOnesBack() throws {
        let fixture = try StorageFixture(mapByteCount: 1 << 20)
        let records = try fixture.database("records", .integerKey)
        try fixture.write { try $0.put(UInt32(0), Self.page, in: records) }
        let environment = fixture.environment
        let isDone = Monitor(false)
        let failures = Monitor(0)
        let readers = try (0..<4).map { index in
            try WorkerThread(name: "reader \(index)") {
                while !isDone.withLock({ $0 }) {
                    do {
                        let value = try ReadTransaction(environment).get(UInt32(0), in: records)
                        if value != Self.page { failures.withLockNotifyingAll { $0 += 1 } }
                    } catch { failures.withLockNotifyingAll { $0 += 1 } }
                }
            }
        }
        for _ in 0..<8 { try environment.grow() }
        isDone.withLockNotifyingAll { $0 = true }
        for reader in readers { reader.join() }
        #expect(failures.withLock { $0 } == 0)
        #expect(try environment.statistics.mapByteCount == 1 << 28)
    }

    @Test func aSecondOpenIsRefusedUntilTheFirstCloses() throws {
        let fixture = try StorageFixture()
        let error = #expect(throws: StorageError.self) { try Environment(directory: fixture.folder.path) }
        #expect(error?.code == .inUse)
        #expect(error?.description.contains("\(getpid())") == true)
        fixture.environment.close()
        let again = try Environment(directory: fixture.folder.path, options: StorageFixture.options())
        #expect(try again.statistics.lastTransaction == 0)
        #expect(throws: StorageError(code: .closed, operation: fixture.folder.path)) {
            try ReadTransaction(fixture.environment).handle
        }
    }

    @Test func otherFlagsAndForeignFilesAreTypedErrors() throws {
        let fixture = try StorageFixture()
        _ = try fixture.database("records", .integerKey)
        fixture.environment.close()
        let again = try Environment(directory: fixture.folder.path, options: StorageFixture.options())
        do {
            let transaction = try WriteTransaction(again)
            let records = try transaction.openDatabase("records", [.integerKey, .duplicates])
            // LMDB 0.9 keeps the flags that a database was made with.
            try transaction.put(UInt32(1), [1], in: records)
            try transaction.put(UInt32(1), [2], in: records)
            #expect(try transaction.count(of: records) == 1)
        }
        again.close()
        try Data(repeating: 9, count: 8192).write(to: fixture.folder.url.appending(path: "data.mdb"))
        let error = #expect(throws: StorageError.self) {
            try Environment(directory: fixture.folder.path, options: StorageFixture.options())
        }
        #expect(error?.code == .corrupted)
    }

    @Test func aFullDiskFailsTheCommitAndNothingElse() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database("records", .integerKey)
        try fixture.write { try $0.put(UInt32(1), [1], in: records) }
        let fault = try #require(DescriptorFault(.pages, in: fixture.folder.path, by: "/dev/full", flags: O_WRONLY))
        let error = #expect(throws: StorageError.self) { try fixture.write { try $0.put(UInt32(2), [2], in: records) } }
        #expect(error?.code == .storageFull)
        #expect(try ReadTransaction(fixture.environment).get(UInt32(1), in: records) == [1])
        fault.repair()
        try fixture.write { try $0.put(UInt32(2), [3], in: records) }
        #expect(try ReadTransaction(fixture.environment).get(UInt32(2), in: records) == [3])
    }

    @Test func aPanicEndsWithReopening() throws {
        let fixture = try StorageFixture()
        let first = try fixture.database("first", .integerKey)
        let second = try fixture.database("second")
        try fixture.write { try $0.put(UInt32(1), [1], in: first) }
        let fault = try #require(DescriptorFault(.meta, in: fixture.folder.path, by: "/dev/full", flags: O_WRONLY))
        #expect(throws: StorageError.self) { try fixture.write { try $0.put(UInt32(2), [2], in: first) } }
        let error = #expect(throws: StorageError.self) {
            try ReadTransaction(fixture.environment).get(UInt32(1), in: first)
        }
        #expect(error?.code == .panicked)
        fault.repair()
        #expect(throws: StorageError.self) { try fixture.write { try $0.put(UInt32(2), [2], in: first) } }
        try fixture.environment.reopen()
        #expect(try ReadTransaction(fixture.environment).get(UInt32(1), in: first) == [1])
        try fixture.write { transaction in
            try transaction.put(UInt32(2), [2], in: first)
            try transaction.put("key", [3], in: second)
        }
        #expect(try ReadTransaction(fixture.environment).get("key", in: second) == [3])
    }

    @Test func aDatabaseOfAnAbortedTransactionLeavesNoTrace() throws {
        let fixture = try StorageFixture()
        do {
            let transaction = try WriteTransaction(fixture.environment)
            _ = try transaction.openDatabase("lost")
        }
        let kept = try fixture.database("kept")
        try fixture.write { try $0.put("key", [1], in: kept) }
        try fixture.environment.reopen()
        #expect(try ReadTransaction(fixture.environment).get("key", in: kept) == [1])
    }

    @Test(arguments: [
        (Int32(ENOSPC), StorageError.Code.storageFull), (EDQUOT, .storageFull), (EROFS, .storageFull),
        (EFBIG, .storageFull), (EIO, .system), (-30795, .panicked), (-30796, .corrupted), (-30797, .corrupted),
        (-30793, .corrupted), (-30794, .corrupted), (-30792, .mapFull), (-30799, .keyExists), (-30781, .badSize),
        (-30784, .incompatible), (-30788, .transactionTooLarge), (-30790, .readersFull),
    ])
    func everyStatusHasItsMeaning(_ status: Int32, _ code: StorageError.Code) {
        let error = StorageError(LMDBStatus(rawValue: status), operation: "test")
        #expect(error.code == code)
        #expect(error.description.hasPrefix("test: "))
    }

    @Test func aShortWriteIsAFullDiskOnlyWhereTheDiskIsFull() {
        // What LMDB says of both.
        let error = StorageError(LMDBStatus(rawValue: EIO), operation: "commit to /here")
        #expect(error.explained(freeByteCount: 1 << 30) == error)
        #expect(error.explained(freeByteCount: nil) == error)
        let full = error.explained(freeByteCount: 4096)
        #expect(full.code == .storageFull)
        #expect(full.description == "commit to /here with 4096 bytes free: No space left on device")
        let denied = StorageError(LMDBStatus(rawValue: EACCES), operation: "commit to /here")
        #expect(denied.explained(freeByteCount: 0) == denied)
    }

    @Test func aFaultOfTheDiskIsNotCalledAFullOne() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database()
        // Writing to memory where none is mapped gives EIO.
        let fault = try #require(
            DescriptorFault(.pages, in: fixture.folder.path, by: "/proc/self/mem", flags: O_RDWR)
        )
        let error = #expect(throws: StorageError.self) {
            try fixture.write { try $0.put("key", [1], in: records) }
        }
        fault.repair()
        #expect(error?.code == .system)
        #expect(error?.status?.rawValue == EIO)
        try fixture.write { try $0.put("key", [2], in: records) }
        #expect(try ReadTransaction(fixture.environment).get("key", in: records) == [2])
    }
}
