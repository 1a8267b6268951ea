internal import CZlib

/// The directory of a zip archive (PKWARE APPNOTE.TXT 6.3) whose entries are stored uncompressed, with its 64-bit records.
///
/// The central directory at the end is the truth; local headers are only looked up for where the content begins. Strict:
/// entries are stored, neither encrypted nor split, have one name each, lie before the directory and do not overlap.
struct ZipArchive {
    /// An entry's content.
    struct Entry {
        /// Bytes of the file.
        let range: Range<Int>
        /// CRC-32.
        let checksum: UInt32
    }

    let bytes: WeightBytes
    private(set) var entries: [String: Entry] = [:]

    private static let localByteCount = 30
    private static let localSignature: UInt64 = 0x0403_4B50

    /// Reads the directory and checks where every entry lies.
    init(_ bytes: WeightBytes) throws(ModelFileError) {
        self.bytes = bytes
        let directory = try ZipDirectory(bytes)
        var end = 0
        for record in directory.records.sorted(by: { $0.localOffset < $1.localOffset }) {
            guard record.localOffset >= end else { throw fault(record.name, "overlaps another one") }
            let range = try contentRange(record, limit: directory.start)
            guard entries.updateValue(Entry(range: range, checksum: record.checksum), forKey: record.name) == nil
            else { throw fault(record.name, "is there twice") }
            end = range.upperBound
        }
    }

    /// A whole entry, if it is at most `limit` bytes and has its checksum.
    func content(_ name: String, limit: Int) throws(ModelFileError) -> [UInt8]? {
        guard let entry = entries[name] else { return nil }
        guard entry.range.count <= limit else { throw fault(name, "has \(entry.range.count) bytes") }
        let content = try bytes.read(entry.range)
        guard Self.checksum(content) == entry.checksum else { throw fault(name, "does not match its checksum") }
        return content
    }

    /// The CRC-32 of zip archives (ISO 3309), continued from that of what came before; 0 to begin.
    static func checksum(_ bytes: [UInt8], continuing previous: UInt32 = 0) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_z(UInt(previous), bytes, bytes.count))
    }

    private func fault(_ name: String, _ detail: String) -> ModelFileError {
        .malformedWeights(file: bytes.file, detail: "archive entry \(printable(name)) \(detail)")
    }

    private func contentRange(_ record: ZipDirectory.Record, limit: Int) throws(ModelFileError) -> Range<Int> {
        guard record.localOffset <= limit - Self.localByteCount else { throw fault(record.name, "lies outside") }
        var header = ByteCursor(bytes, record.localOffset..<limit)
        guard try header.integer(4) == Self.localSignature else { throw fault(record.name, "has no local header") }
        _ = try header.take(22)
        let nameByteCount = Int(try header.integer(2))
        let extraByteCount = Int(try header.integer(2))
        let name = try header.take(nameByteCount)
        guard name.elementsEqual(record.name.utf8) else { throw fault(record.name, "has two names") }
        _ = try header.take(extraByteCount)
        guard record.byteCount <= limit - header.position else { throw fault(record.name, "lies outside") }
        return header.position..<header.position + record.byteCount
    }
}

/// The central directory of a zip archive.
struct ZipDirectory {
    struct Record {
        let name: String
        let localOffset: Int
        /// Of the content.
        let byteCount: Int
        /// CRC-32 of the content.
        let checksum: UInt32
    }

    /// Where the directory begins; the entries lie before.
    let start: Int
    private(set) var records: [Record] = []

    private static let endByteCount = 22
    private static let byteLimit = 16 << 20
    private static let endSignature: UInt64 = 0x0605_4B50
    private static let locatorSignature: UInt64 = 0x0706_4B50
    private static let wideEndSignature: UInt64 = 0x0606_4B50
    private static let recordSignature: UInt64 = 0x0201_4B50

