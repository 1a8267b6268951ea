internal import Platform
internal import Storage

/// How a file's root and path become an LMDB key of at most 511 bytes.
///
/// `root` as 4 big-endian bytes, then the path. A path that is too long, or holds a zero byte (no file's does), is cut
/// and ends with a zero byte and its SHA-256, so it can equal no other path's key. The row holds the whole path.
extension FileKey {
    private static let longestPath = Environment.maximumKeyByteCount - 4
    private static let cutPath = longestPath - 33

    /// The bytes that rows of one root share.
    static func prefix(of root: RootID) -> [UInt8] {
        stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: root.rawValue >> UInt32($0)) }
    }

    var storedKey: [UInt8] {
        let head = Self.prefix(of: root)
        let bytes = path.bytes
        if bytes.count <= Self.longestPath, !bytes.contains(0) { return head + bytes }
        let shown = bytes.prefix(Self.cutPath).prefix { $0 != 0 }
        return head + shown + [0] + SHA256Digest(of: bytes).bytes
    }

    /// The root of a stored key; nil when it is too short.
    static func root(ofStoredKey key: [UInt8]) -> RootID? {
        guard key.count >= 4 else { return nil }
        return RootID(rawValue: key.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }
}
