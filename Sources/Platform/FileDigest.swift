internal import CNettle
internal import Glibc

/// What a publisher says of a file's content: SHA-256, or MD5 where nothing better is published.
///
/// MD5 tells damage, and a file made by somebody else: nobody has found a second content for a given digest (RFC 6151).
package struct FileDigest: Hashable, Sendable, CustomStringConvertible {
    package enum Algorithm: String, Sendable {
        case sha256, md5

        var byteCount: Int { self == .sha256 ? 32 : 16 }
    }

    package let algorithm: Algorithm
    /// Lower-case hexadecimal.
    package let digits: String

    /// Takes hexadecimal digits; nil when they are not as many as the algorithm gives.
    package init?(_ algorithm: Algorithm, digits: String) {
        guard digits.utf8.count == 2 * algorithm.byteCount, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            return nil
        }
        self.algorithm = algorithm
        self.digits = digits.lowercased()
    }

    /// The better one of what is published; nil when neither is there or one is malformed.
    package init?(sha256: String?, md5: String?) {
        switch (sha256, md5) {
        case (let digits?, _): self.init(.sha256, digits: digits)
        case (nil, let digits?): self.init(.md5, digits: digits)
        case (nil, nil): return nil
        }
    }

    /// Digests an open file from its start to its end.
    ///
    /// - Parameters:
    ///   - file: readable; its position stays where it is.
    ///   - algorithm: which digest.
    /// - Throws: `SystemError` when it cannot be read.
    /// - Complexity: one read of the file, in pieces of 1 MiB.
    package init(of file: borrowing OwnedDescriptor, by algorithm: Algorithm) throws(SystemError) {
        self.algorithm = algorithm
        switch algorithm {
        case .sha256:
            var hash = SHA256()
            try Self.forEachPiece(of: file) { hash.update($0.bytes) }
            digits = hash.finish().description
        case .md5:
            var context = md5_ctx()
            nettle_md5_init(&context)
            try Self.forEachPiece(of: file) { piece in
                piece.withUnsafeBufferPointer { buffer in
                    guard let base = buffer.baseAddress else { return }
                    // SAFETY: nettle reads `count` bytes during the call only.
                    nettle_md5_update(&context, buffer.count, base)
                }
            }
            var bytes = [UInt8](repeating: 0, count: 16)
            nettle_md5_digest(&context, 16, &bytes)
            digits = bytes.hexadecimal
        }
    }

    /// Such as `sha256 bfe5...`.
    package var description: String { "\(algorithm.rawValue) \(digits)" }

    private static func forEachPiece(
        of file: borrowing OwnedDescriptor,
        _ body: (Span<UInt8>) -> Void
    ) throws(SystemError) {
        let number = file.rawValue
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset = 0
        while true {
            let count = try buffer.withUnsafeMutableBufferPointer { (piece) throws(SystemError) in
                // SAFETY: `pread` writes at most the buffer's count.
                try retrying("read") { pread(number, piece.baseAddress, piece.count, off_t(offset)) }
            }
            if count == 0 { return }
            body(buffer.span.extracting(0..<count))
            offset += count
        }
    }
}
