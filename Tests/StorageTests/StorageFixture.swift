import Foundation
import Storage
import TestSupport

/// A store in a folder of its own.
struct StorageFixture {
    let folder: TemporaryDirectory
    let environment: Environment

    init(mapByteCount: Int = 1 << 30, maximumMapByteCount: Int = 1 << 32) throws {
        folder = try TemporaryDirectory()
        environment = try Environment(
            directory: folder.path,
            options: Self.options(mapByteCount, maximumMapByteCount)
        )
    }

    static func options(_ mapByteCount: Int = 1 << 30, _ maximumMapByteCount: Int = 1 << 32) -> EnvironmentOptions {
        var options = EnvironmentOptions()
        options.mapByteCount = mapByteCount
        options.maximumMapByteCount = maximumMapByteCount
        return options
    }

    func database(_ name: String = "records", _ flags: DatabaseFlags = []) throws -> Database {
        let transaction = try WriteTransaction(environment)
        let database = try transaction.openDatabase(name, flags)
        try transaction.commit()
        return database
    }

    func write(_ body: (borrowing WriteTransaction) throws -> Void) throws {
        let transaction = try WriteTransaction(environment)
        try body(transaction)
        try transaction.commit()
    }

    func keys(of database: Database) throws -> [[UInt8]] {
        var keys: [[UInt8]] = []
        try ReadTransaction(environment).scan(database) { (key, _) throws(StorageError) in
            keys.append(key.copied)
            return true
        }
        return keys
    }
}
