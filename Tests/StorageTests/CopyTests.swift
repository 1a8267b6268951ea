import Foundation
import Platform
import TestSupport
import Testing

@testable import Storage

/// A copy is one commit, whatever is written while it is made; and nobody waits for it who must not.
struct CopyTests {
    private static func copy(_ environment: Environment, isCompacting: Bool = false) throws -> [UInt8] {
        let copy = try EnvironmentCopy(of: environment, isCompacting: isCompacting)
        var bytes: [UInt8] = []
        while true {
            let piece = try copy.read(limit: 10_000)
            guard !piece.isEmpty else { return bytes }
            bytes += piece
        }
    }

    private static func values(in bytes: [UInt8], _ name: String) throws -> [[UInt8]] {
        let folder = try TemporaryDirectory()
        try Data(bytes).write(to: URL(filePath: folder.path + "/data.mdb"))
        let environment = try Environment(directory: folder.path, options: StorageFixture.options())
        defer { environment.close() }
        let transaction = try WriteTransaction(environment)
        let database = try transaction.openDatabase(name, .integerKey)
        var found: [[UInt8]] = []
        try transaction.scan(database) { (_, value) throws(StorageError) in
            found.append(value.copied)
            return true
        }
        return found
    }

    @Test(arguments: [false, true]) func itHoldsOneCommitWhileOthersFollow(isCompacting: Bool) throws {
        let fixture = try StorageFixture()
        let records = try fixture.database("records", .integerKey)
        let write = { (byte: UInt8) in
            try fixture.write { transaction in
                for key in UInt32(0)..<500 {
                    try transaction.put(key, [UInt8](repeating: byte, count: 1000), in: records)
                }
            }
        }
        for byte in UInt8(0)..<3 { try write(byte) }
        let copy = try EnvironmentCopy(of: fixture.environment, isCompacting: isCompacting)
        var bytes = try copy.read(limit: 100)
        for byte in UInt8(3)..<9 { try write(byte) }
        while true {
            let piece = try copy.read(limit: 10_000)
            guard !piece.isEmpty else { break }
            bytes += piece
        }
        #expect(try copy.read(limit: 10) == [])
        let found = try Self.values(in: bytes, "records")
        #expect(found.count == 500)
        // The first bytes were there before the later commits, so it is the third.
        #expect(found.allSatisfy { $0 == [UInt8](repeating: 2, count: 1000) })
    }

    @Test func compactingLeavesFreePagesOut() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database("records", .integerKey)
        try fixture.write { transaction in
            for key in UInt32(0)..<1000 { try transaction.put(key, [UInt8](repeating: 1, count: 1000), in: records) }
        }
        try fixture.write { transaction in
            for key in UInt32(0)..<900 { try transaction.delete(key, in: records) }
        }
        let whole = try Self.copy(fixture.environment)
        let compact = try Self.copy(fixture.environment, isCompacting: true)
        #expect(compact.count * 3 < whole.count)
        #expect(try Self.values(in: compact, "records").count == 100)
        #expect(try Self.values(in: whole, "records").count == 100)
    }

    @Test func whoResizesReopensOrClosesDoesNotWaitForItsReader() throws {
        let fixture = try StorageFixture(mapByteCount: 1 << 26)
        let records = try fixture.database("records", .integerKey)
        try fixture.write { transaction in
            for key in UInt32(0)..<4000 { try transaction.put(key, [UInt8](repeating: 1, count: 1000), in: records) }
        }
        for step in 0..<3 {
            let copy = try EnvironmentCopy(of: fixture.environment, isCompacting: false)
            _ = try copy.read(limit: 10)
            switch step {
            case 0: try fixture.environment.grow()
            case 1: try fixture.environment.reopen()
            default: fixture.environment.close()
            }
            let error = #expect(throws: StorageError.self) {
                while try !copy.read(limit: 1 << 20).isEmpty {}
            }
            #expect(error?.code == .interrupted)
        }
    }

    @Test func oneThatIsNotReadToItsEndEndsWithItsOwner() throws {
        let fixture = try StorageFixture()
        let records = try fixture.database("records", .integerKey)
        try fixture.write { transaction in
            for key in UInt32(0)..<4000 { try transaction.put(key, [UInt8](repeating: 1, count: 1000), in: records) }
        }
        for _ in 0..<5 { _ = try EnvironmentCopy(of: fixture.environment, isCompacting: false).read(limit: 10) }
        try fixture.environment.grow()
    }
}
