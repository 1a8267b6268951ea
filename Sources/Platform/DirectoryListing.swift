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
}

/// The path without symbolic links, `.` and `..`; the corresponding C function is `realpath`.
package func resolvedPath(_ path: String) throws(SystemError) -> RelativePath {
    try resolvedPath(RelativePath(path))
}

/// The same for a path as bytes.
package func resolvedPath(_ path: RelativePath) throws(SystemError) -> RelativePath {
    guard let resolved = path.withCString({ realpath($0, nil) }) else { throw SystemError.last("resolve \(path)") }
    defer { free(resolved) }
    return RelativePath(bytes: Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved))))
}
