internal import CPlatform
internal import Glibc

/// One entry of a directory as `readdir` tells it.
package struct DirectoryEntry: Hashable, Sendable {
    package var name: [UInt8]
    /// Nil where the file system leaves it to `lstat`.
    package var kind: FileStatus.Kind?
}

extension OwnedDescriptor {
    /// Calls `body` for each entry of this directory but `.` and `..`, in the file system's order.
    ///
    /// Entries that come or go meanwhile may be seen or not; the corresponding C function is `readdir`.
    ///
    /// - Parameter body: returns false to stop.
    /// - Throws: `SystemError` when the directory cannot be read (further).
    package func forEachEntry(_ body: (DirectoryEntry) -> Bool) throws(SystemError) {
        // A descriptor of its own, so that the position in the directory is not shared.
        let number = try retrying("open directory") {
            Glibc.openat(rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        guard let stream = fdopendir(number) else {
            let error = SystemError.last("fdopendir")
            Glibc.close(number)
            throw error
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw SystemError.last("readdir") }
                return
            }
            // SAFETY: `d_name` ends in zero and stays valid until the next `readdir` on this stream.
            let name = UnsafeRawPointer(entry).advanced(by: MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
            let bytes = UnsafeRawBufferPointer(start: name, count: strlen(name.assumingMemoryBound(to: CChar.self)))
            if bytes.elementsEqual(".".utf8) || bytes.elementsEqual("..".utf8) { continue }
            if !body(DirectoryEntry(name: Array(bytes), kind: Self.kind(entry.pointee.d_type))) { return }
        }
    }

    private static func kind(_ type: UInt8) -> FileStatus.Kind? {
        switch Int(type) {
        case Int(DT_REG): .regular
        case Int(DT_DIR): .directory
        case Int(DT_LNK): .symbolicLink
        case Int(DT_UNKNOWN): nil
        default: .other
        }
    }

    /// Whether this file lies where other machines or programs change files without a word to this kernel: NFS, SMB, 9P, Ceph, AFS, FUSE.
    package var isOnNetworkFileSystem: Bool {
        var type: UInt32 = 0
        return CPlatform_file_system_type(rawValue, &type) == 0 && Self.networkTypes.contains(type)
    }

    /// `f_type` of nfs, smb, cifs, smb2, 9p, ceph, afs (two), coda and fuse, as `statfs(2)` lists them.
    private static let networkTypes: Set<UInt32> = [
        0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x0102_1997, 0x00C3_6400, 0x5346_414F, 0x6B41_4653, 0x7375_7245,
        0x6573_5546,
    ]
}

/// The path without symbolic links, `.` and `..`; the corresponding C function is `realpath`.
package func resolvedPath(_ path: String) throws(SystemError) -> RelativePath {
    guard let resolved = realpath(path, nil) else { throw SystemError.last("resolve \(path)") }
    defer { free(resolved) }
    return RelativePath(bytes: Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved))))
}
