internal import CIndexKernels
internal import Platform
internal import Storage
internal import Synchronization

/// The writer's part of the index: changes staged in a transaction of the caller's and published after its commit, and
/// checkpoints.
///
/// It owns what the one writer thread knows between transactions; `needsCheckpoint` alone may be asked for by other
/// threads.
final class IndexWriter: Sendable {
    /// Seconds without a change after which what changed before is written.
    private static let idleSeconds = 60.0

    private let state: IndexState
    private let maintenance: GraphMaintenance
    private let contexts: SearchContextPool
    private let codeWriter: CodeWriter
    let shared: Monitor<WriterState>

    init(_ state: IndexState, _ maintenance: GraphMaintenance, _ contexts: SearchContextPool, _ writer: WriterState) {
        self.state = state
        self.maintenance = maintenance
        self.contexts = contexts
        codeWriter = CodeWriter(state: state, maintenance: maintenance)
        shared = Monitor(writer)
    }

    func stage(
        _ vector: [Float],
        in transaction: borrowing WriteTransaction,
        mayShare: (Slot) -> Bool
    ) throws(IndexError) -> Slot {
        let unit = try state.normalised(vector)
        let halves = state.halves(of: unit)
        let hash = halves.hash
        return try shared.withLockNotifyingAll { (writer) throws(IndexError) -> Slot in
            writer.begin()
            let staged = writer.stagedSlots[hash]
            if let slot = try storedSlot(hash, halves, staged: staged, transaction, mayShare) { return slot }
            let total = state.liveCount.load(ordering: .relaxed) + writer.staged.count + 1
            if writer.nextSlot == 0 || total >= writer.nextTraining {
                try codeWriter.trainQuantizer(including: unit, slotCount: writer.nextSlot, transaction)
                writer.nextTraining = CodeWriter.nextTraining(after: total)
            }
            if writer.storedQuantizer != state.codes.quantizer.tag {
                try codeWriter.storeCodes(transaction)
                writer.storedQuantizer = state.codes.quantizer.tag
            }
            let (slot, isNew) = try takeSlot(&writer)
            // What is read back from disk decides the code, so that a reopened index has the same one.
            halves.floats(state.kernels).withUnsafeBufferPointer { buffer in
                if let base = buffer.baseAddress { state.codes.write(base, to: slot) }
            }
            do throws(StorageError) {
                let row = VectorRow.bytes(halves.bytes, slot: slot, hash: hash)
                let code = codeWriter.codeRow(slot, hash)
                if isNew {
                    try transaction.append(slot.rawValue, row, in: state.databases.vectors)
                    try transaction.append(slot.rawValue, code, in: state.databases.codes)
                } else {
                    try transaction.put(slot.rawValue, row, in: state.databases.vectors)
                    try transaction.put(slot.rawValue, code, in: state.databases.codes)
                }
                try log(.add, slot, &writer, transaction)
            } catch { throw .storage(error) }
            writer.staged.append(.add(slot, hash: hash))
            writer.stagedSlots[hash] = slot
            return slot
        }
    }

    func stageRemoval(_ slot: Slot, in transaction: borrowing WriteTransaction) throws(IndexError) {
        try shared.withLockNotifyingAll { (writer) throws(IndexError) in
            writer.begin()
            var stored: UInt64?
            do throws(StorageError) {
                stored = try transaction.withValue(of: slot.rawValue, in: state.databases.vectors) {
                    VectorRow.hash($0)
                }
                if stored != nil {
                    try transaction.delete(slot.rawValue, in: state.databases.vectors)
                    try transaction.delete(slot.rawValue, in: state.databases.codes)
                    try log(.remove, slot, &writer, transaction)
                }
            } catch { throw .storage(error) }
            guard let hash = stored else { throw .unknownSlot(slot) }
            writer.staged.append(.remove(slot, hash: hash))
            if writer.stagedSlots[hash] == slot { writer.stagedSlots[hash] = nil }
        }
    }

