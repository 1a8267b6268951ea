internal import CPlatform
internal import Glibc

/// A file descriptor with one owner; closed when the owner goes.
package struct OwnedDescriptor: ~Copyable, Sendable {
    /// The number itself, valid as long as this owner lives.
    package let rawValue: Int32

    /// Takes over `rawValue`; nobody else may close it.
    package init(owning rawValue: Int32) { self.rawValue = rawValue }

    deinit { _ = Glibc.close(rawValue) }

    /// Opens a file or directory by path; the corresponding C function is `open`.
    package static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0o600) throws(SystemError)
        -> OwnedDescriptor
    {
        OwnedDescriptor(
            owning: try retrying("open \(path)") { Glibc.open(path, flags | O_CLOEXEC, mode) }
        )
    }

    /// Opens `path` below this directory, never above it and through no symbolic link. Read only unless `flags` say more.
    package func openBeneath(_ path: RelativePath, _ flags: Int32 = O_RDONLY) throws(SystemError) -> OwnedDescriptor {
        let number = try retrying("open \(path)") {
            path.withCString { CPlatform_open_beneath(rawValue, $0, flags) }
        }
        return OwnedDescriptor(owning: number)
    }

    /// Reads the whole file from its start, or throws `EFBIG` when it holds more than `limit` bytes.
    package func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        var status = stat()
        try retrying("fstat") { fstat(rawValue, &status) }
        guard status.st_size <= limit else { throw SystemError(code: EFBIG, operation: "read \(status.st_size) bytes") }
        var bytes: [UInt8] = []
        // One more than the size shows a file that grew since fstat.
        var capacity = Int(status.st_size) + 1
        while true {
            let start = bytes.count
            var failure: SystemError?
            var got = 0
            bytes.append(contentsOf: repeatElement(0, count: capacity))
            bytes.withUnsafeMutableBytes { buffer in
                do throws(SystemError) {
                    let target = UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
                    got = try retrying("read") { pread(rawValue, target.baseAddress, target.count, start) }
                } catch { failure = error }
            }
            if let failure { throw failure }
            bytes.removeLast(capacity - got)
            if got == 0 { return bytes }
            guard bytes.count <= limit else {
                throw SystemError(code: EFBIG, operation: "read more than \(limit) bytes")
            }
            capacity = max(65_536, capacity - got)
        }
    }
}
