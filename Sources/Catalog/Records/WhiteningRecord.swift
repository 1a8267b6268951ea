internal import LinearAlgebra
internal import Platform
internal import Storage

/// `catalog`/`whitening`: the map that this collection's vectors went through; absent when they did not.
enum WhiteningRecord {
    private static let key = Array("whitening".utf8)
    private static let name = "catalog whitening"
    private static let version: UInt16 = 1

    static func read(
        _ transaction: borrowing CatalogTransaction<some Transaction & ~Copyable>
    ) throws(CatalogFailure) -> Whitening? {
        let stored = try transaction.get(key, in: transaction.tables.catalog)
        guard let stored else { return nil }
        var reader = try RecordReader(stored, key: key, name: name)
        let found = try reader.integer(UInt16.self)
        guard found <= version else { throw .catalog(.newerFormat(found: Int(found), supported: Int(version))) }
        let dimension = Int(try reader.integer(UInt32.self))
        guard 1...4096 ~= dimension else { throw reader.damaged("dimension \(dimension)") }
        let sampleCount = Int(exactly: try reader.integer(UInt64.self)) ?? 0
        let digest = try reader.digest()
        let mean = floats(try reader.take(4 * dimension))
        let matrix = floats(try reader.take(4 * dimension * dimension))
        try reader.finish()
        guard let whitening = Whitening(mean: mean, matrix: matrix, sampleCount: sampleCount) else {
            throw reader.damaged("a value that is not finite")
        }
        guard whitening.digest == digest else { throw reader.damaged("digest") }
        return whitening
    }

    static func put(
        _ whitening: Whitening,
        _ transaction: borrowing CatalogWriteTransaction
    ) throws(CatalogFailure) {
        var writer = RecordWriter()
        writer.append(version)
        writer.append(UInt32(whitening.dimension))
        writer.append(UInt64(whitening.sampleCount))
        writer.append(fixed: whitening.digest.bytes)
        writer.append(fixed: bytes(whitening.mean))
        writer.append(fixed: bytes(whitening.matrix))
        let record = writer.finish(key: key)
        try transaction.put(key, record, in: transaction.tables.catalog)
    }

    private static func bytes(_ values: [Float]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * values.count)
        for value in values { bytes += value.bitPattern.littleEndianBytes }
        return bytes
    }

    private static func floats(_ bytes: [UInt8]) -> [Float] {
        bytes.withStorageBytes { span in
            (0..<bytes.count / 4).map { Float(bitPattern: span.integer(at: 4 * $0) ?? 0) }
        }
    }
}
