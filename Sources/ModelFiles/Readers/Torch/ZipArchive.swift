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
