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

/// Makes LMDB's own descriptors fail, as a broken or full disk would.
///
/// LMDB holds `data.mdb` twice: once for pages and once, with `O_DSYNC`, for the meta pages that end a commit.
struct DescriptorFault {
    enum Target { case pages, meta }

    private let descriptor: Int32
    private let original: Int32

    /// Replaces the descriptor by `path`, opened with `flags`.
    init?(_ target: Target, in directory: String, by path: String, flags: Int32) {
        let descriptors = (0..<1024).map(Int32.init).filter { number in
            var buffer = [CChar](repeating: 0, count: 4096)
            let length = readlink("/proc/self/fd/\(number)", &buffer, buffer.count)
            guard length > 0 else { return false }
            let name = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return name == URL(filePath: directory).resolvingSymlinksInPath().path + "/data.mdb"
        }
        let wantsMeta = target == .meta
        guard let found = descriptors.first(where: { (fcntl($0, F_GETFL) & O_DSYNC != 0) == wantsMeta }) else {
            return nil
        }
        descriptor = found
        original = dup(found)
        let replacement = open(path, flags)
        guard original >= 0, replacement >= 0, dup2(replacement, found) >= 0 else { return nil }
        close(replacement)
    }

    /// Puts the working descriptor back.
    func repair() {
        dup2(original, descriptor)
        close(original)
    }
}
