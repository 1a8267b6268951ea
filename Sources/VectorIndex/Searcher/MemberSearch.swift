internal import CIndexKernels
internal import Synchronization

/// A filtered search: one approximate search among the members of a set, by a scan of their codes or by a traversal
/// over two hops (ACORN-1, arXiv:2403.04871).
struct MemberSearch {
    private let state: IndexState
    let members: SlotSet
    private let entry: Slot
    private let slotCount: UInt32
    let codes: CodeStore
    let context: SearchContext
    /// Tests compare instruction sets.
    var kernels: DispatchTable
    private let memberCount: Int
    /// Of the live vectors.
    private let share: Double

    /// Candidates that a scan may leave; where scores lie so close that more could be among the best, all is scanned
    /// rigorously.
    private static let scanLimit = 16_384
    /// Members from all over the set that a traversal starts from: it finds the parts of the set that no path joins.
    private static let seedCount = 32
    /// A query is out of distribution when the share of members two hops around it is less than this part of their
    /// share of all.
    private static let outOfDistributionShare = 0.5
    /// Members that a hop looks for, times their share of all, or twice this when every second vector is one: where
    /// they are few, lists leave gaps. CINDEXKERNELS_BASE_LINKS at most.
    private static let membersPerHop = 6.0
    /// Below this share a traversal takes a pool half as large again, for the same reason.
    private static let thinShare = 0.25

    /// `context` has the query.
    init(
        _ state: IndexState,
        _ members: SlotSet,
        _ entry: Slot,
        _ slotCount: UInt32,
        _ codes: CodeStore,
        _ context: SearchContext
    ) {
        self.state = state
        self.members = members
        self.entry = entry
        self.slotCount = slotCount
        self.codes = codes
        self.context = context
        kernels = state.kernels
        memberCount = members.count
        share = Double(memberCount) / Double(max(1, state.liveCount.load(ordering: .relaxed)))
    }

    private var parameters: IndexParameters { state.parameters }

    /// Whether a search may return `slot`.
    func has(_ slot: UInt32) -> Bool { slot < slotCount && members.contains(Slot(rawValue: slot)) }

    /// Whether a scan is quicker than a traversal with a pool of `ef`, or the graph has too few members to traverse.
    func isScanned(ef: Int) -> Bool {
        memberCount * parameters.efSearch < parameters.scannedMembers * ef || share < parameters.scannedShare
    }

    /// The query point: the slot nearest to the query by the levels above 0; nil when it is better to scan, for there
    /// are hardly any members.
    func queryPoint() -> CIndexKernels_candidate? {
        context.reserve(slotCount: slotCount, ef: Self.seedCount + 1)
        let near = withMembers { members, view in
            context.descend(from: entry, to: 0, view, kernels)
            return CIndexKernels_share_near(view, &members, context.pool[0].slot, slotCount)
        }
        let isOutOfDistribution =
            Double(near) < Self.outOfDistributionShare * share && memberCount < parameters.scannedOutOfDistribution
        return isOutOfDistribution ? nil : context.pool[0]
    }

    /// Members that may be among the best `count`, best first by their codes: of a traversal at most `wanted`, and none
    /// that it has not visited in the graph; of a scan all, or nil when they are too many.
    func candidates(_ count: Int, ef: Int, wanted: Int) -> (found: [CIndexKernels_candidate]?, path: FilteredPath) {
        if !isScanned(ef: ef), let queryPoint = queryPoint() {
            return (Array(traverse(from: queryPoint, ef: ef).prefix(wanted)), .twoHop)
        }
        return (scan(count), .scan)
    }

    private func scan(_ count: Int) -> [CIndexKernels_candidate]? {
        let limit = max(Self.scanLimit, 2 * count)
        context.reserve(slotCount: slotCount, ef: limit)
        let found = withMembers { members, view in
            var query = context.query.query
            return CIndexKernels_scan_members(
                kernels.table,
                view,
                &query,
                &context.kernelContext,
                &members,
                slotCount,
                count,
                codes.quantizer.errorBound,
                limit
            )
        }
        guard found < limit else { return nil }
        return UnsafeBufferPointer(start: context.pool, count: found).sorted { $0.score > $1.score }
    }

    private func traverse(from queryPoint: CIndexKernels_candidate, ef: Int) -> [CIndexKernels_candidate] {
        let ef = share < Self.thinShare ? ef + ef / 2 : ef
        context.reserve(slotCount: slotCount, ef: max(ef, Self.seedCount + 1))
        let enough = min(Double(CINDEXKERNELS_BASE_LINKS), max(2, 1 / share) * Self.membersPerHop)
        let count = withMembers { members, view in
            var query = context.query.query
            let entries = seed(queryPoint, &members, view)
            return CIndexKernels_beam_members(
                kernels.table,
                view,
                &query,
                &context.kernelContext,
                &members,
                queryPoint.slot,
                min(entries, ef),
                ef,
                Int(enough)
            )
        }
        return UnsafeBufferPointer(start: context.pool, count: count).filter {
            state.graph.isLive(Slot(rawValue: $0.slot))
        }
    }

    /// Puts members from all over the set into the pool, and `queryPoint` if it is one, best first; returns how many.
    private func seed(
        _ queryPoint: CIndexKernels_candidate,
        _ members: inout CIndexKernels_members,
        _ view: UnsafePointer<CIndexKernels_graph>
    ) -> Int {
        var slots = [UInt32](repeating: 0, count: Self.seedCount)
        var count = CIndexKernels_sample_members(view.pointee.chunks, &members, slotCount, slots.count, &slots)
        slots.removeLast(slots.count - count)
        let scores = context.scores(of: slots, state.graph, codes, kernels)
        var seeds = zip(slots, scores).map { CIndexKernels_candidate(score: $1, slot: $0) }
        if self.members.contains(Slot(rawValue: queryPoint.slot)), !slots.contains(queryPoint.slot) {
            seeds.append(queryPoint)
            count += 1
        }
        seeds.sort { $0.score > $1.score }
        context.pool.update(from: seeds, count: count)
        return count
    }

    private func withMembers<R>(
        _ body: (inout CIndexKernels_members, UnsafePointer<CIndexKernels_graph>) -> R
    ) -> R {
        members.words.withUnsafeBufferPointer { words in
            var members = CIndexKernels_members(words: words.baseAddress, word_count: words.count)
            return state.graph.withGraph(codes) { body(&members, $0) }
        }
    }
}
