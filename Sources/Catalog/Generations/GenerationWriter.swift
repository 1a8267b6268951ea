internal import LinearAlgebra
internal import Storage
internal import VectorIndex

/// Writes a collection anew into an empty environment, its vectors whitened or as the network gave them. Everything else is taken over
/// row by row, slots and numbers included; links are not, since other vectors have other neighbours.
struct GenerationWriter {
    /// Bytes and vectors that one transaction writes at most, about: its pages lie in memory until the commit.
    private static let chunkByteCount = 4 << 20
    private static let chunkVectorCount = 2048

    let source: CatalogStore
    let contents: CatalogStore.Contents
    let target: Environment
    let whitening: Whitening?
    /// Called now and then; what it throws ends the work.
    let progress: () throws(CatalogFailure) -> Void

    /// Reads one state of the collection throughout; nobody may change it meanwhile.
    func run() throws(CatalogFailure) {
        let transaction = try CatalogReadTransaction(source.environment, contents.tables)
        let copy = try commit { (output) throws(CatalogFailure) in
            try source.configuration.put(whitening, output)
            do throws(IndexError) {
                return try VectorCopy(dimension: source.configuration.dimension, transaction: output.storage)
            } catch { throw CatalogFailure(error) }
        }
        try copyRows(of: \.images, transaction)
        try copyRows(of: \.duplicates, transaction)
        try copyRows(of: \.files, transaction)
        try copyRows(of: \.failed, transaction)
        try copyRows(of: \.contents, transaction)
        try copyRows(of: \.roots, transaction)
        try copyRows(of: \.events, transaction)
        try copyRows(of: \.fields, transaction)
        try copyRows(of: \.consumers, transaction)
        try copyVectors(copy, transaction)
        let state = try CatalogState(transaction)
        let fields = try FieldIndexState(transaction)
        try commit { (output) throws(CatalogFailure) in
            try state.store(output)
            try fields.store(output)
        }
    }

    /// All rows of a database, in their order.
    private func copyRows(
        of table: KeyPath<CatalogTables, Database>,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) {
        let source = transaction.tables[keyPath: table]
        var last: [UInt8]?
        while true {
            var rows: [(key: [UInt8], value: [UInt8])] = []
            var byteCount = 0
            /// Takes a row unless the chunk is full; the values of one key stay together.
            func collect(_ key: RawSpan, _ value: RawSpan) throws(CatalogFailure) -> Bool {
                let row = (key: key.copied, value: value.copied)
                if row.key == last { return true }
                if byteCount >= Self.chunkByteCount, row.key != rows.last?.key { return false }
                rows.append(row)
                byteCount += row.key.count + row.value.count
                return true
            }
            if let last {
                try transaction.scan(source, from: last, collect)
            } else {
                try transaction.scan(source, collect)
            }
            guard let end = rows.last else { return }
            try commit { (output) throws(CatalogFailure) in
                let target = output.tables[keyPath: table]
                for row in rows {
                    if target.flags.contains(.duplicates) {
                        try output.put(row.key, row.value, in: target)
                    } else {
                        try output.append(row.key, row.value, in: target)
                    }
                }
            }
            last = end.key
        }
    }

    /// Damage to a vector ends it: an image must not lose its vector to a change of whitening.
    private func copyVectors(
        _ copy: VectorCopy,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) {
        var first = Slot(rawValue: 0)
        while true {
            let slots = try contents.slots(from: first, limit: Self.chunkVectorCount, transaction)
            guard let last = slots.last else { return }
            var rows: [(slot: Slot, original: HalfVector, stored: HalfVector)] = []
            for slot in slots {
                let original = try contents.original(slot, transaction)
                let stored =
                    if let whitening {
                        try contents.rounded(whitening.applied(to: original.floats))
                    } else { original }
                rows.append((slot, original, stored))
            }
            try commit { (output) throws(CatalogFailure) in
                for row in rows {
                    do throws(IndexError) {
                        try copy.append(row.stored, to: row.slot, in: output.storage)
                    } catch { throw CatalogFailure(error) }
                    if whitening != nil { try output.put(row.original, row.slot) }
                }
            }
            first = Slot(rawValue: last.rawValue + 1)
        }
    }

    /// One transaction of the target, again with a larger map when that is full.
    @discardableResult
    private func commit<R>(
        _ body: (borrowing CatalogWriteTransaction) throws(CatalogFailure) -> R
    ) throws(CatalogFailure) -> R {
        try progress()
        while true {
            do throws(CatalogFailure) {
                let transaction = try CatalogWriteTransaction(opening: target)
                let result = try body(transaction)
                try transaction.commit()
                return result
            } catch {
                guard error.storageCode == .mapFull else { throw error }
                try storing { () throws(StorageError) in try target.grow() }
            }
        }
    }
}
