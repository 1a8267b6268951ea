internal import Platform

/// What the writer thread knows between transactions, and what it staged in the running one.
struct WriterState {
    enum Staged {
        case add(Slot, hash: UInt64)
        case remove(Slot, hash: UInt64)
    }

    /// A slot that may hold another vector once every search of an earlier epoch has ended.
    struct FreeSlot: Sendable {
        var slot: Slot
        var epoch: UInt64
    }

    /// The first slot never used.
    var nextSlot: UInt32 = 0
    /// The last operation written.
    var lastSequence: UInt64 = 0
    /// What the store says of its links.
    var durable = StateRow(graphSequence: 0, entry: nil)
    var free: [FreeSlot] = []
    /// Vectors at which the quantizer is trained again.
    var nextTraining = 256
    /// The quantizer that made the codes in the store; nil when they may be of several.
    var storedQuantizer: UInt32?
    /// When the last change was published.
    var lastChange = Instant.now
    /// A checkpoint under way.
    var checkpoint: CheckpointEpoch?

    // The running transaction.
    var staged: [Staged] = []
    var stagedSlots: [UInt64: Slot] = [:]
    var takenFree: [FreeSlot] = []
    /// `nextSlot`, `lastSequence` and `storedQuantizer` when it began.
    var before: (nextSlot: UInt32, lastSequence: UInt64, storedQuantizer: UInt32?)?
    /// Progress of the checkpoint when it began.
    var progressBefore: CheckpointEpoch.Progress?

    /// Remembers what `discard` goes back to.
    mutating func begin() {
        if before == nil { before = (nextSlot, lastSequence, storedQuantizer) }
    }

    /// Forgets the running transaction, which has ended.
    mutating func end() {
        staged = []
        stagedSlots = [:]
        takenFree = []
        before = nil
        progressBefore = nil
    }

    /// After the commit: the slots of a complete checkpoint epoch may be used again.
    mutating func finishCheckpoint() {
        guard let done = checkpoint, done.progress == .complete else { return }
        durable = StateRow(graphSequence: done.sequence, entry: done.entry)
        free += done.freed
        checkpoint = nil
    }
}