    func publish() {
        shared.withLockNotifyingAll { writer in
            state.graph.slotCount = max(state.graph.slotCount, writer.nextSlot)
            var added: [UInt32] = []
            var removed: Set<UInt32> = []
            for change in writer.staged {
                switch change {
                case .add(let slot, let hash):
                    state.graph.add(CINDEXKERNELS_LIVE, to: slot)
                    state.exactMatches.insert(hash, slot)
                    state.liveCount.add(1, ordering: .relaxed)
                    added.append(slot.rawValue)
                case .remove(let slot, let hash):
                    guard state.graph.isLive(slot) else { continue }
                    state.graph.remove(CINDEXKERNELS_LIVE, from: slot)
                    state.exactMatches.remove(hash, slot)
                    state.liveCount.subtract(1, ordering: .relaxed)
                    state.tombstoneCount.add(1, ordering: .relaxed)
                    removed.insert(slot.rawValue)
                }
            }
            maintenance.accept(added: added, removed: removed)
            if !writer.staged.isEmpty { writer.lastChange = .now }
            writer.finishCheckpoint()
            writer.end()
        }
    }

    func discard() {
        shared.withLockNotifyingAll { writer in
            if let before = writer.before { (writer.nextSlot, writer.lastSequence, writer.storedQuantizer) = before }
            writer.free += writer.takenFree
            if let progress = writer.progressBefore { writer.checkpoint?.progress = progress }
            writer.end()
        }
    }

    func stageLinkRemoval(in transaction: borrowing WriteTransaction) throws(IndexError) {
        do throws(StorageError) {
            try transaction.removeAll(from: state.databases.baseLinks)
            try transaction.removeAll(from: state.databases.upperLinks)
        } catch { throw .storage(error) }
    }

    // MARK: Checkpoints

    var needsCheckpoint: Bool {
        shared.withLock { writer in
            if writer.checkpoint != nil { return true }
            let operations = Int(writer.lastSequence - writer.durable.graphSequence)
            let changes = max(operations, maintenance.unwrittenCount)
            let live = state.liveCount.load(ordering: .relaxed)
            if changes >= max(state.parameters.checkpointOperations, live / 50) { return true }
            return changes > 0 && Instant.now - writer.lastChange > Self.idleSeconds
        }
    }

    func checkpoint(in transaction: borrowing WriteTransaction) throws(IndexError) -> Bool {
        try shared.withLockNotifyingAll { (writer) throws(IndexError) -> Bool in
            writer.begin()
            guard var epoch = writer.checkpoint ?? beginCheckpoint(writer) else { return false }
            if writer.progressBefore == nil { writer.progressBefore = epoch.progress }
            defer { writer.checkpoint = epoch }
            do throws(StorageError) {
                epoch.progress = try CheckpointWriter(state: state).advance(epoch, transaction)
            } catch { throw .storage(error) }
            return epoch.progress != .complete
        }
    }

    private func beginCheckpoint(_ writer: WriterState) -> CheckpointEpoch? {
        // What this transaction staged is not published: a later epoch's.
        let sequence = writer.staged.isEmpty ? writer.lastSequence : writer.before?.lastSequence ?? writer.lastSequence
        return maintenance.beginCheckpoint(sequence: sequence, durable: writer.durable.graphSequence)
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
        if let staged, try state.vectors.holds(staged, halves, transaction), mayShare(staged) { return staged }
        for slot in state.exactMatches.candidates(hash)
        where try state.vectors.holds(slot, halves, transaction) && mayShare(slot) {
            return slot
        }
        return nil
    }

    /// A slot to write: one that was freed, when no search can hold its number any more, else a new one.
    private func takeSlot(_ writer: inout WriterState) throws(IndexError) -> (slot: Slot, isNew: Bool) {
        if let last = writer.free.last, contexts.hasPassed(last.epoch) {
            writer.free.removeLast()
            writer.takenFree.append(last)
            state.graph.prepare(last.slot)
            return (last.slot, false)
        }
        guard writer.nextSlot < GraphStore.slotLimit else { throw .full }
        let slot = Slot(rawValue: writer.nextSlot)
        writer.nextSlot += 1
        state.graph.prepare(slot)
        // An earlier run may have left links on disk of a vector that lay here and was the last one.
        CIndexKernels_set_dirty(state.graph.chunks, slot.rawValue)
        return (slot, true)
    }

    private func log(
        _ kind: OperationRow.Kind,
        _ slot: Slot,
        _ writer: inout WriterState,
        _ transaction: borrowing WriteTransaction
    ) throws(StorageError) {
        writer.lastSequence += 1
        try transaction.append(writer.lastSequence, OperationRow(kind, slot).bytes, in: state.databases.operations)
    }
}
