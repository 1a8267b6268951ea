internal import CIndexKernels
internal import Storage

/// How a search among the members of a set runs.
package enum FilteredPath: String, Sendable {
    /// The codes of all members are scored, and the vectors of the best.
    case scan
    /// The graph is walked from member to member, through the neighbours that are none (ACORN-1, arXiv:2403.04871).
    case twoHop = "two-hop"
}

extension VectorIndex {
    /// How a search for `vector` among `members` runs that is not exact, in a collection that is not small.
    ///
    /// - Throws: `.dimension`, `.notFinite`, `.zeroVector`.
    package func path(
        of vector: [Float],
        among members: SlotSet,
        count: Int,
        ef: Int? = nil
    ) throws(IndexError) -> FilteredPath {
        let unit = try normalised(vector)
        return scratches.withScratch { scratch in
            guard let entry = graph.entry else { return .scan }
            let search = MemberSearch(self, members, entry, graph.slotCount, codes, scratch)
            scratch.query.set(unit, codec: codes.codec, kernels: kernels)
            return search.isScanned(ef: max(ef ?? parameters.efSearch, count)) || search.origin() == nil
                ? .scan : .twoHop
        }
    }

    /// The best members; nil when they are not certain: fewer than `count` came and there may be more.
    func memberHits(
        _ search: MemberSearch,
        _ unit: [Float],
        _ count: Int,
        ef: Int,
        _ pending: [UInt32],
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [IndexHit]? {
        let wanted = max(4 * count, 40)
        let (candidates, path) = search.candidates(count, ef: ef, wanted: wanted)
        guard var found = candidates else { return nil }
        // A scan that leaves fewer has seen every live member.
        let isComplete = path == .scan && found.count < count
        if path == .twoHop {
            addPending(pending.filter { search.has($0) }, to: &found, wanted, search.codes, search.scratch)
        }
        putFirst(duplicates.candidates(halves(of: unit).hash).filter { search.has($0.rawValue) }, in: &found)
        // Candidates are so many where scores lie close together, and then their codes say little of their order.
        let patience = found.count > 8 * wanted ? Int.max : wanted
        let slack = search.codes.codec.reach
        let hits = try rescore(found, count, slack: slack, patience: patience, search.scratch, transaction)
        return hits.count == count || isComplete ? hits : nil
    }
}

extension GraphStore {
    /// Calls `body` with blocks of the live slots, in order; only of those in `members` when it is not nil.
    func forEachLiveBlock(among members: SlotSet?, _ body: (UnsafeBufferPointer<UInt32>) -> Void) {
        guard let members else { return forEachBlock(CINDEXKERNELS_LIVE, body) }
        let limit = 1024
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: limit) { slots in
            members.words.withUnsafeBufferPointer { words in
                guard let base = slots.baseAddress else { return }
                var members = CIndexKernels_members(words: words.baseAddress, word_count: words.count)
                let end = slotCount
                var next: UInt32 = 0
                while next < end {
                    let live = UInt8(CINDEXKERNELS_LIVE)
                    let count = CIndexKernels_collect_members(chunks, &members, next, end, live, limit, base, &next)
                    body(UnsafeBufferPointer(start: base, count: count))
                }
            }
        }
    }
}
