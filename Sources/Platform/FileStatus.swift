internal import CPlatform
internal import Glibc

/// What the kernel says of a file or directory; a symbolic link is never followed.
package struct FileStatus: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case regular, directory, symbolicLink, other }

    package var kind: Kind
    package var device: UInt64
    package var inode: UInt64
    /// Names of the file, wherever on its file system.
    package var linkCount: UInt64
    package var byteCount: UInt64
    /// Nanoseconds since 1970 of the last change to the bytes.
    package var modified: Int64
    /// Nanoseconds since 1970 of the last change to bytes, name or mode.
    package var changed: Int64

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            default: .other
            }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        linkCount = UInt64(status.st_nlink)
        byteCount = UInt64(max(0, status.st_size))
        modified = Self.nanoseconds(status.st_mtim)
        changed = Self.nanoseconds(status.st_ctim)
    }

    /// Saturates instead of trapping: a file may carry any time at all.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        let (product, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return time.tv_sec < 0 ? .min : .max }
        let (sum, overflowed) = product.addingReportingOverflow(Int64(time.tv_nsec))
        return overflowed ? .max : sum
    }
}

extension SystemError {
    /// The corresponding C constant is `ENOENT`.
    package static let absent = ENOENT
    /// The object is another one than it was; the corresponding C constant is `ESTALE`.
    package static let stale = ESTALE

    /// Whether the code says that no such file is there (any more): a component is missing, is no directory, or is a link.
    package var saysAbsent: Bool { code == ENOENT || code == ENOTDIR || code == ELOOP }

    /// Whether the code says that the path, or a name in it, is longer than any that is there. Of a name alone that means
    /// that no such file is there; a path may be too long for one call and name a file all the same.
    package var saysNameTooLong: Bool { code == ENAMETOOLONG }

    /// Whether the code says that what lies there is no directory.
    package var saysNoDirectory: Bool { code == ENOTDIR }

    /// Whether the code says that the system ran out of what was asked for: disk, watches, descriptors.
    package var saysExhausted: Bool { code == ENOSPC || code == EMFILE || code == ENFILE || code == ENOMEM }
}

extension OwnedDescriptor {
    /// Status of the open file itself; the corresponding C function is `fstat`.
    package func status() throws(SystemError) -> FileStatus {
        var status = stat()
        try retrying("fstat") { fstat(rawValue, &status) }
        return FileStatus(status)
    }

    /// Status of one entry of this directory; the corresponding C function is `fstatat` with `AT_SYMLINK_NOFOLLOW`.
    ///
    /// - Parameter name: one component, no `/`.
    /// - Returns: nil when there is no such entry.
    /// - Throws: `SystemError` when that cannot be told.
    package func status(ofEntry name: [UInt8]) throws(SystemError) -> FileStatus? {
        var status = stat()
        do throws(SystemError) {
            try retrying("fstatat") {
                RelativePath(bytes: name).withCString { fstatat(rawValue, $0, &status, AT_SYMLINK_NOFOLLOW) }
            }
        } catch {
            if error.saysAbsent { return nil }
            throw error
        }
        return FileStatus(status)
    }

    /// Status of what lies at `path` below this directory, reached through no symbolic link.
    ///
    /// - Returns: nil when nothing is there.
    package func status(beneath path: RelativePath) throws(SystemError) -> FileStatus? {
        do throws(SystemError) {
            return try openForLook(beneath: path).status()
        } catch {
            if error.saysAbsent { return nil }
            throw error
        }
    }

    /// Opens a directory below this one for listing, through no symbolic link.
    package func openDirectory(beneath path: RelativePath) throws(SystemError) -> OwnedDescriptor {
        try openBeneath(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    /// Opens what lies below this directory for a look and for watches only (`O_PATH`), through no symbolic link.
    package func openForLook(beneath path: RelativePath) throws(SystemError) -> OwnedDescriptor {
        let number = try retrying("look at \(path)") {
            path.withCString { CPlatform_open_path_beneath(rawValue, $0) }
        }
        return OwnedDescriptor(owning: number)
    }

    /// Opens a file below this one for reading, through no symbolic link, never waiting for a pipe's other end.
    package func openFile(beneath path: RelativePath) throws(SystemError) -> OwnedDescriptor {
        try openBeneath(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    }
}
