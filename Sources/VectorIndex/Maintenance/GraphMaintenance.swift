internal import CIndexKernels
internal import Platform
internal import Synchronization

/// Keeps the HNSW graph whole beside the searches: links pending vectors, repairs lists that name tombstones, and joins
/// orphans to it, vectors that no path reaches.
///
/// It owns the linkers' threads, the queue of pending vectors and the slots that left the graph. One linker at a time
/// does the maintenance.
final class GraphMaintenance: Sendable {
    /// Passes of a connectivity repair before what it leaves is left to the next maintenance.
    private static let connectivityPasses = 3
    /// How long searches that traverse the old graph are waited for when it is made anew; they take milliseconds.
    private static let drainSeconds = 0.1
    /// Lists repaired at once: what needs the linkers to wait waits for so many.
    private static let repairBlock = 128

    private let state: IndexState
    private let queue: LinkQueue
    private let contexts: SearchContextPool
    let linker: Linker
    /// Slots that left the graph and wait for a checkpoint.
    let detached: Monitor<[WriterState.FreeSlot]>
    private let threads = Monitor<[WorkerThread]>([])
    /// Vectors linked since the last checkpoint began.
    private let linkedSinceCheckpoint = Atomic<Int>(0)
    /// Vectors linked since the last connectivity repair was asked for.
    private let linkedSinceConnectivityRepair = Atomic<Int>(0)

    init(_ state: IndexState, _ queue: LinkQueue, _ contexts: SearchContextPool, _ loader: IndexLoader) {
        self.state = state
        self.queue = queue
        self.contexts = contexts
        linker = Linker(graph: state.graph, kernels: state.kernels, parameters: state.parameters)
        detached = Monitor(loader.absent.map { WriterState.FreeSlot(slot: $0, epoch: 0) })
        queue.append(loader.pending)
        if loader.liveCount >= state.parameters.linkFrom || state.graph.entry != nil { queue.open() }
        if loader.lostLinks { queue.requestMaintenance() }
    }

    // MARK: Linkers

    func start(threadCount: Int) throws(SystemError) {
        queue.start()
        for number in 0..<threadCount {
            let thread = try WorkerThread(name: "linker-\(number)") { [self] in runLinker() }
            threads.withLockNotifyingAll { $0.append(thread) }
        }
    }

    func stop() {
        queue.stop()
        let running = threads.withLockNotifyingAll { threads in
            defer { threads = [] }
            return threads
        }
        for thread in running { thread.join() }
    }

    func waitUntilLinked() { queue.waitUntilIdle() }
    func applyBackpressure() { queue.applyBackpressure(state.parameters.pendingLimit) }

    var isLinking: Bool { queue.isAtWork }
    var pendingCount: Int { queue.pendingCount }

