internal import CIndexKernels
package import Storage
internal import Synchronization

/// Searches: from any number of threads, without locks on the graph.
extension VectorIndex {
    /// The stored vector of a slot, as binary16 kept it.
    ///
    /// - Throws: `.unknownSlot`, `.damagedVector`, `.storage`.
    package func vector(
        _ slot: Slot,
        in transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [Float] {
        var halves: HalfVector??
        do throws(StorageError) {
            halves = try transaction.withValue(of: slot.rawValue, in: databases.vectors) { row -> HalfVector? in
                guard VectorRow.isIntact(row, dimension: dimension) else { return nil }
                return row.copy(VectorRow.headerByteCount..<row.byteCount).map { HalfVector(bytes: $0) }
            }
        } catch { throw .storage(error) }
        guard let found = halves else { throw .unknownSlot(slot) }
        guard let found else { throw .damagedVector(slot) }
        return found.floats(kernels)
    }

    /// Vectors that the transaction sees, damaged ones among them.
    package func storedCount(in transaction: borrowing some Transaction & ~Copyable) throws(IndexError) -> Int {
        do throws(StorageError) { return try transaction.count(of: databases.vectors) } catch { throw .storage(error) }
    }

    /// The most similar stored vectors, best first.
    ///
    /// - Parameters:
    ///   - vector: `dimension` finite components, not all zero; scaled to length 1 unless it has it.
    ///   - count: how many; fewer come only when fewer are stored.
    ///   - ef: breadth of the graph search, at least `count`; more is slower and finds more. A default when nil.
    ///   - isExact: scan everything: the true nearest. Small collections are always scanned.
    ///   - members: when not nil, only slots of this set are returned.
    ///   - transaction: begun at any time; vectors that it does not see are not returned.
    /// - Returns: hits with exact scores (of the binary16 vectors), equal scores by slot. An equal stored vector is always found.
    /// - Throws: `.dimension`, `.notFinite`, `.zeroVector`, `.storage`.
    package func search(
        _ vector: [Float],
        count: Int,
        ef: Int? = nil,
        isExact: Bool = false,
        among members: SlotSet? = nil,
        transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [IndexHit] {
        let unit = try normalised(vector)
        guard count > 0 else { return [] }
        return try scratches.withScratch { (scratch) throws(IndexError) -> [IndexHit] in
            // The order matters: what is linked after the pending copy is still in the copy; what is published after the slot
            // count is passed over; codes taken last cover every slot below the count.
            let pending = queue.pending
            let entry = graph.entry
            let slotCount = graph.slotCount
            let codes = codes
            scratch.query.set(unit, codec: codes.codec, kernels: kernels)
            let live = liveCount.load(ordering: .relaxed)
            if let entry, !isExact, members == nil, live >= parameters.exactBelow {
                let ef = breadth(ef, count, codes.codec)
                scratch.reserve(slotCount: slotCount, ef: ef)
                let wanted = max(4 * count, 40, ef / 2)
                var found = graphCandidates(entry, ef, wanted, codes, scratch)
                addPending(pending.filter { $0 < slotCount }, to: &found, wanted, codes, scratch)
                putFirst(duplicates.candidates(halves(of: unit).hash), in: &found)
                let hits = try rescore(found, count, slack: codes.codec.reach, scratch, transaction)
                if hits.count >= min(count, live) { return hits }
            }
            if let entry, let members, !isExact, live >= parameters.exactBelow {
                let search = MemberSearch(self, members, entry, slotCount, codes, scratch)
                let ef = breadth(ef, count, codes.codec)
                if let hits = try memberHits(search, unit, count, ef: ef, pending, transaction) { return hits }
            }
            return try scan(count, among: members, below: slotCount, codes, scratch, transaction)
        }
    }

    /// Slots that a search keeps. Where codes leave much out, the nearest by the vectors lie among more by the codes.
    private func breadth(_ ef: Int?, _ count: Int, _ codec: VectorCodec) -> Int {
        widened(max(ef ?? max(parameters.efSearch, codec.projection == nil ? count : 4 * count), count))
    }

    /// Removed slots take places in the pool: as many more are given.
    private func widened(_ ef: Int) -> Int {
        let dead = deadCount.load(ordering: .relaxed)
        guard dead > 0 else { return ef }
        let live = max(1, liveCount.load(ordering: .relaxed))
        return min(4 * ef, ef + (ef * dead + live - 1) / live)
    }

    /// Live slots of a graph search, best first.
    private func graphCandidates(
        _ entry: Slot,
        _ ef: Int,
        _ wanted: Int,
        _ codes: CodeStore,
        _ scratch: SearchScratch
    ) -> [CIndexKernels_candidate] {
        let count = graph.withGraph(codes) { view in
            scratch.descend(from: entry, to: 0, view, kernels)
            return scratch.beam(entries: 1, level: 0, ef: ef, view, kernels)
        }
        var found: [CIndexKernels_candidate] = []
        found.reserveCapacity(wanted + 8)
        for candidate in UnsafeBufferPointer(start: scratch.pool, count: count) {
            guard graph.isLive(Slot(rawValue: candidate.slot)) else { continue }
            found.append(candidate)
            if found.count == wanted { break }
        }
        return found
    }

    /// Merges pending slots that the graph search has not met into `found`, which stays sorted and at most `wanted` long.
    func addPending(
        _ pending: [UInt32],
        to found: inout [CIndexKernels_candidate],
        _ wanted: Int,
        _ codes: CodeStore,
        _ scratch: SearchScratch
    ) {
        guard !pending.isEmpty else { return }
        let scores = scores(of: pending, codes, scratch)
        let floor = found.count >= wanted ? found[wanted - 1].score : -.infinity
        for (slot, score) in zip(pending, scores) where score > floor {
            guard !scratch.hasVisited(slot), graph.isLive(Slot(rawValue: slot)) else { continue }
            found.append(CIndexKernels_candidate(score: score, slot: slot))
        }
        found.sort { $0.score > $1.score }
        if found.count > wanted { found.removeLast(found.count - wanted) }
    }

    /// Puts slots whose vectors may equal the query before all others, whatever score their codes have: a vector beyond the
    /// learnt range is less like its own code than another may be.
    func putFirst(_ equal: [Slot], in found: inout [CIndexKernels_candidate]) {
        guard !equal.isEmpty else { return }
        found.removeAll { candidate in equal.contains(Slot(rawValue: candidate.slot)) }
        found.insert(contentsOf: equal.map { CIndexKernels_candidate(score: 1, slot: $0.rawValue) }, at: 0)
    }

    func scores(of slots: [UInt32], _ codes: CodeStore, _ scratch: SearchScratch) -> [Float] {
        [Float](unsafeUninitializedCapacity: slots.count) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            var query = scratch.query.query
            graph.withGraph(codes) { CIndexKernels_score_slots(kernels.table, $0, &query, slots, slots.count, base) }
            count = slots.count
        }
    }

    /// Exact scores of candidates, best first, until the rest cannot come among the best `count`: `slack` is how far the
    /// score of a code may lie below the truth. Or until `patience` candidates in a row have changed nothing.
    func rescore(
        _ candidates: [CIndexKernels_candidate],
        _ count: Int,
        slack: Float,
        patience: Int = .max,
        _ scratch: SearchScratch,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [IndexHit] {
        let places = rowPlaces.view(of: transaction.handle.snapshot)
        var best = HitList(limit: count)
        var next = 0
        var lastChange = 0
        var block: [(slot: Slot, halves: UnsafeRawPointer)] = []
        while next < candidates.count {
            // Rows are looked up some at a time, so that the memory of all of them is under way before the first is read. A
            // block is not larger than what is wanted: the scores of the first may spare the others.
            let end = min(candidates.count, next + max(1, min(16, count)))
            block.removeAll(keepingCapacity: true)
            for candidate in candidates[next..<end] {
                if candidate.score + slack < best.floor { break }
                let slot = Slot(rawValue: candidate.slot)
                if let halves = try storedHalves(slot, places, transaction) { block.append((slot, halves)) }
            }
            let floor = best.floor
            for (slot, halves) in block {
                let score = kernels.table.pointee.dot_f32_f16(scratch.query.floats, halves, dimension)
                best.insert(IndexHit(slot: slot, score: max(-1, min(1, score))))
            }
            if candidates[end - 1].score + slack < best.floor { break }
            if best.floor > floor || best.floor == -.infinity { lastChange = end }
            if end - lastChange >= patience { break }
            next = end
        }
        return best.hits
    }

    /// Where the store's map has the components of a slot, asked for from memory; nil when the transaction does not see the
    /// slot. LMDB leaves them in place while the transaction lasts and writes nothing.
    private func storedHalves(
        _ slot: Slot,
        _ places: RowPlaces.View?,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> UnsafeRawPointer? {
        var halves = places?.place(of: slot.rawValue)
        if halves == nil {
            do throws(StorageError) {
                halves =
                    try transaction.withValue(of: slot.rawValue, in: databases.vectors) { row in
                        VectorRow.hasLength(row, dimension: dimension) ? VectorRow.withHalves(row) { $0 } : nil
                    } ?? nil
            } catch { throw .storage(error) }
            if let halves { places?.note(slot.rawValue, halves) }
        }
        if let halves { CIndexKernels_prefetch(halves, 2 * dimension) }
        return halves
    }

    /// The true nearest: every code bounds its vector's score from both sides, and every vector whose upper bound reaches the
    /// `count`-th lower bound is scored exactly.
    private func scan(
        _ count: Int,
        among members: SlotSet?,
        below slotCount: UInt32,
        _ codes: CodeStore,
        _ scratch: SearchScratch,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [IndexHit] {
        /// Covers the query's own rounding to 15 bits.
        let queryError: Float = 1e-3
        var lower = HitList(limit: count)
        var upper: [CIndexKernels_candidate] = []
        graph.forEachLiveBlock(among: members) { block in
            let slots = block.filter { $0 < slotCount }
            for (slot, score) in zip(slots, scores(of: slots, codes, scratch)) {
                let error = codes.loss(Slot(rawValue: slot)).bound(scratch.query) + queryError
                guard score + error >= lower.floor else { continue }
                lower.insert(IndexHit(slot: Slot(rawValue: slot), score: score - error))
                upper.append(CIndexKernels_candidate(score: score + error, slot: slot))
            }
        }
        let floor = lower.floor
        upper.removeAll { $0.score < floor }
        upper.sort { $0.score > $1.score }
        return try rescore(upper, count, slack: 0, scratch, transaction)
    }
}
