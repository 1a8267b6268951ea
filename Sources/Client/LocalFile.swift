internal import Glibc
internal import Platform

/// Files that the caller names. They are opened here, as the caller, so the daemon never opens a path for a client.
enum LocalFile {
    private static let pieceByteCount = 1 << 20

    /// A whole file, pipe or standard input (`-`).
    ///
    /// - Throws: `ClientError` when it cannot be read, is empty, or holds more than `limit` bytes.
    static func read(_ path: String, limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try forEachPiece(of: path) { piece in
            bytes += piece
            guard bytes.count <= limit else {
                throw ClientError(.refused, kind: "too-large", "\(path) is larger than \(limit >> 20) MB")
            }
        }
        guard !bytes.isEmpty else { throw ClientError.failed("\(path == "-" ? "standard input" : path) is empty") }
        return bytes
    }

    /// Calls `body` with the file's bytes in pieces of up to 1 MiB.
    private static func forEachPiece(of path: String, _ body: ([UInt8]) throws -> Void) throws {
        let reader = try Reader(path)
        while true {
            let piece = try reader.next(pieceByteCount)
            if piece.isEmpty { return }
            try body(piece)
        }
    }

    /// An open file, read from its start to its end.
    final class Reader {
        private let path: String
        private let descriptor: OwnedDescriptor

        /// Opens a file, or standard input for `-`.
        ///
        /// - Throws: `ClientError` when it cannot be opened.
        init(_ path: String) throws {
            self.path = path
            do { descriptor = try Self.open(path) } catch {
                throw ClientError.failed("cannot read \(path): \(error.reason)")
            }
        }

        private static func open(_ path: String) throws(SystemError) -> OwnedDescriptor {
            guard path == "-" else { return try OwnedDescriptor.open(path, O_RDONLY) }
            // Standard input is read through a duplicate, because an owner closes what it owns.
            return OwnedDescriptor(owning: try retrying("duplicate standard input") { dup(STDIN_FILENO) })
        }

        /// What one `read` gives of the next `limit` bytes; nothing at the end.
        func next(_ limit: Int) throws -> [UInt8] {
            while true {
                var count = 0
                let piece = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
                    // SAFETY: `read` writes at most the buffer's count and returns how much it wrote.
                    count = unsafe Glibc.read(descriptor.rawValue, buffer.baseAddress, limit)
                    initialized = max(0, count)
                }
                if count >= 0 { return piece }
                guard errno == EINTR else {
                    throw ClientError.failed("cannot read \(path): \(SystemError.last("read").reason)")
                }
            }
        }
    }

    /// Bytes in the regular file at `path`.
    static func byteCount(of path: String) throws -> Int {
        var status = stat()
        // SAFETY: `stat` fills the value given, which lives for the call.
        guard unsafe stat(path, &status) == 0 else {
            throw ClientError.failed("cannot read \(path): \(SystemError.last("stat").reason)")
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ClientError.failed("\(path) is not a file") }
        return Int(status.st_size)
    }

    /// The digest of the file at `path`.
    static func digest(of path: String, by algorithm: FileDigest.Algorithm) throws -> FileDigest {
        do { return try FileDigest(of: OwnedDescriptor.open(path, O_RDONLY), by: algorithm) } catch {
            throw ClientError.failed("cannot read \(path): \(error.reason)")
        }
    }
}

extension SystemError {
    /// The kernel's reason alone.
    var reason: String {
        // SAFETY: strerror returns a string that stays until this thread's next call.
        unsafe String(cString: strerror(code))
    }
}
