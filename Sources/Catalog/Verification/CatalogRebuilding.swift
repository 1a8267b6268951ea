internal import Platform
internal import Storage
internal import VectorIndex

/// Throws a collection's graph away and links everything anew, after vectors that are damaged were dropped and their files
/// marked for another reading. One thread at a time calls `next`.
///
/// Searches go on throughout. Whatever interrupts it, nothing is lost but time: vectors without links are linked by themselves.
package final class CatalogRebuilding: Sendable {
    /// What a step came to.
    package enum Step: Sendable {
        case progress(step: String, done: Int, total: Int)
        /// Vectors that were linked, and images that wait to be read again.
        case done(linked: Int, dropped: Int)
    }

    private enum Phase {
        case reading(from: Slot, done: Int)
        case clearing
        case linking(total: Int)
        case over
    }

    private struct State {
        var phase = Phase.reading(from: Slot(rawValue: 0), done: 0)
        var dropped = 0
    }

    private static let chunkCount = 4096
    private static let pauseSeconds = 0.25

    private let catalog: Catalog
    private let state = Monitor(State())

    init(_ catalog: Catalog) { self.catalog = catalog }

    /// The next step; nil after `done`.
    ///
    /// - Throws: what kept it from going on; the collection is as it was, but for what was dropped so far.
    package func next() throws(CatalogError) -> Step? {
        try state.withLockNotifyingAll { (state) throws(CatalogError) -> Step? in
            switch state.phase {
            case .reading(let slot, let done): return try read(from: slot, done, &state)
            case .clearing:
                state.phase = .linking(total: try catalog.relink())
                return .progress(step: "linking", done: 0, total: 0)
            case .linking(let total):
                let pending = catalog.statistics.pendingCount
                guard pending > 0, try catalog.isLinking() else {
                    state.phase = .over
                    return .done(linked: total - min(pending, total), dropped: state.dropped)
                }
                sleep(seconds: Self.pauseSeconds)
                return .progress(step: "linking", done: max(0, total - pending), total: total)
            case .over: return nil
            }
        }
    }

    /// Reads some vectors and drops those that are damaged.
    private func read(from first: Slot, _ done: Int, _ state: inout State) throws(CatalogError) -> Step {
        let (slots, damaged) = try catalog.damagedVectors(from: first, limit: Self.chunkCount)
        if !damaged.isEmpty { state.dropped += try catalog.drop(damaged) }
        let total = catalog.statistics.vectorCount
        let read = done + slots.count
        guard let last = slots.last else {
            state.phase = .clearing
            return .progress(step: "reading", done: total, total: total)
        }
        state.phase = .reading(from: Slot(rawValue: last.rawValue + 1), done: read)
        return .progress(step: "reading", done: read, total: max(read, total))
    }
}

extension Catalog {
    /// Begins to drop damaged vectors and to link everything anew.
    package func rebuilding() -> CatalogRebuilding { CatalogRebuilding(self) }

    /// The next slots in use, and which of them hold a vector that is not as it was written.
    fileprivate func damagedVectors(
        from first: Slot,
        limit: Int
    ) throws(CatalogError) -> (slots: [Slot], damaged: [Slot]) {
        try read { (contents, transaction) throws(CatalogFailure) in
            let slots = try contents.slots(from: first, limit: limit, transaction)
            var damaged: [Slot] = []
            for slot in slots {
                do throws(IndexError) {
                    _ = try contents.index.vector(slot, in: transaction.storage)
                } catch .damagedVector {
                    damaged.append(slot)
                } catch { throw CatalogFailure(error) }
            }
            return (slots, damaged)
        }
    }

    /// Drops vectors with their images, whose files are to be read again.
    ///
    /// - Returns: how many images that are.
    fileprivate func drop(_ slots: [Slot]) throws(CatalogError) -> Int {
        guard case .count(let count) = try writer.submit(.drop(slots)) else { return 0 }
        return count
    }

    /// Deletes all links and hands every vector to the linkers.
    ///
    /// - Returns: how many those are.
    fileprivate func relink() throws(CatalogError) -> Int {
        _ = try writer.submit(.removeLinks)
        do throws(CatalogFailure) { return try store.contents().index.relinkAll() } catch { throw error.error }
    }

    /// Whether pending vectors are being linked: a small collection has no graph.
    fileprivate func isLinking() throws(CatalogError) -> Bool {
        do throws(CatalogFailure) { return try store.contents().index.isLinking } catch { throw error.error }
    }
}
