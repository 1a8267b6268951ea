internal import CIndexKernels
internal import Platform
internal import Storage

/// The rows of the stored format, byte by byte (README): little-endian, every length checked on reading.

/// Appends and reads fixed-width little-endian integers.
struct RowWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ value: Float) { append(value.bitPattern) }
}

/// `vec`: the vector of a slot.
enum VectorRow {
    static let headerByteCount = 16

    /// The row of a vector given as binary16 bytes. The checksum covers everything behind itself.
    static func bytes(_ halves: [UInt8], slot: Slot, hash: UInt64) -> [UInt8] {
        var body = RowWriter(capacity: headerByteCount + halves.count)
        body.append(UInt8(slot.level))
        body.append(UInt8(0))
        body.append(UInt16(0))
        body.append(hash)
        let rest = body.bytes + halves
        var row = RowWriter(capacity: 4)
        row.append(CRC32C.checksum(rest.span.bytes))
        return row.bytes + rest
    }

    /// Whether `row` is complete and carries its checksum.
    static func isIntact(_ row: RawSpan, dimension: Int) -> Bool {
        hasLength(row, dimension: dimension)
            && row.integer(at: 0) == CRC32C.checksum(row.extracting(4..<row.byteCount))
    }

    static func hasLength(_ row: RawSpan, dimension: Int) -> Bool {
        row.byteCount == headerByteCount + 2 * dimension
    }

    static func hash(_ row: RawSpan) -> UInt64 { row.integer(at: 8) ?? 0 }

    /// Runs `body` on the binary16 bytes of a row of the right length.
    static func withHalves<R>(_ row: RawSpan, _ body: (UnsafeRawPointer) -> R) -> R {
        row.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { preconditionFailure("an empty vector row") }
            return body(base + headerByteCount)
        }
    }
}

/// `code`: the code of a slot, so that opening need not read and encode its vector.
enum CodeRow {
    static let headerByteCount = 24

    /// The row of `count` bytes of code. The checksum covers everything behind itself, then the key.
    static func bytes(
        _ code: UnsafePointer<UInt8>,
        count: Int,
        _ loss: QuantizationError,
        slot: Slot,
        hash: UInt64,
        tag: UInt32
    ) -> [UInt8] {
        var body = RowWriter(capacity: headerByteCount + count)
        body.append(tag)
        body.append(hash)
        body.append(loss.rounding)
        body.append(loss.tail)
        let rest = body.bytes + UnsafeBufferPointer(start: code, count: count)
        var row = RowWriter(capacity: 4)
        row.append(checksum(rest.span.bytes, slot))
        return row.bytes + rest
    }

    /// What a row says, when it is intact and of the quantizer with this tag and number of components.
    static func read(_ row: RawSpan, slot: Slot, quantizer: ScalarQuantizer) -> (loss: QuantizationError, hash: UInt64)?
    {
        guard row.byteCount == headerByteCount + quantizer.componentCount, row.integer(at: 4) == quantizer.tag,
            row.integer(at: 0) == checksum(row.extracting(4..<row.byteCount), slot),
            let hash = row.integer(at: 8, as: UInt64.self), let rounding = row.integer(at: 16, as: UInt32.self),
            let tail = row.integer(at: 20, as: UInt32.self)
        else { return nil }
        return (QuantizationError(rounding: Float(bitPattern: rounding), tail: Float(bitPattern: tail)), hash)
    }

    /// Whether a row carries its checksum, whatever its quantizer.
    static func isIntact(_ row: RawSpan, _ slot: Slot) -> Bool {
        row.byteCount > headerByteCount && row.integer(at: 0) == checksum(row.extracting(4..<row.byteCount), slot)
    }

    private static func checksum(_ rest: RawSpan, _ slot: Slot) -> UInt32 {
        let key = slot.rawValue.littleEndian
        return withUnsafeBytes(of: key) { CRC32C.checksum($0.bytes, continuing: CRC32C.checksum(rest)) }
    }
}

/// `adj0` and `adjU`: the links of a slot at a level.
enum LinkRow {
    static func capacity(level: Int) -> Int { Int(level == 0 ? CINDEXKERNELS_BASE_LINKS : CINDEXKERNELS_UPPER_LINKS) }

    static func bytes(_ links: [UInt32], _ slot: Slot, level: Int) -> [UInt8] {
        let capacity = capacity(level: level)
        var body = RowWriter(capacity: 4 * capacity)
        for index in 0..<capacity { body.append(index < links.count ? links[index] : CINDEXKERNELS_NO_SLOT) }
        var row = RowWriter(capacity: 4)
        row.append(UInt8(links.count))
        row.append(UInt8(0))
        row.append(checksum(row.bytes.span.bytes, body.bytes.span.bytes, slot, level: level))
        return row.bytes + body.bytes
    }

    /// Whether a row of the right length carries its checksum; 0 says nothing, as in rows from before there was one.
    static func isIntact(_ row: RawSpan, _ slot: Slot, level: Int) -> Bool {
        guard row.byteCount > 4, let stored = row.integer(at: 2, as: UInt16.self) else { return false }
        return stored == 0
            || stored == checksum(row.extracting(0..<2), row.extracting(4..<row.byteCount), slot, level: level)
    }

    /// The lower half of CRC-32C of the head without the checksum, the links, and slot and level. It finds every change
    /// of one byte, as a test shows, and 65,535 of 65,536 others: enough for hints, of which no search depends on one.
    private static func checksum(_ head: RawSpan, _ links: RawSpan, _ slot: Slot, level: Int) -> UInt16 {
        var key = RowWriter(capacity: 8)
        key.append(upperKey(slot, level: level))
        let body = CRC32C.checksum(links, continuing: CRC32C.checksum(head))
        return UInt16(truncatingIfNeeded: CRC32C.checksum(key.bytes.span.bytes, continuing: body))
    }

    /// The links, or nil when the row is malformed.
    static func links(_ row: RawSpan, level: Int) -> [UInt32]? {
        let capacity = capacity(level: level)
        guard row.byteCount == 4 + 4 * capacity, let count = row.integer(at: 0, as: UInt8.self), count <= capacity
        else { return nil }
        return (0..<Int(count)).compactMap { row.integer(at: 4 + 4 * $0) }
    }

    static func upperKey(_ slot: Slot, level: Int) -> UInt64 { UInt64(level) << 32 | UInt64(slot.rawValue) }
}

/// `ops`: what happened to which slot since the links were last written.
struct OperationRow {
    enum Kind: UInt8 {
        case add = 1
        case remove = 2
    }

    let kind: Kind
    let slot: Slot

    init(_ kind: Kind, _ slot: Slot) {
        self.kind = kind
        self.slot = slot
    }

    init?(_ row: RawSpan) {
        guard row.byteCount == 9, let kind = row.integer(at: 0, as: UInt8.self).flatMap(Kind.init(rawValue:)),
            let slot = row.integer(at: 1, as: UInt32.self),
            row.integer(at: 5) == CRC32C.checksum(row.extracting(0..<5))
        else { return nil }
        self.init(kind, Slot(rawValue: slot))
    }

    var bytes: [UInt8] {
        var row = RowWriter(capacity: 9)
        row.append(kind.rawValue)
        row.append(slot.rawValue)
        row.append(CRC32C.checksum(row.bytes.span.bytes))
        return row.bytes
    }
}
