internal import CKernels
internal import Storage

/// `meta` "cfg": what the store was made for. Never changes.
struct ConfigurationRow {
    static let key = "cfg"
    static let magic: UInt32 = 0x5853_494C  // "LISX"
    static let version: UInt16 = 1

    let dimension: Int

    init(dimension: Int) { self.dimension = dimension }

    init(_ row: RawSpan) throws(IndexError) {
        guard row.byteCount == 20, row.integer(at: 0, as: UInt32.self) == Self.magic,
            let version = row.integer(at: 4, as: UInt16.self), let dimension = row.integer(at: 6, as: UInt16.self)
        else { throw .damagedFormat(row: Self.key) }
        guard version == Self.version else { throw .unsupportedVersion(Int(version)) }
        self.dimension = Int(dimension)
    }

    func bytes(_ parameters: IndexParameters) -> [UInt8] {
        var row = RowWriter(capacity: 20)
        row.append(Self.magic)
        row.append(Self.version)
        row.append(UInt16(dimension))
        row.append(UInt8(0))  // metric: cosine
        row.append(UInt8(0))  // store: binary16
        row.append(UInt8(parameters.linkCount))
        row.append(UInt8(CKERNELS_BASE_LINKS))
        row.append(UInt16(parameters.efConstruction))
        row.append(UInt16(0))
        row.append(Float(1))  // alpha of the diversity heuristic
        return row.bytes
    }
}

/// `meta` "state": how far the stored links go.
struct StateRow: Hashable {
    static let key = "state"

    /// No store gets here; above it, counting on would overflow.
    static let sequenceLimit = UInt64(Int64.max)

    /// Links reflect every operation up to this one.
    var graphSequence: UInt64
    var entry: Slot?

    init(graphSequence: UInt64, entry: Slot?) {
        self.graphSequence = graphSequence
        self.entry = entry
    }

    init(_ row: RawSpan) throws(IndexError) {
        guard row.byteCount == 12, let sequence = row.integer(at: 0, as: UInt64.self),
            let entry = row.integer(at: 8, as: UInt32.self), sequence < Self.sequenceLimit
        else { throw .damagedFormat(row: Self.key) }
        self.init(graphSequence: sequence, entry: entry == CKERNELS_NO_SLOT ? nil : Slot(rawValue: entry))
    }

    var bytes: [UInt8] {
        var row = RowWriter(capacity: 12)
        row.append(graphSequence)
        row.append(entry?.rawValue ?? CKERNELS_NO_SLOT)
        return row.bytes
    }
}

/// `meta` "codec": the range of the codes, so that opening need not learn it again.
enum CodecRow {
    static let key = "codec"

    static func bytes(_ codec: VectorCodec) -> [UInt8] {
        var row = RowWriter(capacity: 8)
        row.append(UInt32(codec.zero))
        row.append(codec.step)
        return row.bytes
    }

    /// nil when the row makes no sense; the range is then learnt anew.
    static func codec(_ row: RawSpan, dimension: Int) -> VectorCodec? {
        guard row.byteCount == 8, let zero = row.integer(at: 0, as: UInt32.self),
            let bits = row.integer(at: 4, as: UInt32.self), zero == 0 || zero == 128
        else { return nil }
        let step = Float(bitPattern: bits)
        // Unit vectors need no more than 1/127 and, with 1 in 10,000 components clipped, no less than about 1e-6.
        guard step > 1e-8, step < 1 else { return nil }
        return VectorCodec(dimension: dimension, zero: Int32(zero), step: step)
    }
}
