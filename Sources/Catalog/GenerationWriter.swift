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
        let transaction = try storing { () throws(StorageError) in try ReadTransaction(source.environment) }
        var opened: (tables: CatalogTables, copy: VectorCopy)?
        try commit { (output) throws(CatalogFailure) in
            let tables = try CatalogTables(output)
            try source.configuration.put(whitening, tables, output)
            let copy = try indexing { () throws(IndexError) in
                try VectorCopy(dimension: source.configuration.dimension, transaction: output)
            }
            opened = (tables, copy)
        }
        guard let (tables, copy) = opened else { return }
        let old = contents.tables
        try self.copy(from: old.images, to: tables.images, transaction)
        try self.copy(from: old.duplicates, to: tables.duplicates, transaction)
        try self.copy(from: old.files, to: tables.files, transaction)
        try self.copy(from: old.failed, to: tables.failed, transaction)
        try self.copy(from: old.contents, to: tables.contents, transaction)
        try self.copy(from: old.roots, to: tables.roots, transaction)
        try self.copy(from: old.events, to: tables.events, transaction)
        try self.copy(from: old.fields, to: tables.fields, transaction)
        try copyVectors(copy, tables, transaction)
        let state = try CatalogState(old, transaction)
        let fields = try FieldIndexState(old, transaction)
        try commit { (output) throws(CatalogFailure) in
            try state.store(tables, output)
            try fields.store(tables, output)
        }
    }

    /// All rows of a database, in their order.
    private func copy(
        from old: Database,
        to new: Database,
        _ transaction: borrowing ReadTransaction
    ) throws(CatalogFailure) {
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
                try transaction.scan(old, from: last, collect)
            } else {
                try transaction.scan(old, collect)
            }
            guard let end = rows.last else { return }
            try commit { (output) throws(CatalogFailure) in
                for row in rows {
                    try storing { () throws(StorageError) in
                        if new.flags.contains(.duplicates) {
                            try output.put(row.key, row.value, in: new)
                        } else {
                            try output.append(row.key, row.value, in: new)
                        }
                    }
                }
            }
            last = end.key
        }
    }

    /// Damage to a vector ends it: an image must not lose its vector to a change of whitening.
    private func copyVectors(
        _ copy: VectorCopy,
        _ tables: CatalogTables,
        _ transaction: borrowing ReadTransaction
    ) throws(CatalogFailure) {
        var first = Slot(rawValue: 0)
        while true {
            let slots = try indexing { () throws(IndexError) in
                try contents.index.slots(from: first, limit: Self.chunkVectorCount, in: transaction)
            }
            guard let last = slots.last else { return }
            var rows: [(slot: Slot, original: HalfVector, stored: HalfVector)] = []
            for slot in slots {
                let original = try contents.original(slot, transaction)
                let stored =
                    if let whitening {
                        try indexing { () throws(IndexError) in
                            try contents.index.stored(whitening.applied(to: original.floats))
                        }
                    } else { original }
                rows.append((slot, original, stored))
            }
            try commit { (output) throws(CatalogFailure) in
                for row in rows {
                    try indexing { () throws(IndexError) in try copy.append(row.stored, to: row.slot, in: output) }
                    if whitening != nil { try tables.put(row.original, row.slot, output) }
                }
            }
            first = Slot(rawValue: last.rawValue + 1)
        }
    }

    /// One transaction of the target, again with a larger map when that is full.
    private func commit(
        _ body: (borrowing WriteTransaction) throws(CatalogFailure) -> Void
    ) throws(CatalogFailure) {
        try progress()
        while true {
            do throws(CatalogFailure) {
                let transaction = try storing { () throws(StorageError) in try WriteTransaction(target) }
                try body(transaction)
                do throws(StorageError) { try transaction.commit() } catch { throw .storage(error) }
                return
            } catch {
                guard error.storageCode == .mapFull else { throw error }
                try storing { () throws(StorageError) in try target.grow() }
            }
        }
    }
}
