internal import Glibc

/// Writes a file so that a reader, and a restart after power loss, finds the old content or the new, never a part.
package enum DurableFile {
    /// Writes `<path>.tmp`, syncs it, renames it over `path` and syncs the folder.
    ///
    /// - Parameters:
    ///   - path: the final name.
    ///   - body: is called once with a function that appends bytes.
    /// - Throws: `SystemError`, or what `body` throws; nothing is left at `<path>.tmp` then.
    package static func replace(
        _ path: String,
        _ body: (_ append: (RawSpan) throws -> Void) throws -> Void
    ) throws {
        let temporary = path + ".tmp"
        do {
            let file = try OwnedDescriptor.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
            let number = file.rawValue
            try body { bytes in try append(bytes, to: number, temporary) }
            try retrying("fsync \(temporary)") { fsync(number) }
            try retrying("rename \(temporary)") { rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw error
        }
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let folder = try OwnedDescriptor.open(parent, O_RDONLY | O_DIRECTORY)
        let number = folder.rawValue
        try retrying("fsync \(parent)") { fsync(number) }
    }

    /// The same for content that is in memory already.
    package static func replace(_ path: String, with bytes: [UInt8]) throws {
        try replace(path) { append in try append(bytes.span.bytes) }
    }

    private static func append(_ bytes: RawSpan, to number: Int32, _ path: String) throws(SystemError) {
        try bytes.withUnsafeBytes { (buffer) throws(SystemError) in
            var rest = buffer[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let written = try retrying("write \(path)") { write(number, part.baseAddress, part.count) }
                rest = rest.dropFirst(written)
            }
        }
    }
}
