internal import CIndexKernels
internal import Platform
package import Storage
internal import Synchronization

/// Linking everything anew, from the vectors alone, while searches go on.
extension VectorIndex {
    /// How long searches that walk the old graph are waited for; they take milliseconds.
    private static let patienceSeconds = 0.1

    /// Deletes all links in the store; `relinkAll` follows the commit. A process that ends before it, or before the links are
    /// written again, finds all vectors pending when it opens the index.
    ///
    /// - Throws: `.storage`.
    package func stageLinkRemoval(in transaction: borrowing WriteTransaction) throws(IndexError) {
        do throws(StorageError) {
            try transaction.removeAll(from: databases.baseLinks)
            try transaction.removeAll(from: databases.upperLinks)
        } catch { throw .storage(error) }
    }

    /// Throws the graph in memory away and hands every vector to the linkers. Searches scan until the first is linked, then scan
    /// what is not linked yet beside the new graph: as exact as before, and slower.
    ///
    /// - Returns: how many vectors are to be linked.
    /// - Complexity: O(n); the linkers' work is O(n log n), about 4,000 vectors a second on two cores.
    @discardableResult
    package func relinkAll() -> Int {
        var dead: [Slot] = []
        queue.exclusively {
            // From here on searches scan everything.
            graph.entry = nil
            let generation = scratches.advance()
            let deadline = Instant.now + Self.patienceSeconds
            while !scratches.hasPassed(generation), Instant.now < deadline { sleep(seconds: 0.001) }
            graph.forEachBlock(CINDEXKERNELS_LINKED) { slots in
                var live: [UInt32] = []
                for slot in slots.lazy.map({ Slot(rawValue: $0) }) {
                    for level in 0...slot.level { graph.setList(slot, level: level, []) }
                    graph.remove(CINDEXKERNELS_LINKED, from: slot)
                    if graph.isLive(slot) { live.append(slot.rawValue) } else { dead.append(slot) }
                }
                queue.append(live)
            }
            linkedSinceSweep.store(0, ordering: .relaxed)
        }
        release(dead)
        return queue.pendingCount
    }

    /// Whether what is pending gets linked: not while the collection is too small for a graph, nor without linkers.
    package var isLinking: Bool { queue.isAtWork }
}
