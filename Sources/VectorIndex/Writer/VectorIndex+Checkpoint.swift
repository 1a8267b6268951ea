internal import CIndexKernels
internal import Platform
package import Storage
internal import Synchronization

/// Checkpoints: writing changed links to the store, beside everything else.
///
/// A round writes the lists that had changed when it began, in slot order, a bounded number of pages a transaction, and
/// then lets go of the operations they reflect. Lists need no atomicity together: each names only durable slots, edits
/// made meanwhile stay marked for the next round, and vectors added meanwhile are linked again after a crash.
extension VectorIndex {
    /// Seconds without a change after which what changed before is written.
    private static let idleSeconds = 60.0

    /// Whether `checkpoint(in:)` should be called: a round is under way, enough has changed, or nothing has for a minute.
    package var needsCheckpoint: Bool {
        writer.read { writer in
            if writer.round != nil { return true }
            let operations = Int(writer.lastSequence - writer.durable.graphSequence)
            let changes = max(operations, linkedSinceCheckpoint.load(ordering: .relaxed))
            let live = liveCount.load(ordering: .relaxed)
            if changes >= max(parameters.checkpointOperations, live / 50) { return true }
            let last = Instant(nanoseconds: lastChange.load(ordering: .relaxed))
            return changes > 0 && Instant.now - last > Self.idleSeconds
        }
    }

    /// Writes a part of the changed links, about `checkpointPages` pages at most. `publish` or `discard` follows the end of the
    /// transaction, as with `stage`.
    ///
    /// - Returns: true when more is left; at shutdown, call until it returns false.
    /// - Throws: `.storage`.
    package func checkpoint(in transaction: borrowing WriteTransaction) throws(IndexError) -> Bool {
        try writer.update { (writer) throws(IndexError) -> Bool in
            writer.begin()
            var round: CheckpointRound
            if let running = writer.round {
                round = running
            } else if let begun = beginRound(writer) {
                round = begun
            } else {
                return false
            }
            if writer.roundBefore == nil { writer.roundBefore = round.progress }
            do throws(StorageError) {
                switch round.progress {
                case .links(let position): round.progress = try writeLinks(round.slots, from: position, transaction)
                case .operations: round.progress = try writeState(round, transaction)
                case .complete: break
                }
            } catch {
                writer.round = round
                throw .storage(error)
            }
            writer.round = round
            return round.progress != .complete
        }
    }

    /// Takes the set of changed slots while no vector is half linked; nil when there is nothing to write.
    private func beginRound(_ writer: WriterState) -> CheckpointRound? {
        // What this transaction staged is not published: a later round's.
        let sequence = writer.staged.isEmpty ? writer.lastSequence : writer.before?.lastSequence ?? writer.lastSequence
        return queue.exclusively { () -> CheckpointRound? in
            let slots = (0..<graph.slotCount).filter { CIndexKernels_take_dirty(graph.chunks, $0) }
            linkedSinceCheckpoint.store(0, ordering: .relaxed)
            let freed = detached.update { detached in
                defer { detached = [] }
                return detached
            }
            guard !slots.isEmpty || !freed.isEmpty || sequence != writer.durable.graphSequence else { return nil }
            return CheckpointRound(slots: slots, sequence: sequence, entry: graph.entry, freed: freed)
        }
    }

    /// Writes or deletes the rows of `slots` from `start` on, until the page budget is used up.
    private func writeLinks(
        _ slots: [UInt32],
        from start: Int,
        _ transaction: borrowing WriteTransaction
    ) throws(StorageError) -> CheckpointRound.Progress {
        /// Rows of 132 bytes and their overhead on a page of 4 KiB.
        let rowsPerPage: UInt32 = 27
        var pages = 0
        var lastPage = UInt32.max
        var position = start
        while position < slots.count, pages < parameters.checkpointPages {
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
        let isLinked = graph.flags(slot) == CINDEXKERNELS_LIVE | CINDEXKERNELS_LINKED
        for level in 0...slot.level {
            let key = LinkRow.upperKey(slot, level: level)
            if isLinked {
                let row = LinkRow.bytes(graph.list(slot, level: level), slot, level: level)
                if level == 0 {
                    try transaction.put(slot.rawValue, row, in: databases.baseLinks)
                } else {
                    try transaction.put(key, row, in: databases.upperLinks)
                }
            } else if level == 0 {
                try transaction.delete(slot.rawValue, in: databases.baseLinks)
            } else {
                try transaction.delete(key, in: databases.upperLinks)
            }
        }
    }

    /// Deletes operations that the links reflect and says so in the state row.
    private func writeState(
        _ round: CheckpointRound,
        _ transaction: borrowing WriteTransaction
    ) throws(StorageError) -> CheckpointRound.Progress {
        /// About 150 of these rows lie on a page.
        var budget = parameters.checkpointPages * 100
        try transaction.put(
            StateRow.key,
            StateRow(graphSequence: round.sequence, entry: round.entry).bytes,
            in: databases.meta
        )
        let isTrimmed = try transaction.withCursor(in: databases.operations) { (cursor) throws(StorageError) -> Bool in
            var isThere = try cursor.moveToFirst()
            while isThere {
                let sequence = try cursor.withCurrent { key, _ in key.integer(at: 0, as: UInt64.self) } ?? nil
                guard let sequence, sequence <= round.sequence else { return true }
                guard budget > 0 else { return false }
                try cursor.delete()
                budget -= 1
                isThere = try cursor.moveToNext()
            }
            return true
        }
        return isTrimmed ? .complete : .operations
    }

    /// After the commit: a complete round's slots may be used again.
    func finishRound(_ writer: inout WriterState) {
        guard let round = writer.round, round.progress == .complete else { return }
        writer.durable = StateRow(graphSequence: round.sequence, entry: round.entry)
        writer.free += round.freed
        writer.round = nil
    }
}
