internal import CIndexKernels
internal import Storage
internal import Synchronization

/// How a search among the members of a set runs.
package enum FilteredPath: String, Sendable {
    /// The codes of all members are scored, and the vectors of the best.
    case scan
    /// The graph is traversed from member to member, through the neighbours that are none (ACORN-1, arXiv:2403.04871).
    case twoHop = "two-hop"
}

/// Searches the HNSW graph, what is not in it yet, or everything, and reranks what it finds from the stored vectors.
///
/// It owns the contexts that searches and linkers borrow, and, with its reranker, the row address cache. Any number of
/// threads search at once, without locks on the graph.
final class IndexSearcher: Sendable {
    private let state: IndexState
    private let queue: LinkQueue
    private let reranker: Reranker
    let contexts: SearchContextPool

    init(_ state: IndexState, _ queue: LinkQueue) {
        self.state = state
        self.queue = queue
        reranker = Reranker(state)
        contexts = SearchContextPool(dimension: state.dimension)
    }

    func search(
        _ vector: [Float],
        count: Int,
        ef: Int?,
        isExact: Bool,
        among members: SlotSet?,
        transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [IndexHit] {
        let unit = try state.normalised(vector)
        guard count > 0 else { return [] }
        return try contexts.withContext { (context) throws(IndexError) -> [IndexHit] in
            // The order matters. What is linked after the snapshot is still in the snapshot. A slot becomes pending
            // after the slot count covers it, so every slot of the snapshot lies below the count. The traversal passes
            // over what is published after the count. Codes taken last cover every slot below the count.
            let pending = queue.pending
            let entry = state.graph.entry
            let slotCount = state.graph.slotCount
            let codes = state.codes
            context.query.set(unit, quantizer: codes.quantizer, kernels: state.kernels)
            let live = state.liveCount.load(ordering: .relaxed)
            if let entry, !isExact, members == nil, live >= state.parameters.exactBelow {
                let ef = breadth(ef, count, codes.quantizer)
                context.reserve(slotCount: slotCount, ef: ef)
                let wanted = max(4 * count, 40, ef / 2)
                var found = graphCandidates(entry, ef, wanted, codes, context)
                addPending(pending, among: nil, to: &found, wanted, codes, context)
                prependExactMatches(state.exactMatches.candidates(state.halves(of: unit).hash), in: &found)
                let hits = try reranker.rerank(found, count, slack: codes.quantizer.errorBound, context, transaction)
                if hits.count >= min(count, live) { return hits }
            }
            if let entry, let members, !isExact, live >= state.parameters.exactBelow {
                let search = MemberSearch(state, members, entry, slotCount, codes, context)
                let ef = breadth(ef, count, codes.quantizer)
                if let hits = try memberHits(search, unit, count, ef: ef, pending, transaction) { return hits }
            }
            return try scan(count, among: members, below: slotCount, codes, context, transaction)
        }
    }

    func path(
        of vector: [Float],
        among members: SlotSet,
        count: Int,
        ef: Int?
    ) throws(IndexError) -> FilteredPath {
        let unit = try state.normalised(vector)
        return contexts.withContext { context in
            guard let entry = state.graph.entry else { return .scan }
            let codes = state.codes
            let search = MemberSearch(state, members, entry, state.graph.slotCount, codes, context)
            context.query.set(unit, quantizer: codes.quantizer, kernels: state.kernels)
            return search.isScanned(ef: max(ef ?? state.parameters.efSearch, count)) || search.queryPoint() == nil
                ? .scan : .twoHop
        }
    }

    /// Slots that a search keeps. Where codes leave much out, the nearest by the vectors lie among more by the codes.
    private func breadth(_ ef: Int?, _ count: Int, _ quantizer: ScalarQuantizer) -> Int {
        widened(max(ef ?? max(state.parameters.efSearch, quantizer.pca == nil ? count : 4 * count), count))
    }

    /// Tombstones take places in the pool: as many more are given.
    private func widened(_ ef: Int) -> Int {
        let tombstones = state.tombstoneCount.load(ordering: .relaxed)
        guard tombstones > 0 else { return ef }
        let live = max(1, state.liveCount.load(ordering: .relaxed))
        return min(4 * ef, ef + (ef * tombstones + live - 1) / live)
    }

    /// Live slots of a graph search, best first.
    private func graphCandidates(
        _ entry: Slot,
        _ ef: Int,
        _ wanted: Int,
        _ codes: CodeStore,
        _ context: SearchContext
    ) -> [CIndexKernels_candidate] {
        let count = state.graph.withGraph(codes) { view in
            context.descend(from: entry, to: 0, view, state.kernels)
            return context.beam(entries: 1, level: 0, ef: ef, view, state.kernels)
        }
        var found: [CIndexKernels_candidate] = []
        found.reserveCapacity(wanted + 8)
        for candidate in UnsafeBufferPointer(start: context.pool, count: count) {
            guard state.graph.isLive(Slot(rawValue: candidate.slot)) else { continue }
            found.append(candidate)
            if found.count == wanted { break }
        }
        return found
    }

    /// The best members; nil when they are not certain: fewer than `count` came and there may be more.
    private func memberHits(
        _ search: MemberSearch,
        _ unit: [Float],
        _ count: Int,
        ef: Int,
        _ pending: PendingSlots.Snapshot,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [IndexHit]? {
        let wanted = max(4 * count, 40)
        let (candidates, path) = search.candidates(count, ef: ef, wanted: wanted)
        guard var found = candidates else { return nil }
        // A scan that leaves fewer has seen every live member.
        let isComplete = path == .scan && found.count < count
        if path == .twoHop {
            addPending(pending, among: search.members, to: &found, wanted, search.codes, search.context)
        }
        prependExactMatches(
            state.exactMatches.candidates(state.halves(of: unit).hash).filter { search.has($0.rawValue) },
            in: &found
        )
        // Candidates are so many where scores lie close together, and then their codes say little of their order.
        let terminationCount = found.count > 8 * wanted ? Int.max : wanted
        let slack = search.codes.quantizer.errorBound
        let hits = try reranker.rerank(
            found,
            count,
            slack: slack,
            terminationCount: terminationCount,
            search.context,
            transaction
        )
        return hits.count == count || isComplete ? hits : nil
    }

    /// Merges pending slots that the graph search has not visited into `found`, which stays sorted and at most `wanted`
    /// long.
    private func addPending(
        _ pending: PendingSlots.Snapshot,
        among members: SlotSet?,
        to found: inout [CIndexKernels_candidate],
        _ wanted: Int,
        _ codes: CodeStore,
        _ context: SearchContext
    ) {
        guard !pending.isEmpty else { return }
        let limit = PendingSlots.Snapshot.blockLimit
        var floor = found.count >= wanted ? found[wanted - 1].score : -.infinity
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: limit) { chosen in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: limit) { scores in
                pending.forEachBlock { block in
                    var slots = block
                    if let members {
                        var count = 0
                        for slot in block where members.contains(Slot(rawValue: slot)) {
                            chosen.initializeElement(at: count, to: slot)
                            count += 1
                        }
                        slots = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(chosen)[..<count])
                    }
                    context.score(slots, state.graph, codes, state.kernels, to: scores)
                    for (index, slot) in slots.enumerated() where scores[index] > floor {
                        guard !context.hasVisited(slot), state.graph.isLive(Slot(rawValue: slot)) else { continue }
                        found.append(CIndexKernels_candidate(score: scores[index], slot: slot))
                    }
                    // A better floor spares candidates of the blocks to come.
                    guard found.count >= 2 * wanted else { return }
                    Self.keepBest(wanted, of: &found)
                    floor = found[wanted - 1].score
                }
            }
        }
        Self.keepBest(wanted, of: &found)
    }

    private static func keepBest(_ wanted: Int, of found: inout [CIndexKernels_candidate]) {
        found.sort { $0.score > $1.score }
        if found.count > wanted { found.removeLast(found.count - wanted) }
    }

    /// Puts exact-match candidates, slots whose vectors may equal the query, before all others, whatever score their
    /// codes have: a vector beyond the trained range is less like its own code than another may be.
    private func prependExactMatches(_ matches: [Slot], in found: inout [CIndexKernels_candidate]) {
        guard !matches.isEmpty else { return }
        found.removeAll { candidate in matches.contains(Slot(rawValue: candidate.slot)) }
        found.insert(contentsOf: matches.map { CIndexKernels_candidate(score: 1, slot: $0.rawValue) }, at: 0)
    }

    /// The true nearest: every code bounds its vector's score from both sides, and every vector whose upper bound
    /// reaches the `count`-th lower bound is scored exactly.
    private func scan(
        _ count: Int,
        among members: SlotSet?,
        below slotCount: UInt32,
        _ codes: CodeStore,
        _ context: SearchContext,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [IndexHit] {
        /// Covers the query's own rounding to 15 bits.
        let queryError: Float = 1e-3
        var lower = HitList(limit: count)
        var upper: [CIndexKernels_candidate] = []
        state.graph.forEachLiveBlock(among: members) { block in
            let slots = block.filter { $0 < slotCount }
            for (slot, score) in zip(slots, context.scores(of: slots, state.graph, codes, state.kernels)) {
                let error = codes.quantizationError(Slot(rawValue: slot)).bound(context.query) + queryError
                guard score + error >= lower.floor else { continue }
                lower.insert(IndexHit(slot: Slot(rawValue: slot), score: score - error))
                upper.append(CIndexKernels_candidate(score: score + error, slot: slot))
            }
        }
        let floor = lower.floor
        upper.removeAll { $0.score < floor }
        upper.sort { $0.score > $1.score }
        return try reranker.rerank(upper, count, slack: 0, context, transaction)
    }
}
