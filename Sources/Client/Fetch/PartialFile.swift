internal import Foundation
internal import Glibc
internal import Platform

/// A download as far as it has come, in the caller's cache folder. It outlives the command, so that the next goes on.
final class PartialFile {
    let path: String
    private let descriptor: OwnedDescriptor
    private(set) var byteCount: UInt64

    /// Opens `<name>.part`, creating it and its folder where they are missing, and keeps other commands away from it.
    ///
    /// - Throws: `ClientError` when it cannot be written or another command has it open.
    convenience init(name: String, folder: String) throws {
        let path = "\(folder)/\(name).part"
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            let descriptor = try OwnedDescriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW)
            let status = try descriptor.status()
            guard status.kind == .regular else { throw ClientError.failed("\(path) is not a file", fix: "remove it") }
            guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
                throw ClientError.failed("another command is fetching \(name)", fix: "wait for it")
            }
            self.init(path: path, byteCount: status.byteCount, descriptor: descriptor)
        } catch let error as SystemError {
            throw ClientError.failed("cannot open \(path): \(error.reason)", fix: Self.otherFolder)
        } catch let error as CocoaError {
            throw ClientError.failed("cannot create a folder: \(error.reason)", fix: Self.otherFolder)
        }
    }

    private init(path: String, byteCount: UInt64, descriptor: consuming OwnedDescriptor) {
        self.path = path
        self.byteCount = byteCount
        self.descriptor = descriptor
    }

    /// `$XDG_CACHE_HOME/likeness`, else `~/.cache/likeness` (XDG Base Directory Specification 0.8).
    static func folder(environment: [String: String]) throws -> String {
        if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return "\(cache)/likeness" }
        if let home = environment["HOME"], home.hasPrefix("/") { return "\(home)/.cache/likeness" }
        throw ClientError.failed("there is no place for a download: HOME is not set", fix: otherFolder)
    }

    private static let otherFolder = "another place: XDG_CACHE_HOME=DIR likeness model fetch ..."
    /// Left free for everything else on the disk.
    private static let reserveByteCount: UInt64 = 64 << 20

    /// - Throws: `ClientError` when the disk has no room for `byteCount` more bytes.
    func checkRoom(for byteCount: UInt64) throws {
        var disk = statvfs()
        // SAFETY: `fstatvfs` fills the value given, which lives for the call.
        guard unsafe fstatvfs(descriptor.rawValue, &disk) == 0 else { return }
        let (free, overflow) = UInt64(disk.f_bavail).multipliedReportingOverflow(by: UInt64(disk.f_frsize))
        guard overflow || free >= byteCount + Self.reserveByteCount else {
            throw ClientError.failed(
                "the download needs \(Text.bytes(byteCount)), but only \(Text.bytes(free)) are free on the disk of \(path)",
                fix: Self.otherFolder
            )
        }
    }

    /// Adds bytes to the end.
    func append(_ bytes: [UInt8]) throws {
        var written = 0
        while written < bytes.count {
            let offset = off_t(byteCount)
            let count = unsafe bytes.withUnsafeBytes { buffer in
                // SAFETY: the pointer and count name the rest of `bytes`, which outlives the call.
                unsafe pwrite(
                    descriptor.rawValue,
                    buffer.baseAddress?.advanced(by: written),
                    bytes.count - written,
                    offset
                )
            }
            if count >= 0 {
                written += count
                byteCount += UInt64(count)
            } else if errno != EINTR {
                throw ClientError.failed("cannot write \(path): \(SystemError.last("write").reason)")
            }
        }
    }

    /// Starts anew.
    func clear() throws {
        guard ftruncate(descriptor.rawValue, 0) == 0 else {
            throw ClientError.failed("cannot empty \(path): \(SystemError.last("truncate").reason)")
        }
        byteCount = 0
    }

    func remove() {
        // SAFETY: the path is a terminated string for the call.
        unsafe unlink(path)
    }

    /// - Throws: `ClientError` when it cannot be read.
    func digest(_ algorithm: FileDigest.Algorithm) throws -> FileDigest {
        do { return try FileDigest(of: descriptor, by: algorithm) } catch {
            throw ClientError.failed("cannot read \(path): \(error.reason)")
        }
    }
}
