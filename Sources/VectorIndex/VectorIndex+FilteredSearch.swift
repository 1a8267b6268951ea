internal import CKernels
internal import Synchronization

/// How a search among the members of a set runs.
package enum FilteredPath: String, Sendable {
    /// The codes of all members are scored.
    case scan
    /// The graph is walked from member to member; slots that are none are looked through.
    case twoHop = "two-hop"
    /// The graph is walked as without a set, until enough members have been met.
    case wide
}

extension VectorIndex {
    /// How a search that is not exact runs among `members`.
    package func path(among members: SlotSet, count: Int, ef: Int? = nil) -> FilteredPath {
        let ef = max(ef ?? parameters.efSearch, count)
        let memberCount = members.count
        if memberCount * parameters.efSearch < parameters.filterScanBelow * ef { return .scan }
        let share = Double(memberCount) / Double(max(1, liveCount.load(ordering: .relaxed)))
        return share >= parameters.filterWideFrom ? .wide : .twoHop
    }

    /// The best `ef` or fewer members by their codes, best first; live ones but for what was removed meanwhile.
    func memberCandidates(
        _ members: SlotSet,
        _ path: FilteredPath,
        ef: Int,
        from entry: Slot,
        below slotCount: UInt32,
        _ codes: CodeStore,
        _ scratch: SearchScratch
    ) -> [CKernels_candidate] {
        let limit = path == .wide ? parameters.filterPoolFactor * ef : ef
        scratch.reserve(slotCount: slotCount, ef: max(limit, parameters.filterSeeds))
        return members.words.withUnsafeBufferPointer { words in
            var members = CKernels_members(words: words.baseAddress, word_count: words.count)
            let count = graph.withGraph(codes) { view in
                switch path {
                case .scan: return scratch.scan(&members, ef: ef, view, kernels)
                case .twoHop:
                    scratch.descend(from: entry, to: 0, view, kernels)
                    let origin = scratch.pool[0].slot
                    let entries = scratch.seed(&members, limit: parameters.filterSeeds, view, kernels)
                    return scratch.beam(
                        among: &members,
                        from: origin,
                        entries: min(entries, ef),
                        ef: ef,
                        enough: parameters.filterEnough,
                        view,
                        kernels
                    )
                case .wide:
                    scratch.descend(from: entry, to: 0, view, kernels)
                    return scratch.beamWide(among: &members, ef: ef, limit: limit, view, kernels)
                }
            }
            return UnsafeBufferPointer(start: scratch.pool, count: count).filter {
                graph.isLive(Slot(rawValue: $0.slot))
            }
        }
    }
}

extension SearchScratch {
    func scan(
        _ members: inout CKernels_members,
        ef: Int,
        _ graph: UnsafePointer<CKernels_graph>,
        _ kernels: Kernels
    ) -> Int {
        var query = query.query
        let end = UInt32(scratch.slot_count)
        return CKernels_scan_members(kernels.table, graph, &query, &scratch, &members, end, ef)
    }

    /// Puts the scores of members from all over the set into the pool, best first; returns how many.
    func seed(
        _ members: inout CKernels_members,
        limit: Int,
        _ graph: UnsafePointer<CKernels_graph>,
        _ kernels: Kernels
    ) -> Int {
        var query = query.query
        let end = UInt32(scratch.slot_count)
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: limit) { slots in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: limit) { scores in
                guard let slot = slots.baseAddress, let score = scores.baseAddress else { return 0 }
                let count = CKernels_sample_members(graph.pointee.chunks, &members, end, limit, slot)
                CKernels_score_slots(kernels.table, graph, &query, slot, count, score)
                for index in 0..<count { pool[index] = CKernels_candidate(score: score[index], slot: slot[index]) }
                var seeds = UnsafeMutableBufferPointer(start: pool, count: count)
                seeds.sort { $0.score > $1.score }
                return count
            }
        }
    }

    func beam(
        among members: inout CKernels_members,
        from origin: UInt32,
        entries: Int,
        ef: Int,
        enough: Int,
        _ graph: UnsafePointer<CKernels_graph>,
        _ kernels: Kernels
    ) -> Int {
        var query = query.query
        return CKernels_beam_members(
            kernels.table,
            graph,
            &query,
            &scratch,
            &members,
            origin,
            entries,
            ef,
            enough
        )
    }

    func beamWide(
        among members: inout CKernels_members,
        ef: Int,
        limit: Int,
        _ graph: UnsafePointer<CKernels_graph>,
        _ kernels: Kernels
    ) -> Int {
        var query = query.query
        return CKernels_beam_wide(kernels.table, graph, &query, &scratch, &members, 1, ef, limit)
    }
}
