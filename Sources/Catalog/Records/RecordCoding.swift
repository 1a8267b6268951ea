internal import Platform
internal import Storage

/// Builds a stored record: little-endian fields behind a checksum of the record and its key.
struct RecordWriter {
    private var bytes: [UInt8] = [0, 0, 0, 0]

    mutating func append(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Bytes whose count the reader knows.
    mutating func append(fixed value: [UInt8]) { bytes += value }

    /// A `UInt32` count and that many bytes.
    mutating func append(counted value: [UInt8]) {
        append(UInt32(value.count))
        bytes += value
    }

    /// The record as stored under `key`.
    consuming func finish(key: [UInt8]) -> [UInt8] {
        let checksum = RecordReader.checksum(bytes, key)
        for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index))) }
        return bytes
    }
}

/// Takes a stored record apart; everything that does not fit throws `.corrupted` with the record's name.
struct RecordReader {
    private let bytes: [UInt8]
    private var offset = 4
    private let name: String

    /// - Parameters:
    ///   - bytes: the value.
    ///   - key: the key that it is stored under.
    ///   - name: how errors call it.
    /// - Throws: `.corrupted` when the checksum differs.
    init(_ bytes: [UInt8], key: [UInt8], name: String) throws(CatalogFailure) {
        self.bytes = bytes
        self.name = name
        guard bytes.count >= 4 else { throw .corrupted(name, "\(bytes.count) bytes") }
        guard bytes.withStorageBytes({ $0.integer(at: 0, as: UInt32.self) }) == Self.checksum(bytes, key) else {
            throw .corrupted(name, "checksum")
        }
    }

    static func checksum(_ bytes: [UInt8], _ key: [UInt8]) -> UInt32 {
        let body = bytes.withStorageBytes { CRC32C.checksum($0.extracting(4..<bytes.count)) }
        return key.withStorageBytes { CRC32C.checksum($0, continuing: body) }
    }

    mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self) throws(CatalogFailure) -> T {
        guard let value = bytes.withStorageBytes({ $0.integer(at: offset, as: T.self) }) else {
            throw .corrupted(name, "ends after \(bytes.count) bytes")
        }
        offset += MemoryLayout<T>.size
        return value
    }

    mutating func take(_ count: Int) throws(CatalogFailure) -> [UInt8] {
        guard count <= bytes.count - offset else { throw .corrupted(name, "ends after \(bytes.count) bytes") }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    mutating func counted() throws(CatalogFailure) -> [UInt8] { try take(Int(integer(UInt32.self))) }

    mutating func text() throws(CatalogFailure) -> String {
        guard let text = String(validating: try counted(), as: UTF8.self) else { throw .corrupted(name, "not UTF-8") }
        return text
    }

    /// Whether nothing is left.
    var isAtEnd: Bool { offset == bytes.count }

    /// The last step: nothing may be left.
    func finish() throws(CatalogFailure) {
        guard offset == bytes.count else { throw .corrupted(name, "\(bytes.count - offset) bytes too long") }
    }

    func damaged(_ detail: String) -> CatalogFailure { .corrupted(name, detail) }
}
