internal import CIndexKernels
internal import Platform
internal import Synchronization

/// The in-memory index that the writer, the searches and the maintenance share: the HNSW graph, the codes, the table of
/// exact matches and the counts.
///
/// Each part synchronises itself, as its type says. `liveCount` is changed by the writer, `tombstoneCount` by the
/// writer and by linkers.
final class IndexState: Sendable {
    /// Components of every vector, 1...4096.
    let dimension: Int
    let parameters: IndexParameters
    let databases: IndexDatabases
    let kernels: DispatchTable
    let graph: GraphStore
    let exactMatches: ExactMatchTable
    let damaged: [Slot]
    /// Slots below this were there when the index was opened.
    let loadedSlotCount: UInt32
    private let codeStore: Monitor<CodeStore>

    /// Vectors that can be returned.
    let liveCount: Atomic<Int>
    /// Tombstones: removed vectors that are still in the graph or in the queue.
    let tombstoneCount = Atomic<Int>(0)

    /// Takes over what `loader` read.
    init(_ loader: IndexLoader, _ codes: CodeStore) {
        dimension = loader.dimension
        parameters = loader.parameters
        databases = loader.databases
        kernels = loader.kernels
        graph = loader.graph
        exactMatches = loader.exactMatches
        damaged = loader.damaged
        loadedSlotCount = loader.graph.slotCount
        codeStore = Monitor(codes)
        liveCount = Atomic(loader.liveCount)
    }

    /// The codes in use now; a search keeps the ones it began with.
    var codes: CodeStore { codeStore.withLock { $0 } }

    /// Puts codes of another quantizer in the place of those in use. No linker runs.
    func replaceCodes(by fresh: CodeStore) { codeStore.withLockNotifyingAll { $0 = fresh } }

    /// Reads the stored vectors.
    var vectors: VectorReader { VectorReader(databases: databases, dimension: dimension, kernels: kernels) }

    /// Bytes of the in-memory mirror in use.
    var byteCount: Int {
        let slots = Int(graph.slotCount)
        return slots * codes.slotByteCount + graph.byteCount(slots: slots) + exactMatches.byteCount
    }

    /// A vector in binary16.
    func halves(of vector: [Float]) -> HalfVector {
        HalfVector(
            bytes: [UInt8](unsafeUninitializedCapacity: 2 * vector.count) { buffer, count in
                guard let base = buffer.baseAddress else { return }
                kernels.table.pointee.convert_f32_f16(vector, vector.count, base)
                count = 2 * vector.count
            }
        )
    }

    /// The vector scaled to length 1.
    ///
    /// - Throws: `.dimension`, `.notFinite`, `.zeroVector`.
    func normalised(_ vector: [Float]) throws(IndexError) -> [Float] {
        guard vector.count == dimension else { throw .dimension(got: vector.count, expected: dimension) }
        var largest: Float = 0
        var squares = 0.0
        guard CIndexKernels_measure_f32(vector, dimension, &largest, &squares) else { throw .notFinite }
        guard largest > 0 else { throw .zeroVector }
        // Vectors come with length 1 but for rounding; scaling those again would only make equal ones differ.
        if abs(squares - 1) < 1e-5 { return vector }
        let scale = 1 / squares.squareRoot()
        return vector.map { Float(Double($0) * scale) }
    }
}
