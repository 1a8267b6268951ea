internal import CIndexKernels

/// HNSW insertion (arXiv:1603.09320, algorithm 1), and the edits of lists that repair the graph.
///
/// Several threads may link at once. They do not see each other's unfinished vectors, which costs an edge now and then.
final class Linker: Sendable {
    private let graph: GraphStore
    private let kernels: DispatchTable
    private let parameters: IndexParameters

    init(graph: GraphStore, kernels: DispatchTable, parameters: IndexParameters) {
        self.graph = graph
        self.kernels = kernels
        self.parameters = parameters
    }

    /// Links a live slot, again when it is linked; lists are stored from level 0 upwards, so that a search that visits
    /// it above finds them complete.
    func link(_ slot: Slot, codes: CodeStore, context: SearchContext) {
        guard let entry = graph.entry ?? claimEntry(slot) else { return }
        graph.withGraph(codes) { view in
            context.reserve(slotCount: graph.slotCount, ef: parameters.efConstruction)
            context.query.set(code: codes.row(slot), quantizer: codes.quantizer)
            let top = min(slot.level, entry.level)
            context.descend(from: entry, to: top, view, kernels)
            var chosen: [[UInt32]] = []
            var count = 1
            for level in stride(from: top, through: 0, by: -1) {
                count = context.beam(entries: count, level: level, ef: parameters.efConstruction, view, kernels)
                chosen.append(select(slot, context.pool, count, view))
            }
            for (level, neighbours) in chosen.reversed().enumerated() {
                CIndexKernels_link(kernels.table, view, slot.rawValue, UInt32(level), neighbours, neighbours.count)
            }
        }
        graph.add(CINDEXKERNELS_LINKED, to: slot)
        raiseEntry(to: slot)
    }

    private func select(
        _ slot: Slot,
        _ pool: UnsafePointer<CIndexKernels_candidate>,
        _ count: Int,
        _ view: UnsafePointer<CIndexKernels_graph>
    ) -> [UInt32] {
        let limit = parameters.linkCount
        return [UInt32](unsafeUninitializedCapacity: limit) { buffer, kept in
            guard let base = buffer.baseAddress else { return }
            kept = CIndexKernels_select(kernels.table, view, slot.rawValue, pool, count, limit, base)
        }
    }

    /// Makes the first slot the entry; returns the entry of another thread that was quicker.
    private func claimEntry(_ slot: Slot) -> Slot? {
        guard graph.replaceEntry(nil, by: slot) else { return graph.entry }
        graph.add(CINDEXKERNELS_LINKED, to: slot)
        CIndexKernels_set_dirty(graph.chunks, slot.rawValue)
        return nil
    }

    /// The highest slot is the entry.
    private func raiseEntry(to slot: Slot) {
        while true {
            let entry = graph.entry
            if let entry, entry.level >= slot.level { return }
            if graph.replaceEntry(entry, by: slot) { return }
        }
    }

    // MARK: Maintenance

    /// Replaces links to tombstones in the lists of `slots`.
    ///
    /// - Returns: live slots whose list at level 0 came out short: they need neighbours from farther away.
    func repairLists(of slots: UnsafeBufferPointer<UInt32>, codes: CodeStore) -> [Slot] {
        var short: [Slot] = []
        graph.withGraph(codes) { view in
            for slot in slots.lazy.map({ Slot(rawValue: $0) }) {
                for level in 0...slot.level {
                    let count = Int(CIndexKernels_repair(kernels.table, view, slot.rawValue, UInt32(level)))
                    if level == 0, 0..<parameters.linkCount / 2 ~= count, graph.isLive(slot) { short.append(slot) }
                }
            }
        }
        return short
    }

    /// Gives an orphan, a slot that no path reaches, ways in, from lists with free capacity near it. None loses a link
    /// by that, so what is reached stays reached, and one call a slot is enough unless no list near it has free
    /// capacity.
    func attach(_ slot: Slot, codes: CodeStore, context: SearchContext) {
        /// One way in would do; some more spare searches detours.
        let wayCount = 4
        guard let entry = graph.entry else { return }
        graph.withGraph(codes) { view in
            context.reserve(slotCount: graph.slotCount, ef: parameters.efConstruction)
            context.query.set(code: codes.row(slot), quantizer: codes.quantizer)
            context.descend(from: entry, to: 0, view, kernels)
            let count = context.beam(entries: 1, level: 0, ef: parameters.efConstruction, view, kernels)
            _ = CIndexKernels_attach(view, slot.rawValue, context.pool, count, wayCount)
        }
    }

    /// Slots that are linked but no longer live.
    func tombstones() -> [Slot] {
        var tombstones: [Slot] = []
        graph.forEachBlock(CINDEXKERNELS_LINKED) { slots in
            for slot in slots where !graph.isLive(Slot(rawValue: slot)) { tombstones.append(Slot(rawValue: slot)) }
        }
        return tombstones
    }

    /// Lets searches start at a live slot when the entry is a tombstone. No linker runs.
    func leaveTombstoneEntry() {
        if let entry = graph.entry, !graph.isLive(entry) { graph.entry = graph.highestLinked() }
    }

    /// Takes slots that no list names any more out of the graph. None of them is the entry.
    func detach(_ tombstones: [Slot]) {
        for slot in tombstones {
            graph.clear(slot)
            // The next checkpoint deletes their rows.
            CIndexKernels_set_dirty(graph.chunks, slot.rawValue)
        }
    }

    /// Orphan scan, a breadth-first search: live linked slots that no path of level-0 links from the entry reaches.
    /// Beside linkers it may name some that are reached, and miss some that have just been lost.
    func orphans() -> [UInt32] {
        guard let entry = graph.entry else { return [] }
        let count = Int(graph.slotCount)
        var reached = [UInt8](repeating: 0, count: count)
        var queue = [UInt32](repeating: 0, count: count)
        _ = graph.withGraph(nil) { CIndexKernels_reach($0, entry.rawValue, count, &reached, &queue) }
        var orphans: [UInt32] = []
        graph.forEachBlock(CINDEXKERNELS_LINKED | CINDEXKERNELS_LIVE) { slots in
            // Slots published meanwhile are not known yet.
            for slot in slots where Int(slot) < count && reached[Int(slot)] == 0 { orphans.append(slot) }
        }
        return orphans
    }
}
