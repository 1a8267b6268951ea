internal import Platform
internal import Storage

/// `event`: an entry of the change feed as stored, at its sequence number, a `u64` in native byte order.
///
/// After the checksum of 4 bytes there are two layouts, which the first byte tells apart. All numbers are little-endian.
///
/// | layout | bytes |
/// | --- | --- |
/// | 2, written since format 3 | 0x82 `u8`, operation `u8`, image id `u64`, time `i64`: 18 bytes |
/// | 1, of formats 1 and 2 | operation `u8` (1 to 5), slot `u32`, image id `u64`: 13 bytes |
///
/// Rows of layout 1 stay as they are until they are trimmed.
enum EventRow {
    private static let layout: UInt8 = 0x82

    static func name(_ sequence: UInt64) -> String { "event \(sequence)" }

    static func encoded(_ event: ChangeEvent) -> [UInt8] {
        var writer = RecordWriter()
        writer.append(layout)
        writer.append(event.operation.rawValue)
        writer.append(event.image.rawValue)
        writer.append(event.time ?? 0)
        return writer.finish(key: event.sequence.littleEndianBytes)
    }

    /// - Throws: `.corrupted` with the name of the row.
    static func decoded(_ bytes: [UInt8], _ sequence: UInt64) throws(CatalogFailure) -> ChangeEvent {
        var reader = try RecordReader(bytes, key: sequence.littleEndianBytes, name: name(sequence))
        let first = try reader.integer(UInt8.self)
        let isTimed = first == layout
        let code = try isTimed ? reader.integer(UInt8.self) : first
        guard let operation = ChangeEvent.Operation(rawValue: code) else { throw reader.damaged("operation \(code)") }
        if !isTimed { _ = try reader.integer(UInt32.self) }
        let image = ImageID(rawValue: try reader.integer())
        let time: Int64? = try isTimed ? reader.integer(Int64.self) : nil
        try reader.finish()
        return ChangeEvent(sequence: sequence, operation: operation, image: image, time: time)
    }
}

/// `consumer`: the place of a named reader of the change feed, at its name in UTF-8, 1 to 128 bytes.
///
/// After the checksum of 4 bytes: layout `u8` = 1, the sequence number acknowledged `u64`, the time of the last acknowledgement `i64`.
struct ConsumerRow {
    private static let layout: UInt8 = 1
    static let longestName = 128
    /// Each commit looks at all of them.
    static let maximumCount = 64

    var acknowledged: UInt64
    /// Nanoseconds since 1970.
    var time: Int64

    static func name(_ key: [UInt8]) -> String { "consumer \(String(decoding: key, as: UTF8.self))" }

    func encoded(_ key: [UInt8]) -> [UInt8] {
        var writer = RecordWriter()
        writer.append(Self.layout)
        writer.append(acknowledged)
        writer.append(time)
        return writer.finish(key: key)
    }

    init(acknowledged: UInt64, time: Int64) {
        self.acknowledged = acknowledged
        self.time = time
    }

    /// - Throws: `.corrupted` with the name of the row.
    init(_ bytes: [UInt8], key: [UInt8]) throws(CatalogFailure) {
        var reader = try RecordReader(bytes, key: key, name: Self.name(key))
        let layout = try reader.integer(UInt8.self)
        guard layout == Self.layout else { throw reader.damaged("layout \(layout)") }
        acknowledged = try reader.integer()
        time = try reader.integer()
        try reader.finish()
    }
}

extension CatalogTransaction where Base: ~Copyable {
    /// The oldest entry of the feed that is still there; nil when there is none.
    ///
    /// - Complexity: O(log n)
    func firstEvent() throws(CatalogFailure) -> UInt64? {
        var first: UInt64?
        try scan(tables.events) { (key, _) throws(CatalogFailure) in
            guard let number = key.integer(at: 0, as: UInt64.self) else { throw .corrupted("event", "short key") }
            first = number
            return false
        }
        return first
    }

    /// All consumers of the feed, in byte order of their names.
    func consumers() throws(CatalogFailure) -> [(name: String, row: ConsumerRow)] {
        var found: [(String, ConsumerRow)] = []
        try scan(tables.consumers) { (key, value) throws(CatalogFailure) in
            let key = key.copied
            found.append((String(decoding: key, as: UTF8.self), try ConsumerRow(value.copied, key: key)))
            return true
        }
        return found
    }

    func consumer(_ name: String) throws(CatalogFailure) -> ConsumerRow? {
        let key = Array(name.utf8)
        guard let bytes = try get(key, in: tables.consumers) else { return nil }
        return try ConsumerRow(bytes, key: key)
    }

    /// A consumer as callers see it: whether it was cut off follows from where the feed begins.
    func record(of name: String, _ row: ConsumerRow) throws(CatalogFailure) -> FeedConsumer {
        let first = try firstEvent()
        let end = try CatalogState(self).sequence
        let isCutOff = row.acknowledged < (first ?? end &+ 1) &- 1
        return FeedConsumer(name: name, acknowledged: row.acknowledged, isCutOff: isCutOff)
    }
}
