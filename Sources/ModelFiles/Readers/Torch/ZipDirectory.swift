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
