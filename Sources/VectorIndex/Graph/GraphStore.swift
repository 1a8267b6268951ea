internal import CIndexKernels
internal import Synchronization

/// The HNSW graph: links and flags of all slots, in chunks of 65,536 that never move.
///
/// The writer thread prepares slots; linkers edit lists under the slots' lock bytes; searches read without locks
/// (`graph.h` says why that is sound).
final class GraphStore: @unchecked Sendable {
    // `@unchecked`: chunks are complete before a slot of theirs is published; everything in them is accessed atomically
    // by the C functions, except `upper_at`, which is written once, before the slot is published.
    let chunks: UnsafeMutablePointer<CIndexKernels_chunk>
    private var memory: [MappedMemory] = []
    /// Upper lists given out, by chunk.
    private var upperCounts: [Int] = []
    /// Slots that have their places.
    private(set) var preparedCount: UInt32 = 0

    /// Slots that searches may visit: all below it are prepared and encoded.
    private let published = Atomic<UInt32>(0)
    /// Where searches start; `CINDEXKERNELS_NO_SLOT` while nothing is linked.
    private let entryPoint = Atomic<UInt32>(CINDEXKERNELS_NO_SLOT)

    private static let chunkSlots = 1 << CINDEXKERNELS_CHUNK_BITS
    static let slotLimit = CINDEXKERNELS_CHUNK_LIMIT << UInt32(CINDEXKERNELS_CHUNK_BITS)

    init() {
        chunks = .allocate(capacity: Int(CINDEXKERNELS_CHUNK_LIMIT))
        chunks.initialize(repeating: CIndexKernels_chunk(), count: Int(CINDEXKERNELS_CHUNK_LIMIT))
    }

    deinit { chunks.deallocate() }

    /// Slots below this are published.
    var slotCount: UInt32 {
        get { published.load(ordering: .acquiring) }
        set { published.store(newValue, ordering: .releasing) }
    }

    var entry: Slot? {
        get {
            let slot = entryPoint.load(ordering: .acquiring)
            return slot == CINDEXKERNELS_NO_SLOT ? nil : Slot(rawValue: slot)
        }
        set { entryPoint.store(newValue?.rawValue ?? CINDEXKERNELS_NO_SLOT, ordering: .releasing) }
    }

