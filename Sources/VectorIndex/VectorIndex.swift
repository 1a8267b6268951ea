internal import CIndexKernels
package import Platform
package import Storage
internal import Synchronization

/// Nearest neighbours by cosine similarity over vectors kept in LMDB.
///
/// The store holds the truth; a mirror in memory (byte codes and links) answers searches. What a transaction staged is
/// durable when it commits and searchable as soon as `publish` returns: by scan first, through the graph once a linker
/// has been there. The index never opens a transaction itself.
///
/// Threads: `stage`, `stageRemoval`, `publish`, `discard` and `checkpoint` belong to the one writer thread of the
/// environment; everything else may be called from any thread at any time.
package final class VectorIndex: Sendable {
    /// Components of every vector, 1...4096.
    package let dimension: Int

    let parameters: IndexParameters
    let databases: IndexDatabases
    let kernels: DispatchTable
    let graph = GraphStore()
    let codeStore: Monitor<CodeStore>
    let duplicates = DuplicateTable()
    let queue = LinkQueue()
    let linker: Linker
    let scratches: ScratchPool
    let rowPlaces = RowPlaces()
    let writer: Monitor<WriterState>
    /// Slots that left the graph and wait for a checkpoint.
    let detached = Monitor<[WriterState.FreeSlot]>([])
    let damaged: [Slot]
    /// Slots below this were there when the index was opened.
    let loadedSlotCount: UInt32
    private let threads = Monitor<[WorkerThread]>([])

    /// Vectors that can be returned.
    let liveCount = Atomic<Int>(0)
    /// Removed vectors that are still in the graph or in the queue.
    let deadCount = Atomic<Int>(0)
    /// Vectors linked since the last checkpoint began.
    let linkedSinceCheckpoint = Atomic<Int>(0)
    /// Vectors linked since the graph was last to be looked over for lost ones.
    let linkedSinceSweep = Atomic<Int>(0)
    /// When the last change was published, in nanoseconds of `Instant`.
    let lastChange = Atomic(Instant.now.nanoseconds)

    /// Opens the index in `transaction`, making its databases when they are missing, and loads it: vectors, links, and
    /// as pending what was added after the last checkpoint.
    ///
    /// Damaged vectors are left out and counted in `statistics`; damaged links are made again.
    /// - Throws: `.dimension` when out of range or not the store's, `.damagedFormat`, `.unsupportedVersion`, `.storage`.
    /// - Complexity: O(n). 100,000 vectors of 512 components took 0.3 s on one core of 2.5 GHz, the file in the page cache.
    package convenience init(dimension: Int, transaction: borrowing WriteTransaction) throws(IndexError) {
        try self.init(dimension: dimension, transaction: transaction, parameters: IndexParameters())
    }

    package init(
        dimension: Int,
        transaction: borrowing WriteTransaction,
        parameters: IndexParameters
    ) throws(IndexError) {
        guard 1...4096 ~= dimension else { throw .dimension(got: dimension, expected: 4096) }
        let kernels = DispatchTable.chosen
        var loader: IndexLoader
        do throws(StorageError) {
            let databases = try IndexDatabases(transaction)
            loader = IndexLoader(dimension: dimension, databases: databases, kernels: kernels, parameters: parameters)
        } catch { throw .storage(error) }
        try loader.checkConfiguration(in: transaction)
        let codes = try loader.loadVectors(in: transaction, into: graph, duplicates)
        try loader.loadLinks(in: transaction, into: graph)

        self.dimension = dimension
        self.parameters = parameters
        self.kernels = kernels
        databases = loader.databases
        codeStore = Monitor(codes)
        linker = Linker(graph: graph, kernels: kernels, parameters: parameters)
        scratches = ScratchPool(dimension: dimension)
        writer = Monitor(loader.writer)
        damaged = loader.damaged
        loadedSlotCount = graph.slotCount

        liveCount.store(loader.liveCount, ordering: .relaxed)
        if let entry = loader.entry, entry.rawValue < graph.slotCount, graph.flags(entry) & CINDEXKERNELS_LINKED != 0 {
            graph.entry = entry
        } else {
            graph.entry = linker.highestLinked()
        }
        detached.update { $0 = loader.absent.map { WriterState.FreeSlot(slot: $0, generation: 0) } }
        queue.append(loader.pending)
        if loader.liveCount >= parameters.linkFrom || graph.entry != nil { queue.open() }
        if loader.lostLinks { queue.requestUpkeep() }
    }

    /// The codes in use now; a search keeps the ones it began with.
    var codes: CodeStore { codeStore.read { $0 } }

    // MARK: Linkers

    /// Starts the threads that link pending vectors; `stop` ends them. May be called again after `stop`.
    package func start(threadCount: Int = 1) throws(SystemError) {
        queue.start()
        for number in 0..<threadCount {
            let thread = try WorkerThread(name: "linker-\(number)") { [self] in runLinker() }
            threads.update { $0.append(thread) }
        }
    }

    /// Ends the linkers after the vector each is at; what is not linked stays searchable.
    package func stop() {
        queue.stop()
        let running = threads.update { threads in
            defer { threads = [] }
            return threads
        }
        for thread in running { thread.join() }
    }

    /// Blocks until every published vector is linked and the graph is in order; returns at once while the collection is too
    /// small for a graph, or when linkers are stopped.
    package func waitUntilLinked() { queue.waitUntilIdle() }

    /// Blocks while so many published vectors wait for a linker that scanning them would slow searches down: call it before
    /// adding more, without a transaction. Returns at once when linkers are stopped.
    package func waitForRoom() { queue.waitForRoom(parameters.pendingLimit) }

    package var statistics: IndexStatistics {
        let slots = Int(graph.slotCount)
        return IndexStatistics(
            vectorCount: liveCount.load(ordering: .relaxed),
            pendingCount: queue.pendingCount,
            memoryByteCount: slots * codes.slotByteCount + graph.byteCount(slots: slots) + duplicates.byteCount,
            damagedSlots: damaged,
            instructionSet: kernels.name
        )
    }
}
