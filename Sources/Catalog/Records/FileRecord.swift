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

/// `file`: the ledger's rows as stored.
extension FileRow {
    private enum Kind: UInt8 { case indexed = 1, failed, excluded }

    static func name(_ key: FileKey) -> String { "file \(key.root.rawValue)/\(key.path)" }

    var isFailed: Bool {
        if case .failed = state { true } else { false }
    }

    var image: ImageID? {
        if case .indexed(let id) = state { id } else { nil }
    }

    var encoded: [UInt8] {
        var writer = RecordWriter()
        switch state {
        case .indexed: writer.append(Kind.indexed.rawValue)
        case .failed: writer.append(Kind.failed.rawValue)
        case .excluded: writer.append(Kind.excluded.rawValue)
        }
        writer.append(UInt8(content == nil ? 0 : 1))
        writer.append(stamp.device)
        writer.append(stamp.inode)
        writer.append(stamp.byteCount)
        writer.append(stamp.modified)
        writer.append(stamp.changed)
        if let content { writer.append(fixed: content.bytes) }
        writer.append(counted: key.path.bytes)
        switch state {
        case .indexed(let id): writer.append(id.rawValue)
        case .failed(let failure):
            writer.append(failure.attempts)
            writer.append(UInt8(failure.nextAttempt == nil ? 0 : 1))
            writer.append(failure.nextAttempt ?? 0)
            writer.append(counted: Array(failure.kind.utf8))
            writer.append(counted: Array(failure.message.utf8))
        case .excluded: break
        }
        return writer.finish(key: key.storedKey)
    }

    /// - Throws: `.corrupted`, also when the path is not the one that `storedKey` stands for.
    init(_ bytes: [UInt8], storedKey: [UInt8]) throws(CatalogFailure) {
        let shown = String(decoding: storedKey.dropFirst(4), as: UTF8.self)
        guard let root = FileKey.root(ofStoredKey: storedKey) else { throw .corrupted("file \(shown)", "short key") }
        var reader = try RecordReader(bytes, key: storedKey, name: "file \(root.rawValue)/\(shown)")
        guard let kind = Kind(rawValue: try reader.integer()) else { throw reader.damaged("state") }
        let hasContent = try reader.integer(UInt8.self) != 0
        stamp = FileStamp(
            device: try reader.integer(),
            inode: try reader.integer(),
            byteCount: try reader.integer(),
            modified: try reader.integer(),
            changed: try reader.integer()
        )
        content = hasContent ? try reader.digest() : nil
        key = FileKey(root: root, path: RelativePath(bytes: try reader.counted()))
        switch kind {
        case .indexed: state = .indexed(ImageID(rawValue: try reader.integer()))
        case .failed:
            let attempts = try reader.integer(UInt32.self)
            let hasNext = try reader.integer(UInt8.self) != 0
            let next = try reader.integer(Int64.self)
            let word = try reader.text()
            let message = try reader.text()
            state = .failed(
                FileFailure(kind: word, message: message, attempts: attempts, nextAttempt: hasNext ? next : nil)
            )
        case .excluded: state = .excluded
        }
        try reader.finish()
        guard key.storedKey == storedKey else { throw reader.damaged("path \(key.path)") }
    }
}
