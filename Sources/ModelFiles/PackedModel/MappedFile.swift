internal import Glibc
internal import Platform

/// A whole file mapped read-only; unmapped with the value.
///
/// The mapping survives a rename or removal of the file. Truncating a mapped file raises SIGBUS in whoever reads it, so
/// only files in the daemon's own state folder, replaced by rename, are mapped.
final class MappedFile: @unchecked Sendable {
    // `@unchecked`: the bytes are mapped PROT_READ and live as long as this object.
    let bytes: UnsafeRawBufferPointer

    /// Maps the file; an empty one gives no bytes.
    init(path: String) throws(SystemError) {
        let file = try OwnedDescriptor.open(path, O_RDONLY)
        var status = stat()
        try retrying("fstat \(path)") { fstat(file.rawValue, &status) }
        let byteCount = Int(status.st_size)
        guard byteCount > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let base = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, file.rawValue, 0), base != MAP_FAILED else {
            throw SystemError.last("map \(path)")
        }
        bytes = UnsafeRawBufferPointer(start: base, count: byteCount)
    }

    deinit {
        if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
    }
}
