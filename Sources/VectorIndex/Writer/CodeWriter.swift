internal import Storage

/// Trains the scalar quantizer again as the collection grows, and keeps its codes in the store.
struct CodeWriter {
    let state: IndexState
    let maintenance: GraphMaintenance

    /// Vectors at which the quantizer is trained again: collections grow in character as well as in number.
    static func nextTraining(after total: Int) -> Int {
        [256, 2048, 16_384, 65_536, 262_144, 1 << 20, 1 << 22, 1 << 24].first { $0 > total } ?? Int.max
    }

    /// Trains the quantizer on a sample of what is stored, and encodes everything again when that changes it enough.
    func trainQuantizer(
        including vector: [Float],
        slotCount: UInt32,
        _ transaction: borrowing WriteTransaction
    ) throws(IndexError) {
        let reader = state.vectors
        let sample = try reader.sample(below: slotCount, in: transaction)
        let trainer = QuantizerTrainer(dimension: state.dimension, sample: sample + vector, kernels: state.kernels)
        let quantizer = trainer.quantizer(current: state.codes.quantizer)
        guard quantizer.tag != state.codes.quantizer.tag else { return }
        let old = state.codes
        let fresh = CodeStore(quantizer: quantizer, kernels: state.kernels)
        // Slots without a row: tombstones that searches traverse, and those that this transaction removes, which may
        // still be given up.
        var next: UInt32 = 0
        func adopt(below end: UInt32) {
            while next < end {
                fresh.adopt(Slot(rawValue: next), from: old)
                next += 1
            }
        }
        try reader.forEach(in: transaction) { slot, vector in
            adopt(below: slot.rawValue)
            fresh.write(vector, to: slot)
            next = slot.rawValue + 1
        }
        adopt(below: slotCount)
        // A linker with the old codes must not visit a slot that only the new ones have.
        maintenance.whileQuiesced { state.replaceCodes(by: fresh) }
    }

    /// Writes the quantizer and the code of every stored vector.
    func storeCodes(_ transaction: borrowing WriteTransaction) throws(IndexError) {
        do throws(StorageError) {
            try transaction.put(QuantizerRow.key, QuantizerRow.bytes(state.codes.quantizer), in: state.databases.meta)
            try transaction.removeAll(from: state.databases.codes)
        } catch { throw .storage(error) }
        try transaction.scan(state.databases.vectors) { (key, row) throws(IndexError) in
            guard let slot = key.integer(at: 0, as: UInt32.self).map(Slot.init(rawValue:)),
                VectorRow.isIntact(row, dimension: state.dimension)
            else { return true }
            let code = codeRow(slot, VectorRow.hash(row))
            do throws(StorageError) {
                try transaction.append(slot.rawValue, code, in: state.databases.codes)
            } catch { throw .storage(error) }
            return true
        }
    }

    /// The row of a slot's code.
    func codeRow(_ slot: Slot, _ hash: UInt64) -> [UInt8] {
        let codes = state.codes
        let quantizer = codes.quantizer
        return CodeRow.bytes(
            codes.row(slot),
            count: quantizer.componentCount,
            codes.quantizationError(slot),
            slot: slot,
            hash: hash,
            tag: quantizer.tag
        )
    }
}
