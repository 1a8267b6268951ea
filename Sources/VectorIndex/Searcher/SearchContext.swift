internal import CIndexKernels
internal import Platform

/// A search context: what one search or one linker needs beside the index, its query, candidate pool and visited set;
/// used by one thread at a time.
final class SearchContext: @unchecked Sendable {
    // `@unchecked`: `SearchContextPool` lends it to one thread at a time.
    let query: QueryBuffer
    fileprivate let number: Int
    var kernelContext: CIndexKernels_search_context
    private var poolCapacity = 0

    init(dimension: Int, number: Int) {
        query = QueryBuffer(dimension: dimension)
        self.number = number
        kernelContext = CIndexKernels_search_context(
            visited: nil,
            visited_capacity: 0,
            visited_mask: 0,
            visited_count: 0,
            slot_count: 0,
            pool: .allocate(capacity: 1),
            scored: 0
        )
    }

    deinit {
        CIndexKernels_free_search_context(&kernelContext)
        kernelContext.pool.deallocate()
    }

    var pool: UnsafeMutablePointer<CIndexKernels_candidate> { kernelContext.pool }

    /// Reserves capacity for slots below `slotCount` and pools of `ef`.
    func reserve(slotCount: UInt32, ef: Int) {
        kernelContext.slot_count = Int(slotCount)
        if poolCapacity < ef {
            kernelContext.pool.deallocate()
            kernelContext.pool = .allocate(capacity: ef)
            poolCapacity = ef
        }
    }

    /// Whether the last beam visited `slot`.
    func hasVisited(_ slot: UInt32) -> Bool {
        withUnsafePointer(to: kernelContext) { CIndexKernels_has_visited($0, slot) }
    }

    /// Greedy descent from the entry to `level`: one candidate a level, each level starting where the one above ended.
    /// Leaves the nearest slot visited in the pool.
    func descend(
        from entry: Slot,
        to level: Int,
        _ graph: UnsafePointer<CIndexKernels_graph>,
        _ kernels: DispatchTable
    ) {
        var query = query.query
        var slot = entry.rawValue
        var score: Float = 0
        CIndexKernels_score_slots(kernels.table, graph, &query, &slot, 1, &score)
        pool[0] = CIndexKernels_candidate(score: score, slot: slot)
        for upper in stride(from: entry.level, to: level, by: -1) {
            _ = CIndexKernels_beam(kernels.table, graph, &query, &kernelContext, 1, UInt32(upper), 1)
        }
    }

    /// Best-first search at `level` from the first `entries` of the pool; returns how many the pool holds then.
    func beam(
        entries: Int,
        level: Int,
        ef: Int,
        _ graph: UnsafePointer<CIndexKernels_graph>,
        _ kernels: DispatchTable
    ) -> Int {
        var query = query.query
        return CIndexKernels_beam(kernels.table, graph, &query, &kernelContext, entries, UInt32(level), ef)
    }

    /// Writes the similarities of the query to `slots` to `scores`.
    func score(
        _ slots: UnsafeBufferPointer<UInt32>,
        _ graph: GraphStore,
        _ codes: CodeStore,
        _ kernels: DispatchTable,
        to scores: UnsafeMutableBufferPointer<Float>
    ) {
        guard let base = slots.baseAddress, let target = scores.baseAddress else { return }
        precondition(slots.count <= scores.count, "\(slots.count) slots, \(scores.count) scores")
        var query = self.query.query
        graph.withGraph(codes) { CIndexKernels_score_slots(kernels.table, $0, &query, base, slots.count, target) }
    }

    /// Similarities of the query to `slots`.
    func scores(of slots: [UInt32], _ graph: GraphStore, _ codes: CodeStore, _ kernels: DispatchTable) -> [Float] {
        [Float](unsafeUninitializedCapacity: slots.count) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            var query = self.query.query
            graph.withGraph(codes) { CIndexKernels_score_slots(kernels.table, $0, &query, slots, slots.count, base) }
            count = slots.count
        }
    }
}

/// Lends search contexts, with epoch-based reclamation: it knows the epoch in which each borrower began to read. A slot
/// may be written anew only after every search that could still hold its number has ended.
final class SearchContextPool: Sendable {
    private struct State {
        var free: [SearchContext] = []
        /// Epoch in which the borrower of each context began; `idle` when it is not lent.
        var began: [UInt64] = []
        var epoch: UInt64 = 0
    }

    private static let idle = UInt64.max
    private let dimension: Int
    private let state = Monitor(State())

    init(dimension: Int) { self.dimension = dimension }

    func withContext<R, E: Error>(_ body: (SearchContext) throws(E) -> R) throws(E) -> R {
        let context = state.withLockNotifyingAll { state -> SearchContext in
            let context = state.free.popLast() ?? SearchContext(dimension: dimension, number: state.began.count)
            if context.number == state.began.count { state.began.append(Self.idle) }
            state.began[context.number] = state.epoch
            return context
        }
        defer {
            state.withLockNotifyingAll { state in
                state.began[context.number] = Self.idle
                state.free.append(context)
            }
        }
        return try body(context)
    }

    /// Starts a new epoch and returns it: what was taken out of the index before this call is out of reach for searches
    /// of this epoch and later ones.
    func advanceEpoch() -> UInt64 {
        state.withLockNotifyingAll { state in
            state.epoch += 1
            return state.epoch
        }
    }

    /// Whether every running search began in `epoch` or later.
    func hasPassed(_ epoch: UInt64) -> Bool {
        state.withLock { state in state.began.allSatisfy { $0 >= epoch } }
    }
}
