internal import CIndexKernels
internal import Platform
internal import Synchronization

/// The linkers' loop, and the upkeep of the graph that one of them does at a time.
extension VectorIndex {
    /// Rounds of new ways to vectors that no path reaches, before they are left to the next upkeep.
    private static let sweepRounds = 3
    /// Lists repaired at once: what needs the linkers to wait waits for so many.
    private static let repairBlock = 128

    func runLinker() {
        // Searches and the writer wait for somebody; what is not linked yet is found by scan.
        WorkerThread.lowerCurrentPriority(by: 10)
        while true {
            switch queue.next() {
            case .stop: return
            case .link(let slot):
                let isUnused = !link(slot)
                queue.finish(slot)
                // Not before: until then searches find it in the queue.
                if isUnused { release([slot]) }
            case .upkeep:
                if repair() { sweep() }
                queue.finishUpkeep()
            }
        }
    }

    /// Takes a slot into the graph.
    ///
    /// - Returns: false when it was removed before, and no list names it.
    private func link(_ slot: Slot) -> Bool {
        guard graph.isLive(slot) else {
            // One that was in the graph already is a repair's to take out. So is one that was pending when the index was
            // opened: lists of the last run may name it.
            if slot.rawValue < loadedSlotCount { graph.add(CINDEXKERNELS_LINKED, to: slot) }
            return graph.flags(slot) & CINDEXKERNELS_LINKED != 0
        }
        scratches.withScratch { scratch in
            linker.link(slot, codes: codes, scratch: scratch)
        }
        linkedSinceCheckpoint.add(1, ordering: .relaxed)
        let linked = linkedSinceSweep.add(1, ordering: .relaxed).newValue
        if linked >= max(1024, liveCount.load(ordering: .relaxed) / 4) {
            linkedSinceSweep.store(0, ordering: .relaxed)
            queue.requestUpkeep()
        }
        return true
    }

    /// Takes removed slots out of the graph when they are many, beside linkers and searches.
    ///
    /// Linkers choose live neighbours only. So once those that began before the removal have ended, nothing names these
    /// slots anew, and one pass over all lists leaves none that does: not even a removed slot's, which a search may still
    /// walk through when what it names is written anew.
    /// - Returns: false when the linkers were stopped before the end; it begins again when they start.
    private func repair() -> Bool {
        guard needsRepair else { return true }
        let dead = linker.deadSlots()
        guard !dead.isEmpty else { return true }
        queue.exclusively { linker.leaveRemovedEntry() }
        var short: [Slot] = []
        graph.forEachBlock(CINDEXKERNELS_LINKED, limit: Self.repairBlock) { slots in
            guard !queue.isStopping else { return }
            short += queue.inUpkeepPart { linker.repairLists(of: slots, codes: codes) }
        }
        guard !queue.isStopping else {
            queue.requestUpkeep()
            return false
        }
        linker.detach(dead)
        release(dead)
        scratches.withScratch { scratch in
            for slot in short where graph.isLive(slot) {
                queue.inUpkeepPart { linker.link(slot, codes: codes, scratch: scratch) }
            }
        }
        return true
    }

    /// Whether removed slots slow searches down enough for a repair.
    var needsRepair: Bool {
        let dead = deadCount.load(ordering: .relaxed)
        let live = liveCount.load(ordering: .relaxed)
        return dead > 0 && Double(dead) >= max(min(64, Double(live)), parameters.repairShare * Double(live))
    }

    /// Gives vectors that no path from the entry reaches ways in.
    private func sweep() {
        for _ in 0..<Self.sweepRounds {
            let lost = linker.unreachedSlots()
            guard !lost.isEmpty else { return }
            scratches.withScratch { scratch in
                for slot in lost.map({ Slot(rawValue: $0) }) where graph.isLive(slot) {
                    queue.inUpkeepPart { linker.attach(slot, codes: codes, scratch: scratch) }
                }
            }
        }
    }

    /// Slots that nothing names any more: free after the next checkpoint, for searches that begin from now on.
    func release(_ slots: [Slot]) {
        let generation = scratches.advance()
        for slot in slots { CIndexKernels_set_dirty(graph.chunks, slot.rawValue) }
        detached.update { $0 += slots.map { WriterState.FreeSlot(slot: $0, generation: generation) } }
        deadCount.subtract(slots.count, ordering: .relaxed)
    }
}
