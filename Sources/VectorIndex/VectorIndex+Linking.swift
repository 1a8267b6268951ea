internal import CKernels
internal import Platform
internal import Synchronization

/// The linkers' loop, and the upkeep of the graph that one of them does at a time.
extension VectorIndex {
    /// Rounds of forced links for vectors that no path reaches, before they are left to the scan of the next upkeep.
    private static let sweepRounds = 3

    func runLinker() {
        while true {
            switch queue.next() {
            case .stop: return
            case .link(let slot):
                let isUnused = !link(slot)
                queue.finish(slot)
                // Not before: until then searches find it in the queue.
                if isUnused { release([slot]) }
            case .upkeep:
                repair()
                sweep()
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
            if slot.rawValue < loadedSlotCount { graph.add(CKERNELS_LINKED, to: slot) }
            return graph.flags(slot) & CKERNELS_LINKED != 0
        }
        scratches.withScratch { scratch in
            linker.link(slot, isForced: false, codes: codes, scratch: scratch)
        }
        linkedSinceCheckpoint.add(1, ordering: .relaxed)
        let linked = linkedSinceSweep.add(1, ordering: .relaxed).newValue
        if linked >= max(1024, liveCount.load(ordering: .relaxed) / 4) {
            linkedSinceSweep.store(0, ordering: .relaxed)
            queue.requestUpkeep()
        }
        return true
    }

    /// Takes removed slots out of the graph when they are many. Most of the work runs beside linkers and searches; the rest
    /// needs the linkers to wait.
    private func repair() {
        guard needsRepair else { return }
        let dead = linker.deadSlots()
        guard !dead.isEmpty else { return }
        // The lists of removed slots too: a search may still walk through them when what they name is written anew.
        graph.forEachBlock(CKERNELS_LINKED) { slots in
            queue.inUpkeepPart { linker.repairLists(of: slots, codes: codes) }
        }
        queue.exclusively {
            let codes = codes
            graph.forEachBlock(CKERNELS_LINKED) { linker.repairLists(of: $0, codes: codes) }
            linker.detach(dead)
        }
        release(dead)
    }

    /// Whether removed slots slow searches down enough for a repair.
    var needsRepair: Bool {
        let dead = deadCount.load(ordering: .relaxed)
        let live = liveCount.load(ordering: .relaxed)
        return dead > 0 && Double(dead) >= max(min(64, Double(live)), parameters.repairShare * Double(live))
    }

    /// Links vectors again that no path from the entry reaches.
    private func sweep() {
        for _ in 0..<Self.sweepRounds {
            let lost = queue.exclusively { linker.unreachedSlots() }
            guard !lost.isEmpty else { return }
            scratches.withScratch { scratch in
                for slot in lost.map({ Slot(rawValue: $0) }) where graph.isLive(slot) {
                    queue.inUpkeepPart { linker.link(slot, isForced: true, codes: codes, scratch: scratch) }
                }
            }
        }
    }

    /// Slots that nothing names any more: free after the next checkpoint, for searches that begin from now on.
    func release(_ slots: [Slot]) {
        let generation = scratches.advance()
        for slot in slots { CKernels_set_dirty(graph.chunks, slot.rawValue) }
        detached.update { $0 += slots.map { WriterState.FreeSlot(slot: $0, generation: generation) } }
        deadCount.subtract(slots.count, ordering: .relaxed)
    }
}
