internal import LinearAlgebra
internal import Platform
internal import Storage
internal import VectorIndex

/// `catalog`/`whitening`: the map that this collection's vectors went through; absent when they did not.
enum WhiteningRecord {
    private static let key = Array("whitening".utf8)
    private static let name = "catalog whitening"
    private static let version: UInt16 = 1

    static func read(
        _ tables: CatalogTables,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(CatalogFailure) -> Whitening? {
        let stored = try storing { () throws(StorageError) in try transaction.get(key, in: tables.catalog) }
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
        _ tables: CatalogTables,
        _ transaction: borrowing WriteTransaction
    ) throws(CatalogFailure) {
        var writer = RecordWriter()
        writer.append(version)
        writer.append(UInt32(whitening.dimension))
        writer.append(UInt64(whitening.sampleCount))
        writer.append(fixed: whitening.digest.bytes)
        writer.append(fixed: bytes(whitening.mean))
        writer.append(fixed: bytes(whitening.matrix))
        let record = writer.finish(key: key)
        try storing { () throws(StorageError) in try transaction.put(key, record, in: tables.catalog) }
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

/// `raw`: the vector of a slot as the network gave it, where `vec` holds the whitened one. Exact: whitening can be learned anew or taken
/// back without reading an image.
extension CatalogTables {
    func original(
        _ slot: Slot,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(CatalogFailure) -> HalfVector {
        let name = "raw vector \(slot.rawValue)"
        let stored = try storing { () throws(StorageError) in try transaction.get(slot.rawValue, in: originals) }
        guard let stored else { throw .corrupted(name, "missing") }
        var reader = try RecordReader(stored, key: slot.rawValue.littleEndianBytes, name: name)
        return HalfVector(bytes: try reader.take(stored.count - 4))
    }

    func put(_ original: HalfVector, _ slot: Slot, _ transaction: borrowing WriteTransaction) throws(CatalogFailure) {
        var writer = RecordWriter()
        writer.append(fixed: original.bytes)
        let record = writer.finish(key: slot.rawValue.littleEndianBytes)
        try storing { () throws(StorageError) in try transaction.put(slot.rawValue, record, in: originals) }
    }

    func removeOriginal(_ slot: Slot, _ transaction: borrowing WriteTransaction) throws(CatalogFailure) {
        try storing { () throws(StorageError) in _ = try transaction.delete(slot.rawValue, in: originals) }
    }
}