    /// Makes `slot` the entry if it still is `old`.
    func replaceEntry(_ old: Slot?, by slot: Slot) -> Bool {
        entryPoint.compareExchange(
            expected: old?.rawValue ?? CINDEXKERNELS_NO_SLOT,
            desired: slot.rawValue,
            ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Gives `slot` and those below it their places, and `slot` empty lists and no flags.
    func prepare(_ slot: Slot) {
        while preparedCount <= slot.rawValue {
            place(Slot(rawValue: preparedCount))
            preparedCount += 1
        }
        clear(slot)
    }

    /// Empties the lists of a slot and takes its flags away.
    func clear(_ slot: Slot) {
        CIndexKernels_set_flags(chunks, slot.rawValue, 0)
        withGraph(nil) { graph in
            for level in 0...slot.level { CIndexKernels_set_list(graph, slot.rawValue, UInt32(level), [], 0) }
        }
    }

    func flags(_ slot: Slot) -> UInt32 { UInt32(CIndexKernels_flags(chunks, slot.rawValue)) }
    func isLive(_ slot: Slot) -> Bool { flags(slot) & CINDEXKERNELS_LIVE != 0 }
    func add(_ flags: UInt32, to slot: Slot) { CIndexKernels_add_flags(chunks, slot.rawValue, UInt8(flags)) }
    func remove(_ flags: UInt32, from slot: Slot) { CIndexKernels_remove_flags(chunks, slot.rawValue, UInt8(flags)) }

    /// The links of `slot` at `level`.
    func list(_ slot: Slot, level: Int) -> [UInt32] {
        withGraph(nil) { graph in
            [UInt32](unsafeUninitializedCapacity: Int(CINDEXKERNELS_BASE_LINKS)) { buffer, count in
                guard let base = buffer.baseAddress else { return }
                count = CIndexKernels_list(graph, slot.rawValue, UInt32(level), base)
            }
        }
    }

    func setList(_ slot: Slot, level: Int, _ links: [UInt32]) {
        withGraph(nil) { CIndexKernels_set_list($0, slot.rawValue, UInt32(level), links, links.count) }
    }

    /// Calls `body` with blocks of the slots whose flags have every bit of `mask`, in order.
    func forEachBlock<E: Error>(
        _ mask: UInt32,
        limit: Int = 1024,
        _ body: (UnsafeBufferPointer<UInt32>) throws(E) -> Void
    ) throws(E) {
        let buffer = UnsafeMutablePointer<UInt32>.allocate(capacity: limit)
        defer { buffer.deallocate() }
        let end = slotCount
        var next: UInt32 = 0
        while next < end {
            let count = CIndexKernels_collect(chunks, next, end, UInt8(mask), limit, buffer, &next)
            try body(UnsafeBufferPointer(start: buffer, count: count))
        }
    }

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

    /// The live linked slot of the highest level; nil when none is linked.
    func highestLinked() -> Slot? {
        var best: Slot?
        forEachBlock(CINDEXKERNELS_LINKED | CINDEXKERNELS_LIVE) { slots in
            for slot in slots.lazy.map({ Slot(rawValue: $0) }) where slot.level > best?.level ?? -1 { best = slot }
        }
        return best
    }

    /// The view that C works on; `codes` only for what compares vectors.
    func withGraph<R, E: Error>(
        _ codes: CodeStore?,
        _ body: (UnsafePointer<CIndexKernels_graph>) throws(E) -> R
    ) throws(E) -> R {
        var graph = CIndexKernels_graph(
            chunks: chunks,
            codes: codes.map { UnsafePointer($0.chunks) },
            stride: codes?.quantizer.stride ?? 0,
            zero_point: codes?.quantizer.zeroPoint ?? 0,
            unit: codes.map { $0.quantizer.scale * $0.quantizer.scale } ?? 0
        )
        return try withExtendedLifetime(codes) { () throws(E) -> R in try body(&graph) }
    }

    /// Bytes that `count` slots take.
    func byteCount(slots count: Int) -> Int {
        let base = Int(CINDEXKERNELS_BASE_LINKS) * MemoryLayout<UInt32>.stride
        // One slot in 15 has a list above level 0, on average.
        let upper = Int(CINDEXKERNELS_UPPER_LINKS) * MemoryLayout<UInt32>.stride * count / 15
        return count * (base + MemoryLayout<UInt32>.stride + 3) + upper
    }

    // MARK: Places

    private func place(_ slot: Slot) {
        let chunk = Int(slot.rawValue) / Self.chunkSlots
        if chunks[chunk].base == nil { makeChunk(chunk) }
        chunks[chunk].upper_at?[Int(slot.rawValue) % Self.chunkSlots] = UInt32(upperCounts[chunk])
        upperCounts[chunk] += slot.level
    }

    private func makeChunk(_ chunk: Int) {
        let first = UInt32(chunk * Self.chunkSlots)
        let upperLists = (first..<first + UInt32(Self.chunkSlots)).reduce(0) { $0 + Slot(rawValue: $1).level }
        let word = MemoryLayout<UInt32>.stride
        let base = MappedMemory(
            byteCount: Self.chunkSlots * Int(CINDEXKERNELS_BASE_LINKS) * word,
            isGrowing: chunk == 0
        )
        let upperBytes = upperLists * Int(CINDEXKERNELS_UPPER_LINKS) * word
        let rest = MappedMemory(byteCount: upperBytes + Self.chunkSlots * (word + 3), isGrowing: true)
        memory += [base, rest]
        upperCounts.append(0)

        var at = rest.base
        func take<T>(_ count: Int, of type: T.Type) -> UnsafeMutablePointer<T> {
            defer { at += count * MemoryLayout<T>.stride }
            return at.bindMemory(to: type, capacity: count)
        }
        var made = CIndexKernels_chunk()
        made.base = base.base.bindMemory(to: UInt32.self, capacity: base.byteCount / word)
        made.upper = take(upperLists * Int(CINDEXKERNELS_UPPER_LINKS), of: UInt32.self)
        made.upper_at = take(Self.chunkSlots, of: UInt32.self)
        made.flags = take(Self.chunkSlots, of: UInt8.self)
        made.locks = take(Self.chunkSlots, of: UInt8.self)
        made.dirty = take(Self.chunkSlots, of: UInt8.self)
        chunks[chunk] = made
    }
}
