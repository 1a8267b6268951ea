package import Platform
package import Storage
internal import Synchronization

/// Nearest neighbours by cosine similarity over vectors kept in LMDB: an HNSW index.
///
/// The store holds the truth; a mirror in memory (byte codes and links) answers searches. What a transaction staged is
/// durable when it commits and searchable as soon as `publish` returns: by scan first, through the graph once a linker
/// has been there. The index never opens a transaction itself.
///
/// Threads: `stage`, `stageRemoval`, `stageLinkRemoval`, `publish`, `discard` and `checkpoint` belong to the one writer
/// thread of the environment; everything else may be called from any thread at any time.
package final class VectorIndex: Sendable {
    let state: IndexState
    let searcher: IndexSearcher
    let maintenance: GraphMaintenance
    let writer: IndexWriter

    /// Opens the index in `transaction`, making its databases when they are missing, and loads it: vectors, links, and
    /// as pending what was added after the last checkpoint.
    ///
    /// Damaged vectors are left out and counted in `statistics`; damaged links are made again.
    /// - Throws: `.dimension` when out of range or not the store's, `.damagedFormat`, `.unsupportedVersion`,
    ///   `.storage`.
    /// - Complexity: O(n). 100,000 vectors of 512 components took 0.3 s on one core of 2.5 GHz, the file in the page
    ///   cache.
    package convenience init(dimension: Int, transaction: borrowing WriteTransaction) throws(IndexError) {
        try self.init(dimension: dimension, transaction: transaction, parameters: IndexParameters())
    }

    package init(
        dimension: Int,
        transaction: borrowing WriteTransaction,
        parameters: IndexParameters
    ) throws(IndexError) {
        guard 1...4096 ~= dimension else { throw .dimension(got: dimension, expected: 4096) }
        var loader = try IndexLoader(
            dimension: dimension,
            parameters: parameters,
            kernels: .chosen,
            transaction: transaction
        )
        state = try loader.load(in: transaction)
        let queue = LinkQueue()
        searcher = IndexSearcher(state, queue)
        maintenance = GraphMaintenance(state, queue, searcher.contexts, loader)
        writer = IndexWriter(state, maintenance, searcher.contexts, loader.writer)
    }

    /// Components of every vector, 1...4096.
    package var dimension: Int { state.dimension }

    package var statistics: IndexStatistics {
        IndexStatistics(
            vectorCount: state.liveCount.load(ordering: .relaxed),
            pendingCount: maintenance.pendingCount,
            memoryByteCount: state.byteCount,
            damagedSlots: state.damaged,
            instructionSet: state.kernels.name
        )
    }

    // MARK: Searches

    /// The most similar stored vectors, best first.
    ///
    /// - Parameters:
    ///   - vector: `dimension` finite components, not all zero; scaled to length 1 unless it has it.
    ///   - count: how many; fewer come only when fewer are stored.
    ///   - ef: breadth of the graph search, at least `count`; more is slower and finds more. A default when nil.
    ///   - isExact: scan everything: the true nearest. Small collections are always scanned.
    ///   - members: when not nil, only slots of this set are returned.
    ///   - transaction: begun at any time; vectors that it does not see are not returned.
    /// - Returns: hits with exact scores (of the binary16 vectors), equal scores by slot. An equal stored vector is
    ///   always found.
    /// - Throws: `.dimension`, `.notFinite`, `.zeroVector`, `.storage`.
    package func search(
        _ vector: [Float],
        count: Int,
        ef: Int? = nil,
        isExact: Bool = false,
        among members: SlotSet? = nil,
        transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [IndexHit] {
        try searcher.search(vector, count: count, ef: ef, isExact: isExact, among: members, transaction: transaction)
    }

    /// How a search for `vector` among `members` runs that is not exact, in a collection that is not small.
    ///
    /// - Throws: `.dimension`, `.notFinite`, `.zeroVector`.
    package func path(
        of vector: [Float],
        among members: SlotSet,
        count: Int,
        ef: Int? = nil
    ) throws(IndexError) -> FilteredPath {
        try searcher.path(of: vector, among: members, count: count, ef: ef)
    }

    /// The stored vector of a slot, as binary16 kept it.
    ///
    /// - Throws: `.unknownSlot`, `.damagedVector`, `.storage`.
    package func vector(
        _ slot: Slot,
        in transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [Float] {
        try state.vectors.vector(slot, in: transaction)
    }

    /// Vectors that the transaction sees, damaged ones among them.
    package func storedCount(in transaction: borrowing some Transaction & ~Copyable) throws(IndexError) -> Int {
        try state.vectors.count(in: transaction)
    }

    /// Slots in use from `first` on, in order, at most `limit`.
    package func slots(
        from first: Slot,
        limit: Int,
        in transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [Slot] {
        try state.vectors.slots(from: first, limit: limit, in: transaction)
    }

    /// A vector in the form in which it is stored: of length 1, in binary16.
    ///
    /// - Throws: `.dimension`, `.notFinite`, `.zeroVector`.
    package func stored(_ vector: [Float]) throws(IndexError) -> HalfVector {
        state.halves(of: try state.normalised(vector))
    }

    /// A vector in binary16.
    package func halves(of vector: [Float]) -> HalfVector { state.halves(of: vector) }

    // MARK: Changes

    /// Writes a vector; searches do not see it before `publish`.
    ///
    /// - Parameters:
    ///   - vector: `dimension` finite components, not all zero; scaled to length 1 unless it has it.
    ///   - transaction: the one whose commit makes it durable.
    ///   - mayShare: whether a slot with an equal vector will do; asked for each.
    /// - Returns: the slot of the vector; of an equal one (in binary16) when that is stored already.
    /// - Throws: `.dimension`, `.notFinite`, `.zeroVector`, `.full`, `.storage`.
    package func stage(
        _ vector: [Float],
        in transaction: borrowing WriteTransaction,
        mayShare: (Slot) -> Bool = { _ in true }
    ) throws(IndexError) -> Slot {
        try writer.stage(vector, in: transaction, mayShare: mayShare)
    }

    /// Deletes a vector; searches see it until `publish`.
    ///
    /// - Throws: `.unknownSlot`, `.storage`.
    package func stageRemoval(_ slot: Slot, in transaction: borrowing WriteTransaction) throws(IndexError) {
        try writer.stageRemoval(slot, in: transaction)
    }

    /// Deletes all links in the store; `relinkAll` follows the commit. A process that ends before it, or before the
    /// links are written again, finds all vectors pending when it opens the index.
    ///
    /// - Throws: `.storage`.
    package func stageLinkRemoval(in transaction: borrowing WriteTransaction) throws(IndexError) {
        try writer.stageLinkRemoval(in: transaction)
    }

    /// Makes what the committed transaction staged visible to searches: added vectors at once, by scan, removed ones no
    /// more.
    package func publish() { writer.publish() }

    /// Forgets what an aborted transaction staged.
    package func discard() { writer.discard() }

    /// Whether `checkpoint(in:)` should be called: a checkpoint epoch is under way, enough has changed, or nothing has
    /// for a minute.
    package var needsCheckpoint: Bool { writer.needsCheckpoint }

    /// Writes a part of the changed links, about `checkpointPages` pages at most. `publish` or `discard` follows the
    /// end of the transaction, as with `stage`.
    ///
    /// - Returns: true when more is left; at shutdown, call until it returns false.
    /// - Throws: `.storage`.
    package func checkpoint(in transaction: borrowing WriteTransaction) throws(IndexError) -> Bool {
        try writer.checkpoint(in: transaction)
    }

    // MARK: Maintenance

    /// Starts the threads that link pending vectors; `stop` ends them. May be called again after `stop`.
    package func start(threadCount: Int = 1) throws(SystemError) {
        try maintenance.start(threadCount: threadCount)
    }

    /// Ends the linkers after the vector each is at; what is not linked stays searchable.
    package func stop() { maintenance.stop() }

    /// Blocks until every published vector is linked and the graph is in order; returns at once while the collection is
    /// too small for a graph, or when linkers are stopped.
    package func waitUntilLinked() { maintenance.waitUntilLinked() }

    /// Backpressure: blocks while so many published vectors wait for a linker that scanning them would slow searches
    /// down: call it before adding more, without a transaction. Returns at once when linkers are stopped.
    package func applyBackpressure() { maintenance.applyBackpressure() }

    /// Throws the graph in memory away and hands every vector to the linkers. Searches scan until the first is linked,
    /// then scan what is not linked yet beside the new graph: as exact as before, and slower.
    ///
    /// - Returns: how many vectors are to be linked.
    /// - Complexity: O(n); the linkers' work is O(n log n), about 4,000 vectors a second on two cores.
    @discardableResult
    package func relinkAll() -> Int { maintenance.relinkAll() }

    /// Whether what is pending gets linked: not while the collection is too small for a graph, nor without linkers.
    package var isLinking: Bool { maintenance.isLinking }
}

/// What an index holds.
package struct IndexStatistics: Hashable, Sendable {
    /// Vectors that searches can return.
    package var vectorCount: Int
    /// Of those, the ones found by scan until the linker gets to them.
    package var pendingCount: Int
    /// Bytes of the in-memory mirror in use.
    package var memoryByteCount: Int
    /// Slots whose stored vector failed its checksum when the index was opened; never returned, never reused.
    package var damagedSlots: [Slot]
    /// The kernels in use: `portable`, `avx2` or `avx512`.
    package var instructionSet: String
}
