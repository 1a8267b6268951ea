internal import Foundation
internal import Glibc
internal import Platform

/// A folder that a backup is written into: under a temporary name beside its own until everything is there and on the disk.
///
/// `NAME.partial` is locked while a command writes, and holds a file `unfinished` until all else is there. One that a killed command
/// left, at whatever moment, is removed by the next.
final class BackupFolder {
    private static let marker = "unfinished"

    /// Where the backup is to be.
    let path: String
    private let temporary: String
    private let claim: OwnedDescriptor
    private(set) var files: [BackupManifest.File] = []

    /// - Parameter path: absolute; missing or an empty folder.
    /// - Throws: `ClientError` when something else is there.
    init(_ path: String) throws {
        let temporary = "\(path).partial"
        try Self.requireFree(path)
        do {
            try Self.clear(temporary)
            try FileManager.default.createDirectory(
                atPath: temporary,
                withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700]
            )
            try Self.mark(temporary)
            claim = try Self.directory(temporary)
        } catch let error as SystemError {
            throw ClientError.failed("cannot write to \(temporary): \(error.reason)")
        } catch let error as CocoaError {
            throw ClientError.failed("cannot create \(temporary): \(error.reason)")
        }
        guard flock(claim.rawValue, LOCK_EX | LOCK_NB) == 0 else { throw Self.inUse(path) }
        self.path = path
        self.temporary = temporary
    }

    private static func inUse(_ path: String) -> ClientError {
        .failed("another command writes a backup to \(path)", fix: "wait for it, or choose another folder")
    }

    private static func requireFree(_ path: String) throws {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            guard !FileManager.default.fileExists(atPath: path) else {
                throw ClientError.usage("\(path) is not a folder, or cannot be read")
            }
            return
        }
        guard names.isEmpty else {
            throw ClientError.usage("\(path) is not empty", fix: "name a folder that does not exist yet")
        }
    }

    /// Removes what a killed command left, and nothing else.
    private static func clear(_ temporary: String) throws {
        guard FileManager.default.fileExists(atPath: temporary) else { return }
        let obstacle = ClientError.usage(
            "\(temporary) exists and is not an unfinished backup",
            fix: "remove it, or name another folder"
        )
        guard let old = try? directory(temporary) else { throw obstacle }
        guard flock(old.rawValue, LOCK_EX | LOCK_NB) == 0 else { throw inUse(String(temporary.dropLast(8))) }
        let names = try FileManager.default.contentsOfDirectory(atPath: temporary)
        // Without a mark, but with a manifest: killed when it was whole and had yet to get its name. Without anything: killed
        // before it could mark the folder.
        let isOurs = names.isEmpty || names.contains(marker) || (try? BackupManifest(folder: temporary)) != nil
        guard isOurs else { throw obstacle }
        try remove(temporary)
    }

    /// Removes the folder, the mark last: a removal that is killed leaves one that the next command knows.
    private static func remove(_ temporary: String) throws {
        try mark(temporary)
        for name in try FileManager.default.contentsOfDirectory(atPath: temporary) where name != marker {
            try FileManager.default.removeItem(atPath: "\(temporary)/\(name)")
        }
        try FileManager.default.removeItem(atPath: temporary)
    }

    private static func mark(_ temporary: String) throws(SystemError) {
        _ = try OwnedDescriptor.open("\(temporary)/\(marker)", O_RDWR | O_CREAT | O_NOFOLLOW)
    }

    private static func directory(_ path: String) throws(SystemError) -> OwnedDescriptor {
        try OwnedDescriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    /// - Throws: `ClientError` when the disk has no room for `byteCount` bytes and a little for everything else.
    func checkRoom(for byteCount: UInt64) throws {
        var disk = statvfs()
        // SAFETY: `fstatvfs` fills the value given, which lives for the call.
        guard unsafe fstatvfs(claim.rawValue, &disk) == 0 else { return }
        let (free, overflow) = UInt64(disk.f_bavail).multipliedReportingOverflow(by: UInt64(disk.f_frsize))
        let (wanted, _) = byteCount.addingReportingOverflow(64 << 20)
        guard overflow || free >= wanted else {
            throw ClientError.failed(
                "the backup needs \(Text.bytes(byteCount)), but only \(Text.bytes(free)) are free on the disk of \(path)"
            )
        }
    }

    /// Writes one file, and remembers its digest.
    ///
    /// - Parameters:
    ///   - name: below the folder; folders on the way are made.
    ///   - body: is called once with a function that appends bytes.
    /// - Throws: `ClientError`, or what `body` throws.
    func write(_ name: String, _ body: (_ append: ([UInt8]) throws -> Void) throws -> Void) throws {
        guard BackupManifest.isPlain(name: name), name != Self.marker, name != BackupManifest.name else {
            throw ClientError.malformedReply("a file called \(Text.visible(name))")
        }
        var hash = SHA256()
        var byteCount: UInt64 = 0
        do {
            try makeFolders(above: name)
            let file = try OwnedDescriptor.open("\(temporary)/\(name)", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
            let number = file.rawValue
            try body { bytes in
                hash.update(bytes)
                byteCount += UInt64(bytes.count)
                do throws(SystemError) { try Self.write(bytes, to: number) } catch {
                    throw ClientError.failed("cannot write \(temporary)/\(name): \(error.reason)")
                }
            }
            try retrying("fsync") { fsync(number) }
        } catch let error as SystemError {
            throw ClientError.failed("cannot write \(temporary)/\(name): \(error.reason)")
        }
        files.append(BackupManifest.File(name: name, bytes: byteCount, sha256: hash.finish().description))
    }

    /// The backup is whole: flushes every folder and gives it its name.
    func finish(_ manifest: BackupManifest) throws {
        let bytes = try manifest.encoded
        do {
            try DurableFile.replace("\(temporary)/\(BackupManifest.name)", with: bytes)
            // SAFETY: the path is a terminated string for the call.
            unsafe unlink("\(temporary)/\(Self.marker)")
            for folder in Set(files.flatMap { Self.folders(above: $0.name) }) {
                try Self.flush("\(temporary)/\(folder)")
            }
            try Self.flush(temporary)
            let (from, to) = (temporary, path)
            // SAFETY: both are terminated strings for the call. An empty folder is replaced; anything else is refused.
            try retrying("rename") { unsafe rename(from, to) }
            try Self.flush((path as NSString).deletingLastPathComponent)
        } catch let error as SystemError {
            throw ClientError.failed("cannot finish \(path): \(error.reason)")
        }
    }

    /// Removes what was written.
    func abandon() { try? Self.remove(temporary) }

    private func makeFolders(above name: String) throws(SystemError) {
        for folder in Self.folders(above: name) {
            let path = "\(temporary)/\(folder)"
            // SAFETY: the path is a terminated string for the call.
            guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { continue }
            throw SystemError.last("make \(path)")
        }
    }

    /// `a`, `a/b` for `a/b/c`.
    private static func folders(above name: String) -> [String] {
        let parts = name.split(separator: "/").dropLast()
        return parts.indices.map { parts[...$0].joined(separator: "/") }
    }

    private static func flush(_ folder: String) throws(SystemError) {
        let descriptor = try OwnedDescriptor.open(folder, O_RDONLY | O_DIRECTORY)
        let number = descriptor.rawValue
        try retrying("fsync") { fsync(number) }
    }

    private static func write(_ bytes: [UInt8], to number: Int32) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            written += try retrying("write") {
                unsafe bytes.withUnsafeBytes { buffer in
                    // SAFETY: the pointer and count name the rest of `bytes`, which outlives the call.
                    unsafe Glibc.write(number, buffer.baseAddress?.advanced(by: written), bytes.count - written)
                }
            }
        }
    }
}
