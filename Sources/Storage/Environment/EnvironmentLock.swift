internal import Glibc
internal import Platform

/// The claim on a store's directory: an exclusive `flock` on its `pid` file, gone with the process however it ends.
///
/// LMDB's own locks are per process (`fcntl`) and would be lost by a second open in the same process; `flock` belongs
/// to the open file, so it refuses that too.
final class EnvironmentLock: Sendable {
    private let descriptor: OwnedDescriptor

    /// Claims `directory`, which must exist.
    init(directory: String) throws(StorageError) {
        let path = directory + "/pid"
        do {
            descriptor = try Self.claim(path)
        } catch {
            if error.code == EWOULDBLOCK {
                throw StorageError(code: .inUse, operation: directory + Self.holder(of: path))
            }
            throw StorageError(error)
        }
    }

    private static func claim(_ path: String) throws(SystemError) -> OwnedDescriptor {
        let descriptor = try OwnedDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
        try retrying("lock \(path)") { flock(descriptor.rawValue, LOCK_EX | LOCK_NB) }
        write("\(getpid())\n", to: descriptor.rawValue)
        return descriptor
    }

    /// The number is for people who look; a full disk must not refuse to open the store for its sake.
    private static func write(_ text: String, to descriptor: Int32) {
        guard ftruncate(descriptor, 0) == 0 else { return }
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    private static func holder(of path: String) -> String {
        guard let file = try? OwnedDescriptor.open(path, O_RDONLY), let bytes = try? file.readAll(limit: 32),
            let number = Int(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
        else { return "" }
        return " (process \(number))"
    }
}
