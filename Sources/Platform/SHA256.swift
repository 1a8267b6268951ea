internal import CNettle

/// A SHA-256 digest (FIPS 180-4): the name of a content, of weights, of a setting.
package struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    package let bytes: [UInt8]

    /// Takes 32 raw bytes; nil for any other count.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// Takes 64 hexadecimal digits; nil for anything else.
    package init?(hexadecimal text: String) {
        let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 64, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        self.bytes = bytes
    }

    /// Of nettle, which computes the digests, as loaded.
    package static var libraryVersion: String { "\(nettle_version_major()).\(nettle_version_minor())" }

    /// Digests a whole buffer.
    package init(of data: RawSpan) {
        var hash = SHA256()
        hash.update(data)
        self = hash.finish()
    }

    /// Digests a whole array.
    package init(of data: [UInt8]) { self.init(of: data.span.bytes) }

    fileprivate init(trusted bytes: [UInt8]) { self.bytes = bytes }

    /// 64 lower-case hexadecimal digits.
    package var description: String { bytes.hexadecimal }
}

/// SHA-256 in pieces, by nettle (which libmicrohttpd's TLS brings along on every machine that runs the daemon).
package struct SHA256: ~Copyable {
    private var context = sha256_ctx()

    package init() { nettle_sha256_init(&context) }

    /// Adds the next bytes.
    package mutating func update(_ data: RawSpan) {
        data.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            // SAFETY: nettle reads `count` bytes during the call only.
            nettle_sha256_update(&context, buffer.count, base.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// Adds the next bytes.
    package mutating func update(_ data: [UInt8]) { update(data.span.bytes) }

    /// The digest of everything added.
    package consuming func finish() -> SHA256Digest {
        var bytes = [UInt8](repeating: 0, count: 32)
        nettle_sha256_digest(&context, 32, &bytes)
        return SHA256Digest(trusted: bytes)
    }
}
