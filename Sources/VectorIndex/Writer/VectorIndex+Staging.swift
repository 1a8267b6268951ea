internal import CIndexKernels
internal import Platform
package import Storage
internal import Synchronization

/// Changes: staged in a transaction of the caller's, published after its commit.
extension VectorIndex {
    /// Writes a vector; searches do not see it before `publish`.
    ///
    /// - Parameters:
    ///   - vector: `dimension` finite components, not all zero; scaled to length 1 unless it has it.
    ///   - transaction: the one whose commit makes it durable.
    ///   - mayShare: whether a slot with an equal vector will do; asked for each.
    /// - Returns: the slot of the vector; of an equal one (in binary16) when that is stored already.
    /// - Throws: `.dimension`, `.notFinite`, `.zeroVector`, `.full`, `.storage`.
    package func stage(
        _ vector: [Float],
        in transaction: borrowing WriteTransaction,
        mayShare: (Slot) -> Bool = { _ in true }
    ) throws(IndexError) -> Slot {
        let unit = try normalised(vector)
        let halves = halves(of: unit)
        let hash = halves.hash
        return try writer.update { (writer) throws(IndexError) -> Slot in
            writer.begin()
            let staged = writer.stagedSlots[hash]
            if let slot = try storedSlot(hash, halves, staged: staged, transaction, mayShare) { return slot }
            let total = liveCount.load(ordering: .relaxed) + writer.staged.count + 1
            if writer.nextSlot == 0 || total >= writer.nextTraining {
                try learnCodec(including: unit, slotCount: writer.nextSlot, transaction)
                writer.nextTraining = Self.nextTraining(after: total)
            }
            if writer.storedCodec != codes.codec.tag {
                try storeCodes(transaction)
                writer.storedCodec = codes.codec.tag
            }
            let (slot, isNew) = try takeSlot(&writer)
            // What is read back from disk decides the code, so that a reopened index has the same one.
            halves.floats(kernels).withUnsafeBufferPointer { buffer in
                if let base = buffer.baseAddress { codes.write(base, to: slot) }
            }
            do throws(StorageError) {
                let row = VectorRow.bytes(halves.bytes, slot: slot, hash: hash)
                let code = codeRow(slot, hash)
                if isNew {
                    try transaction.append(slot.rawValue, row, in: databases.vectors)
                    try transaction.append(slot.rawValue, code, in: databases.codes)
                } else {
                    try transaction.put(slot.rawValue, row, in: databases.vectors)
                    try transaction.put(slot.rawValue, code, in: databases.codes)
                }
                try log(.add, slot, &writer, transaction)
            } catch { throw .storage(error) }
            writer.staged.append(.add(slot, hash: hash))
            writer.stagedSlots[hash] = slot
            return slot
        }
    }

    /// Deletes a vector; searches see it until `publish`.
    ///
    /// - Throws: `.unknownSlot`, `.storage`.
    package func stageRemoval(_ slot: Slot, in transaction: borrowing WriteTransaction) throws(IndexError) {
        try writer.update { (writer) throws(IndexError) in
            writer.begin()
            var stored: UInt64?
            do throws(StorageError) {
                stored = try transaction.withValue(of: slot.rawValue, in: databases.vectors) { VectorRow.hash($0) }
                if stored != nil {
                    try transaction.delete(slot.rawValue, in: databases.vectors)
                    try transaction.delete(slot.rawValue, in: databases.codes)
                    try log(.remove, slot, &writer, transaction)
                }
            } catch { throw .storage(error) }
            guard let hash = stored else { throw .unknownSlot(slot) }
            writer.staged.append(.remove(slot, hash: hash))
            if writer.stagedSlots[hash] == slot { writer.stagedSlots[hash] = nil }
        }
    }

    /// Makes what the committed transaction staged visible to searches: added vectors at once, by scan, removed ones no more.
    package func publish() {
        writer.update { writer in
            graph.slotCount = max(graph.slotCount, writer.nextSlot)
            var added: [UInt32] = []
            var removed: Set<UInt32> = []
            for change in writer.staged {
                switch change {
                case .add(let slot, let hash):
                    graph.add(CINDEXKERNELS_LIVE, to: slot)
                    duplicates.insert(hash, slot)
                    liveCount.add(1, ordering: .relaxed)
                    added.append(slot.rawValue)
                case .remove(let slot, let hash):
                    guard graph.isLive(slot) else { continue }
                    graph.remove(CINDEXKERNELS_LIVE, from: slot)
                    duplicates.remove(hash, slot)
                    liveCount.subtract(1, ordering: .relaxed)
                    deadCount.add(1, ordering: .relaxed)
                    removed.insert(slot.rawValue)
                }
            }
            queue.append(added)
            if liveCount.load(ordering: .relaxed) >= parameters.linkFrom {
                queue.open()
            } else {
                release(queue.withdraw(removed).map { Slot(rawValue: $0) })
            }
            if !removed.isEmpty, needsRepair { queue.requestUpkeep() }
            if !writer.staged.isEmpty { lastChange.store(Instant.now.nanoseconds, ordering: .relaxed) }
            finishRound(&writer)
            writer.end()
        }
    }

    /// Forgets what an aborted transaction staged.
    package func discard() {
        writer.update { writer in
            if let before = writer.before { (writer.nextSlot, writer.lastSequence, writer.storedCodec) = before }
            writer.free += writer.takenFree
            if let progress = writer.roundBefore { writer.round?.progress = progress }
            writer.end()
        }
    }

    // MARK: Parts

    /// The slot of an equal vector in the transaction's view.
    private func storedSlot(
        _ hash: UInt64,
        _ halves: HalfVector,
        staged: Slot?,
        _ transaction: borrowing WriteTransaction,
        _ mayShare: (Slot) -> Bool
    ) throws(IndexError) -> Slot? {
        if let staged, try holds(staged, halves, transaction), mayShare(staged) { return staged }
        for slot in duplicates.candidates(hash) where try holds(slot, halves, transaction) && mayShare(slot) {
            return slot
        }
        return nil
    }

    /// Whether the row of `slot` has exactly these components.
    func holds(
        _ slot: Slot,
        _ halves: HalfVector,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> Bool {
        do throws(StorageError) {
            return try transaction.withValue(of: slot.rawValue, in: databases.vectors) { row in
                guard VectorRow.hasLength(row, dimension: dimension) else { return false }
                return VectorRow.withHalves(row) { halves.equals($0) }
            } ?? false
        } catch { throw .storage(error) }
    }

    /// A slot to write: one that was freed, when no search can hold its number any more, else a new one.
    private func takeSlot(_ writer: inout WriterState) throws(IndexError) -> (slot: Slot, isNew: Bool) {
        if let last = writer.free.last, scratches.hasPassed(last.generation) {
            writer.free.removeLast()
            writer.takenFree.append(last)
            graph.prepare(last.slot)
            return (last.slot, false)
        }
        guard writer.nextSlot < GraphStore.slotLimit else { throw .full }
        let slot = Slot(rawValue: writer.nextSlot)
        writer.nextSlot += 1
        graph.prepare(slot)
        // An earlier run may have left links on disk of a vector that lay here and was the last one.
        CIndexKernels_set_dirty(graph.chunks, slot.rawValue)
        return (slot, true)
    }

    private func log(
        _ kind: OperationRow.Kind,
        _ slot: Slot,
        _ writer: inout WriterState,
        _ transaction: borrowing WriteTransaction
    ) throws(StorageError) {
        writer.lastSequence += 1
        try transaction.append(writer.lastSequence, OperationRow(kind, slot).bytes, in: databases.operations)
    }
}
