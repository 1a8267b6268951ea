internal import Platform
internal import Storage

/// A stored Roaring container, the value of a record of `field`: an array or a bitmap of the members in one range of positions.
///
/// A checksum, then up to 511 offsets as rising `u16`, or 1,024 bytes of bits; the length says which.
enum FieldContainer {
    private static let bitmapByteCount = ImagePosition.containerCapacity / 8
    private static let headerByteCount = 4

    /// Adds the members of a stored value to `words`, from `start` on.
    ///
    /// - Throws: `.corrupted` with the record's name.
    static func add(
        _ value: RawSpan,
        key: RawSpan,
        to words: inout [UInt64],
        at start: Int
    ) throws(CatalogFailure) {
        let byteCount = value.byteCount - headerByteCount
        guard byteCount > 0, byteCount <= bitmapByteCount, byteCount % 2 == 0,
            value.integer(at: 0, as: UInt32.self) == checksum(value.extracting(headerByteCount..<value.byteCount), key)
        else { throw .corrupted(FieldKey.name(key.copied), "checksum or length") }
        if byteCount == bitmapByteCount {
            for word in 0..<PositionSet.wordCount {
                words[start + word] |= value.integer(at: headerByteCount + 8 * word, as: UInt64.self) ?? 0
            }
            return
        }
        var highest: UInt16 = 0
        unsafe value.withUnsafeBytes { bytes in
            for at in stride(from: headerByteCount, to: bytes.count, by: 2) {
                // SAFETY: two bytes from `at` on lie within, since the count is even; every bit pattern is an integer.
                let offset = unsafe UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self))
                highest = max(highest, offset)
                let place = Int(offset) % ImagePosition.containerCapacity
                words[start + place / 64] |= 1 << UInt64(place % 64)
            }
        }
        guard highest < ImagePosition.containerCapacity else { throw .corrupted(FieldKey.name(key.copied), "offset") }
    }

    /// The stored value of a container's words; nil without members.
    static func encoded(_ words: [UInt64], key: [UInt8]) -> [UInt8]? {
        let count = words.reduce(0) { $0 + $1.nonzeroBitCount }
        guard count > 0 else { return nil }
        var writer = RecordWriter()
        if 2 * count >= bitmapByteCount {
            for word in words { writer.append(word) }
            return writer.finish(key: key)
        }
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                writer.append(UInt16(index * 64 + rest.trailingZeroBitCount))
                rest &= rest - 1
            }
        }
        return writer.finish(key: key)
    }

    private static func checksum(_ body: RawSpan, _ key: RawSpan) -> UInt32 {
        CRC32C.checksum(key, continuing: CRC32C.checksum(body))
    }
}
