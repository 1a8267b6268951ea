internal import Platform
internal import VectorIndex

/// `img`: an image as stored.
struct ImageRow {
    var slot: Slot
    /// The change that wrote the row last.
    var sequence: UInt64
    var image: ImageRecord

    static func key(_ id: ImageID) -> [UInt8] { id.rawValue.littleEndianBytes }
    static func name(_ id: ImageID) -> String { "image \(id)" }

    var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.append(slot.rawValue)
        writer.append(sequence)
        writer.append(fixed: image.content.bytes)
        writer.append(image.width)
        writer.append(image.height)
        writer.append(image.byteCount)
        writer.append(image.modified)
        writer.append(image.added)
        writer.append(image.key.root.rawValue)
        writer.append(counted: Array(image.format.utf8))
        writer.append(counted: image.key.path.bytes)
        writer.append(counted: image.document)
        return writer.finish(key: Self.key(image.id))
    }

    init(slot: Slot, sequence: UInt64, image: ImageRecord) {
        self.slot = slot
        self.sequence = sequence
        self.image = image
    }

    init(_ bytes: [UInt8], id: ImageID) throws(CatalogFailure) {
        var reader = try RecordReader(bytes, key: Self.key(id), name: Self.name(id))
        slot = Slot(rawValue: try reader.integer())
        sequence = try reader.integer()
        let content = try reader.digest()
        let width = try reader.integer(UInt32.self)
        let height = try reader.integer(UInt32.self)
        let byteCount = try reader.integer(UInt64.self)
        let modified = try reader.integer(Int64.self)
        let added = try reader.integer(Int64.self)
        let root = RootID(rawValue: try reader.integer())
        let format = try reader.text()
        let path = RelativePath(bytes: try reader.counted())
        let document = try reader.counted()
        try reader.finish()
        image = ImageRecord(
            id: id,
            key: FileKey(root: root, path: path),
            content: content,
            format: format,
            width: width,
            height: height,
            byteCount: byteCount,
            modified: modified,
            added: added,
            document: document
        )
    }
}

/// `content`: what is known of some bytes, wherever they lie.
struct ContentRow {
    var slot: Slot
    /// Images with these bytes; the row goes with the last.
    var imageCount: UInt64
    var width: UInt32
    var height: UInt32
    var format: String

    static func name(_ content: SHA256Digest) -> String { "content \(content)" }

    func encoded(_ content: SHA256Digest) -> [UInt8] {
        var writer = RecordWriter()
        writer.append(slot.rawValue)
        writer.append(imageCount)
        writer.append(width)
        writer.append(height)
        writer.append(counted: Array(format.utf8))
        return writer.finish(key: content.bytes)
    }

    init(slot: Slot, imageCount: UInt64, width: UInt32, height: UInt32, format: String) {
        self.slot = slot
        self.imageCount = imageCount
        self.width = width
        self.height = height
        self.format = format
    }

    init(_ bytes: [UInt8], content: SHA256Digest) throws(CatalogFailure) {
        var reader = try RecordReader(bytes, key: content.bytes, name: Self.name(content))
        slot = Slot(rawValue: try reader.integer())
        imageCount = try reader.integer()
        width = try reader.integer()
        height = try reader.integer()
        format = try reader.text()
        try reader.finish()
    }
}

/// `root`: a watched folder, or one whose rows are being removed.
struct RootRow {
    var isRemoved: Bool
    var path: RelativePath
    /// Nil in rows before version 4, and before the first comparison.
    var identity: RootIdentity?

    static func key(_ id: RootID) -> [UInt8] { id.rawValue.littleEndianBytes }

    func encoded(_ id: RootID) -> [UInt8] {
        var writer = RecordWriter()
        writer.append(UInt8(isRemoved ? 1 : 0))
        writer.append(counted: path.bytes)
        if let identity {
            writer.append(identity.inode)
            writer.append(identity.born)
            writer.append(identity.fileSystem)
        }
        return writer.finish(key: Self.key(id))
    }

    func record(_ id: RootID) -> RootRecord { RootRecord(id: id, path: path, identity: identity) }

    init(isRemoved: Bool, path: RelativePath) {
        self.isRemoved = isRemoved
        self.path = path
    }

    init(_ bytes: [UInt8], id: RootID) throws(CatalogFailure) {
        var reader = try RecordReader(bytes, key: Self.key(id), name: "root \(id.rawValue)")
        switch try reader.integer(UInt8.self) {
        case 0: isRemoved = false
        case 1: isRemoved = true
        case let other: throw reader.damaged("state \(other)")
        }
        path = RelativePath(bytes: try reader.counted())
        if !reader.isAtEnd {
            identity = RootIdentity(
                inode: try reader.integer(),
                born: try reader.integer(),
                fileSystem: try reader.integer()
            )
        }
        try reader.finish()
    }
}

extension RecordReader {
    mutating func digest() throws(CatalogFailure) -> SHA256Digest {
        guard let digest = SHA256Digest(bytes: try take(32)) else { throw damaged("digest") }
        return digest
    }
}

extension FixedWidthInteger {
    var littleEndianBytes: [UInt8] {
        stride(from: 0, to: bitWidth, by: 8).map { UInt8(truncatingIfNeeded: self >> $0) }
    }
}
