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
        // One more than the size: room left over shows that the end was reached.
        var capacity = Int(status.st_size) + 1
        while true {
            let bytes = try read(upTo: capacity)
            guard bytes.count <= limit else {
                throw SystemError(code: EFBIG, operation: "read more than \(limit) bytes")
            }
            if bytes.count < capacity { return bytes }
            // It grew since fstat, or is of a kind that has no size, as those of /proc.
            capacity = max(4096, 2 * capacity)
        }
    }

    /// The first `capacity` bytes of the file, or all of them when it holds fewer.
    private func read(upTo capacity: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            do throws(SystemError) {
                while count < capacity {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                    let got = try retrying("read") { pread(rawValue, rest.baseAddress, rest.count, count) }
                    if got == 0 { return }
                    count += got
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }
}
