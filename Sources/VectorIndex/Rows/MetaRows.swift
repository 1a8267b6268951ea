internal import CIndexKernels
internal import Platform
internal import Storage

/// `meta` "cfg": what the store was made for. Never changes.
struct ConfigurationRow {
    static let key = "cfg"
    static let magic: UInt32 = 0x5853_494C  // "LISX"
    /// 1 had no codes in the store.
    static let version: UInt16 = 2

    let dimension: Int
    let version: UInt16

    init(dimension: Int) {
        self.dimension = dimension
        version = Self.version
    }

    init(_ row: RawSpan) throws(IndexError) {
        guard row.byteCount == 20, row.integer(at: 0, as: UInt32.self) == Self.magic,
            let version = row.integer(at: 4, as: UInt16.self), let dimension = row.integer(at: 6, as: UInt16.self)
        else { throw .damagedFormat(row: Self.key) }
        guard 1...Self.version ~= version else { throw .unsupportedVersion(Int(version)) }
        self.dimension = Int(dimension)
        self.version = version
    }

    func bytes(_ parameters: IndexParameters) -> [UInt8] {
        var row = RowWriter(capacity: 20)
        row.append(Self.magic)
        row.append(Self.version)
        row.append(UInt16(dimension))
        row.append(UInt8(0))  // metric: cosine
        row.append(UInt8(0))  // store: binary16
        row.append(UInt8(parameters.linkCount))
        row.append(UInt8(CINDEXKERNELS_BASE_LINKS))
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
        // Rows of 12 bytes are of the time before they had a checksum.
        guard
            row.byteCount == 12
                || row.byteCount == 16 && row.integer(at: 12) == CRC32C.checksum(row.extracting(0..<12)),
            let sequence = row.integer(at: 0, as: UInt64.self), let entry = row.integer(at: 8, as: UInt32.self),
            sequence < Self.sequenceLimit
        else { throw .damagedFormat(row: Self.key) }
        self.init(graphSequence: sequence, entry: entry == CINDEXKERNELS_NO_SLOT ? nil : Slot(rawValue: entry))
    }

    var bytes: [UInt8] {
        var row = RowWriter(capacity: 16)
        row.append(graphSequence)
        row.append(entry?.rawValue ?? CINDEXKERNELS_NO_SLOT)
        row.append(CRC32C.checksum(row.bytes.span.bytes))
        return row.bytes
    }
}

/// `meta` "codec": how vectors become codes.
enum QuantizerRow {
    static let key = "codec"

    private static let headerByteCount = 20

    static func bytes(_ quantizer: ScalarQuantizer) -> [UInt8] {
        let body = body(
            quantizer.pca,
            zeroPoint: quantizer.zeroPoint,
            scale: quantizer.scale,
            errorBound: quantizer.errorBound
        )
        var row = RowWriter(capacity: 4 + body.count)
        row.append(quantizer.tag)
        return row.bytes + body
    }

    /// CRC-32C of the row without itself.
    static func tag(_ pca: PrincipalComponents?, zeroPoint: Int32, scale: Float, errorBound: Float) -> UInt32 {
        CRC32C.checksum(body(pca, zeroPoint: zeroPoint, scale: scale, errorBound: errorBound).span.bytes)
    }

    /// nil when the row makes no sense; the quantizer is then trained anew.
    static func quantizer(_ row: RawSpan, dimension: Int) -> ScalarQuantizer? {
        guard row.byteCount >= headerByteCount, let tag = row.integer(at: 0, as: UInt32.self),
            tag == CRC32C.checksum(row.extracting(4..<row.byteCount)),
            let zeroPoint = row.integer(at: 4, as: UInt32.self), zeroPoint == 0 || zeroPoint == 128,
            let scale = row.integer(at: 8, as: UInt32.self).map(Float.init(bitPattern:)),
            let errorBound = row.integer(at: 12, as: UInt32.self).map(Float.init(bitPattern:)), errorBound >= 0,
            errorBound <= 2,
            let count = row.integer(at: 16, as: UInt32.self), count <= dimension
        else { return nil }
        // Unit vectors need no more than 1/127 and, with 1 in 10,000 components clipped, no less than about 1e-6.
        guard scale > 1e-8, scale < 1 else { return nil }
        var pca: PrincipalComponents?
        if count > 0 {
            let rest = row.extracting(headerByteCount..<row.byteCount)
            pca = PrincipalComponents(dimension: dimension, count: Int(count), row: rest)
            guard pca != nil else { return nil }
        } else if row.byteCount > headerByteCount {
            return nil
        }
        return ScalarQuantizer(
            dimension: dimension,
            pca: pca,
            zeroPoint: Int32(zeroPoint),
            scale: scale,
            errorBound: errorBound
        )
    }

    private static func body(_ pca: PrincipalComponents?, zeroPoint: Int32, scale: Float, errorBound: Float) -> [UInt8]
    {
        let values = pca.map { $0.dimension * $0.count } ?? 0
        var row = RowWriter(capacity: headerByteCount - 4 + 4 * values)
        row.append(UInt32(zeroPoint))
        row.append(scale)
        row.append(errorBound)
        row.append(UInt32(pca?.count ?? 0))
        for index in 0..<values { row.append(pca?.blocks[index] ?? 0) }
        return row.bytes
    }
}