    private func runLinker() {
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
            case .maintenance:
                if repair() { repairConnectivity() }
                queue.finishMaintenance()
            }
        }
    }

    /// Takes a slot into the graph.
    ///
    /// - Returns: false when it was removed before, and no list names it.
    private func link(_ slot: Slot) -> Bool {
        guard state.graph.isLive(slot) else {
            // One that was in the graph already is a repair's to take out. So is one that was pending when the index
            // was opened: lists of the last run may name it.
            if slot.rawValue < state.loadedSlotCount { state.graph.add(CINDEXKERNELS_LINKED, to: slot) }
            return state.graph.flags(slot) & CINDEXKERNELS_LINKED != 0
        }
        contexts.withContext { context in
            linker.link(slot, codes: state.codes, context: context)
        }
        linkedSinceCheckpoint.add(1, ordering: .relaxed)
        let linked = linkedSinceConnectivityRepair.add(1, ordering: .relaxed).newValue
        if linked >= max(1024, state.liveCount.load(ordering: .relaxed) / 4) {
            linkedSinceConnectivityRepair.store(0, ordering: .relaxed)
            queue.requestMaintenance()
        }
        return true
    }

    /// Takes tombstones out of the graph when they are many, beside linkers and searches.
    ///
    /// Linkers choose live neighbours only. So once those that began before the removal have ended, nothing names these
    /// slots anew, and one pass over all lists leaves none that does: not even a tombstone's, which a search may still
    /// traverse when what it names is written anew.
    /// - Returns: false when the linkers were stopped before the end; it begins again when they start.
    private func repair() -> Bool {
        guard needsRepair else { return true }
        let tombstones = linker.tombstones()
        guard !tombstones.isEmpty else { return true }
        queue.whileQuiesced { linker.leaveTombstoneEntry() }
        var short: [Slot] = []
        state.graph.forEachBlock(CINDEXKERNELS_LINKED, limit: Self.repairBlock) { slots in
            guard !queue.isStopping else { return }
            short += queue.inMaintenanceStep { linker.repairLists(of: slots, codes: state.codes) }
        }
        guard !queue.isStopping else {
            queue.requestMaintenance()
            return false
        }
        linker.detach(tombstones)
        release(tombstones)
        contexts.withContext { context in
            for slot in short where state.graph.isLive(slot) {
                queue.inMaintenanceStep { linker.link(slot, codes: state.codes, context: context) }
            }
        }
        return true
    }

    /// Whether tombstones slow searches down enough for a repair.
    private var needsRepair: Bool {
        let tombstones = state.tombstoneCount.load(ordering: .relaxed)
        let live = state.liveCount.load(ordering: .relaxed)
        return tombstones > 0
            && Double(tombstones) >= max(min(64, Double(live)), state.parameters.repairShare * Double(live))
    }

    /// Connectivity repair: an orphan scan finds vectors that no path from the entry reaches, and gives them ways in.
    private func repairConnectivity() {
        for _ in 0..<Self.connectivityPasses {
            let orphans = linker.orphans()
            guard !orphans.isEmpty else { return }
            contexts.withContext { context in
                for slot in orphans.map({ Slot(rawValue: $0) }) where state.graph.isLive(slot) {
                    queue.inMaintenanceStep { linker.attach(slot, codes: state.codes, context: context) }
                }
            }
        }
    }

    /// Slots that nothing names any more: free after the next checkpoint, for searches that begin from now on.
    private func release(_ slots: [Slot]) {
        let epoch = contexts.advanceEpoch()
        for slot in slots { CIndexKernels_set_dirty(state.graph.chunks, slot.rawValue) }
        detached.withLockNotifyingAll { $0 += slots.map { WriterState.FreeSlot(slot: $0, epoch: epoch) } }
        state.tombstoneCount.subtract(slots.count, ordering: .relaxed)
    }

    // MARK: The writer's side

    /// Takes in what the writer published: added slots become pending, removed ones are tombstones until a repair takes
    /// them out.
    func accept(added: [UInt32], removed: Set<UInt32>) {
        queue.append(added)
        if state.liveCount.load(ordering: .relaxed) >= state.parameters.linkFrom {
            queue.open()
        } else {
            release(queue.withdraw(removed).map { Slot(rawValue: $0) })
        }
        if !removed.isEmpty, needsRepair { queue.requestMaintenance() }
    }

    /// Runs `body` while no linker compares codes or edits lists.
    func whileQuiesced<R>(_ body: () -> R) -> R { queue.whileQuiesced(body) }

    /// Vectors linked that the store does not know of.
    var unwrittenCount: Int { linkedSinceCheckpoint.load(ordering: .relaxed) }

    /// Takes the set of changed slots and of freed ones while no vector is half linked; nil when there is nothing to
    /// write.
    func beginCheckpoint(sequence: UInt64, durable: UInt64) -> CheckpointEpoch? {
        queue.whileQuiesced { () -> CheckpointEpoch? in
            let slots = (0..<state.graph.slotCount).filter { CIndexKernels_take_dirty(state.graph.chunks, $0) }
            linkedSinceCheckpoint.store(0, ordering: .relaxed)
            let freed = detached.withLockNotifyingAll { detached in
                defer { detached = [] }
                return detached
            }
            guard !slots.isEmpty || !freed.isEmpty || sequence != durable else { return nil }
            return CheckpointEpoch(slots: slots, sequence: sequence, entry: state.graph.entry, freed: freed)
        }
    }

    // MARK: Rebuild

    func relinkAll() -> Int {
        var tombstones: [Slot] = []
        var total = 0
        queue.whileQuiesced {
            // From here on searches scan everything.
            state.graph.entry = nil
            let epoch = contexts.advanceEpoch()
            let deadline = Instant.now + Self.drainSeconds
            while !contexts.hasPassed(epoch), Instant.now < deadline { sleep(seconds: 0.001) }
            state.graph.forEachBlock(CINDEXKERNELS_LINKED) { slots in
                var live: [UInt32] = []
                for slot in slots.lazy.map({ Slot(rawValue: $0) }) {
                    for level in 0...slot.level { state.graph.setList(slot, level: level, []) }
                    state.graph.remove(CINDEXKERNELS_LINKED, from: slot)
                    if state.graph.isLive(slot) { live.append(slot.rawValue) } else { tombstones.append(slot) }
                }
                queue.append(live)
            }
            linkedSinceConnectivityRepair.store(0, ordering: .relaxed)
            // Before linkers take any.
            total = queue.pendingCount
        }
        release(tombstones)
        return total
    }
}
