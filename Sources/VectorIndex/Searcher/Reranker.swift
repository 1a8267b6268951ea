internal import CIndexKernels
internal import Storage

/// Reranking: scores candidates exactly, from the stored vectors, which were found by the scores of their codes.
final class Reranker: Sendable {
    private let state: IndexState
    private let addresses = RowAddressCache()

    init(_ state: IndexState) { self.state = state }

    /// Reranks candidates by exact scores, best first, until the rest cannot come among the best `count`: `slack` is
    /// how far the score of a code may lie below the truth. Early termination: or until
    /// `terminationCount` candidates in a row have changed nothing.
    func rerank(
        _ candidates: [CIndexKernels_candidate],
        _ count: Int,
        slack: Float,
        terminationCount: Int = .max,
        _ context: SearchContext,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [IndexHit] {
        let cached = addresses.view(of: transaction.handle.snapshot)
        var best = HitList(limit: count)
        var next = 0
        var lastChange = 0
        var block: [(slot: Slot, halves: UnsafeRawPointer)] = []
        while next < candidates.count {
            // Rows are looked up some at a time, so that the memory of all of them is under way before the first is
            // read. A block is not larger than what is wanted: the scores of the first may spare the others.
            let end = min(candidates.count, next + max(1, min(16, count)))
            block.removeAll(keepingCapacity: true)
            for candidate in candidates[next..<end] {
                if candidate.score + slack < best.floor { break }
                let slot = Slot(rawValue: candidate.slot)
                if let halves = try storedHalves(slot, cached, transaction) { block.append((slot, halves)) }
            }
            let floor = best.floor
            for (slot, halves) in block {
                let score = state.kernels.table.pointee.dot_f32_f16(context.query.floats, halves, state.dimension)
                best.insert(IndexHit(slot: slot, score: max(-1, min(1, score))))
            }
            if candidates[end - 1].score + slack < best.floor { break }
            if best.floor > floor || best.floor == -.infinity { lastChange = end }
            if end - lastChange >= terminationCount { break }
            next = end
        }
        return best.hits
    }

    /// Where the store's map has the components of a slot, asked for from memory; nil when the transaction does not see
    /// the slot. LMDB leaves them in place while the transaction lasts and writes nothing.
    private func storedHalves(
        _ slot: Slot,
        _ cached: RowAddressCache.View?,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> UnsafeRawPointer? {
        var halves = cached?.address(of: slot.rawValue)
        if halves == nil {
            do throws(StorageError) {
                halves =
                    try transaction.withValue(of: slot.rawValue, in: state.databases.vectors) { row in
                        VectorRow.hasLength(row, dimension: state.dimension) ? VectorRow.withHalves(row) { $0 } : nil
                    } ?? nil
            } catch { throw .storage(error) }
            if let halves { cached?.store(halves, for: slot.rawValue) }
        }
        if let halves { CIndexKernels_prefetch(halves, 2 * state.dimension) }
        return halves
    }
}