    /// Finds the directory from the end of the file and reads all of it.
    init(_ bytes: WeightBytes) throws(ModelFileError) {
        func fault(_ detail: String) -> ModelFileError {
            .malformedWeights(file: bytes.file, detail: "the archive's directory \(detail)")
        }
        let tailStart = max(0, bytes.count - Self.endByteCount - 0xFFFF)
        let tail = try bytes.read(tailStart..<bytes.count)
        guard let end = Self.findEnd(tail).map({ $0 + tailStart }) else { throw fault("is missing") }
        var cursor = ByteCursor(bytes, end + 4..<bytes.count)
        guard try cursor.integer(4) == 0 else { throw fault("says that the archive is split") }
        _ = try cursor.take(2)
        var count = try cursor.integer(2)
        var byteCount = try cursor.integer(4)
        var start = try cursor.integer(4)
        var limit = end
        if let wide = try Self.findWideEnd(bytes, before: end) {
            limit = wide
            cursor = ByteCursor(bytes, wide + 4..<end)
            _ = try cursor.take(28)
            count = try cursor.integer(8)
            byteCount = try cursor.integer(8)
            start = try cursor.integer(8)
        }
        guard byteCount <= UInt64(Self.byteLimit), start <= UInt64(limit), byteCount <= UInt64(limit) - start else {
            throw fault("of \(byteCount) bytes at \(start) does not fit")
        }
        self.start = Int(start)
        cursor = ByteCursor(bytes, self.start..<self.start + Int(byteCount))
        while cursor.position < cursor.end { records.append(try Self.record(&cursor)) }
        guard UInt64(records.count) == count else { throw fault("has \(records.count) entries instead of \(count)") }
    }

    /// The end record is the last one whose comment reaches exactly to the end of the file.
    private static func findEnd(_ tail: [UInt8]) -> Int? {
        guard tail.count >= endByteCount else { return nil }
        return (0...tail.count - endByteCount).last { position in
            tail[position] == 0x50 && tail[position + 1] == 0x4B && tail[position + 2] == 5 && tail[position + 3] == 6
                && position + endByteCount + Int(tail[position + 20]) + Int(tail[position + 21]) << 8 == tail.count
        }
    }

    /// Where the 64-bit end record is, if a locator stands before the end record.
    private static func findWideEnd(_ bytes: WeightBytes, before end: Int) throws(ModelFileError) -> Int? {
        guard end >= 20 else { return nil }
        var cursor = ByteCursor(bytes, end - 20..<end)
        guard try cursor.integer(4) == locatorSignature else { return nil }
        _ = try cursor.take(4)
        let offset = try cursor.integer(8)
        guard end >= 76, offset <= UInt64(end - 76) else { throw cursor.fault("the 64-bit end record lies outside") }
        cursor = ByteCursor(bytes, Int(offset)..<end)
        guard try cursor.integer(4) == wideEndSignature else { throw cursor.fault("the 64-bit end record is missing") }
        return Int(offset)
    }

    private static func record(_ cursor: inout ByteCursor) throws(ModelFileError) -> Record {
        guard try cursor.integer(4) == recordSignature else { throw cursor.fault("the archive's directory is damaged") }
        _ = try cursor.take(4)
        let flags = try cursor.integer(2)
        let method = try cursor.integer(2)
        _ = try cursor.take(4)
        let checksum = UInt32(truncatingIfNeeded: try cursor.integer(4))
        var packed = try cursor.integer(4)
        var unpacked = try cursor.integer(4)
        let nameByteCount = Int(try cursor.integer(2))
        let extraByteCount = Int(try cursor.integer(2))
        let commentByteCount = Int(try cursor.integer(2))
        _ = try cursor.take(8)
        var offset = try cursor.integer(4)
        guard let name = String(validating: try cursor.take(nameByteCount), as: UTF8.self), !name.isEmpty else {
            throw cursor.fault("the name of an archive entry is not UTF-8")
        }
        let extraEnd = cursor.position + extraByteCount
        var extra = ByteCursor(cursor.bytes, cursor.position..<min(extraEnd, cursor.end))
        _ = try cursor.take(extraByteCount)
        _ = try cursor.take(commentByteCount)
        guard flags & 1 == 0 else { throw cursor.fault("archive entry \(printable(name)) is encrypted") }
        guard method == 0 else { throw cursor.fault("archive entry \(printable(name)) is compressed") }
        // Extra field 1 has the 64-bit values of those fields that are full, in this order.
        while extra.end - extra.position >= 4, [packed, unpacked, offset].contains(0xFFFF_FFFF) {
            let kind = try extra.integer(2)
            let length = try extra.length(2)
            var field = ByteCursor(cursor.bytes, extra.position..<extra.position + length)
            extra.skip(to: extra.position + length)
            guard kind == 1 else { continue }
            if unpacked == 0xFFFF_FFFF { unpacked = try field.integer(8) }
            if packed == 0xFFFF_FFFF { packed = try field.integer(8) }
            if offset == 0xFFFF_FFFF { offset = try field.integer(8) }
            break
        }
        guard packed == unpacked, unpacked <= UInt64(cursor.bytes.count), offset <= UInt64(cursor.bytes.count) else {
            throw cursor.fault("archive entry \(printable(name)) of \(unpacked) bytes at \(offset) does not fit")
        }
        return Record(name: name, localOffset: Int(offset), byteCount: Int(unpacked), checksum: checksum)
    }
}
