internal import CIndexKernels
internal import Storage

/// Writes a checkpoint: the lists of changed slots, and then how far the stored links go.
///
/// A checkpoint epoch writes the lists that had changed when it began, in slot order, a bounded number of pages a
/// transaction, and then lets go of the operations they reflect. Lists need no atomicity together: each names only
/// durable slots, edits made meanwhile stay marked for the next epoch, and vectors added meanwhile are linked again
/// after a crash.
struct CheckpointWriter {
    let state: IndexState

    /// Does a part of the epoch's work, about `checkpointPages` pages at most; returns how far the epoch is then.
    func advance(
        _ epoch: CheckpointEpoch,
        _ transaction: borrowing WriteTransaction
    ) throws(StorageError) -> CheckpointEpoch.Progress {
        switch epoch.progress {
        case .links(let position): try writeLinks(epoch.slots, from: position, transaction)
        case .operations: try writeState(epoch, transaction)
        case .complete: .complete
        }
    }

    /// Writes or deletes the rows of `slots` from `start` on, until the page budget is used up.
    private func writeLinks(
        _ slots: [UInt32],
        from start: Int,
        _ transaction: borrowing WriteTransaction
    ) throws(StorageError) -> CheckpointEpoch.Progress {
        /// Rows of 132 bytes and their overhead on a page of 4 KiB.
        let rowsPerPage: UInt32 = 27
        var pages = 0
        var lastPage = UInt32.max
        var position = start
        while position < slots.count, pages < state.parameters.checkpointPages {
            let slot = Slot(rawValue: slots[position])
            if slot.rawValue / rowsPerPage != lastPage {
                lastPage = slot.rawValue / rowsPerPage
                pages += 1
            }
            try writeLinks(of: slot, transaction)
            pages += slot.level
            position += 1
        }
        return position < slots.count ? .links(position) : .operations
    }

    private func writeLinks(of slot: Slot, _ transaction: borrowing WriteTransaction) throws(StorageError) {
        let isLinked = state.graph.flags(slot) == CINDEXKERNELS_LIVE | CINDEXKERNELS_LINKED
        for level in 0...slot.level {
            let key = LinkRow.upperKey(slot, level: level)
            if isLinked {
                let row = LinkRow.bytes(state.graph.list(slot, level: level), slot, level: level)
                if level == 0 {
                    try transaction.put(slot.rawValue, row, in: state.databases.baseLinks)
                } else {
                    try transaction.put(key, row, in: state.databases.upperLinks)
                }
            } else if level == 0 {
                try transaction.delete(slot.rawValue, in: state.databases.baseLinks)
            } else {
                try transaction.delete(key, in: state.databases.upperLinks)
            }
        }
    }

    /// Deletes operations that the links reflect and says so in the state row.
    private func writeState(
        _ epoch: CheckpointEpoch,
        _ transaction: borrowing WriteTransaction
    ) throws(StorageError) -> CheckpointEpoch.Progress {
        /// About 150 of these rows lie on a page.
        var budget = state.parameters.checkpointPages * 100
        try transaction.put(
            StateRow.key,
            StateRow(graphSequence: epoch.sequence, entry: epoch.entry).bytes,
            in: state.databases.meta
        )
        let isTrimmed = try transaction.withCursor(in: state.databases.operations) {
            (cursor) throws(StorageError) -> Bool in
            var isThere = try cursor.moveToFirst()
            while isThere {
                let sequence = try cursor.withCurrent { key, _ in key.integer(at: 0, as: UInt64.self) } ?? nil
                guard let sequence, sequence <= epoch.sequence else { return true }
                guard budget > 0 else { return false }
                try cursor.delete()
                budget -= 1
                isThere = try cursor.moveToNext()
            }
            return true
        }
        return isTrimmed ? .complete : .operations
    }
}

/// A checkpoint epoch: the lists that had changed when it began, written over as many transactions as it takes.
struct CheckpointEpoch {
    enum Progress: Equatable {
        /// Lists before this place of `slots` are written.
        case links(Int)
        case operations
        case complete
    }

    /// Whose rows to write or delete, in order.
    let slots: [UInt32]
    /// Links reflect every operation up to this one when the epoch is complete.
    let sequence: UInt64
    let entry: Slot?
    /// Slots to give out again when the epoch is complete: no list on disk names them then.
    let freed: [WriterState.FreeSlot]
    var progress = Progress.links(0)
}
