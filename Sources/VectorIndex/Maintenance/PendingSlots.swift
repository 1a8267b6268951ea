/// A first-in, first-out queue of slots in append-only chunks, of which a search takes an immutable snapshot instead of
/// a copy.
///
/// It does not synchronise itself: the link queue holds its lock for every call. Adding and taking a slot are O(1)
/// amortised, a snapshot is O(1): a chunk of 4,096 slots that is begun or used up copies the list of chunks at most.
struct PendingSlots {
    /// Slots that are written once and never moved.
    fileprivate final class Chunk: @unchecked Sendable {
        // `@unchecked`: an element is written under the link queue's lock, before a snapshot that covers it is taken
        // under the same lock, and never again.
        static let capacity = 4096
        let slots: UnsafeMutablePointer<UInt32>

        init() { slots = .allocate(capacity: Self.capacity) }

        deinit { slots.deallocate() }
    }

    /// The slots that a queue held at one moment, and those that linkers were at.
    struct Snapshot: Sendable {
        fileprivate let chunks: [Chunk]
        fileprivate let range: Range<Int>
        /// Being linked: taken from the queue, and not in the graph yet.
        fileprivate let linking: [UInt32]

        /// Slots of a block at most.
        static let blockLimit = 1024

        var isEmpty: Bool { range.isEmpty && linking.isEmpty }
        var count: Int { range.count + linking.count }

        /// Calls `body` with blocks of the slots, at most `blockLimit` in one, in the order in which they were added.
        func forEachBlock(_ body: (UnsafeBufferPointer<UInt32>) -> Void) {
            linking.withUnsafeBufferPointer { slots in
                for start in stride(from: 0, to: slots.count, by: Self.blockLimit) {
                    body(UnsafeBufferPointer(rebasing: slots[start..<min(start + Self.blockLimit, slots.count)]))
                }
            }
            var place = range.lowerBound
            while place < range.upperBound {
                let chunk = chunks[place / Chunk.capacity]
                let first = place % Chunk.capacity
                let count = min(Self.blockLimit, Chunk.capacity - first, range.upperBound - place)
                withExtendedLifetime(chunk) { body(UnsafeBufferPointer(start: chunk.slots + first, count: count)) }
                place += count
            }
        }
    }

    private var chunks: [Chunk] = []
    /// Places of the slots in the queue, counted from the beginning of the first chunk.
    private var range = 0..<0

    var isEmpty: Bool { range.isEmpty }
    var count: Int { range.count }

    mutating func append(_ slots: [UInt32]) {
        for slot in slots {
            let end = range.upperBound
            if end == chunks.count * Chunk.capacity { chunks.append(Chunk()) }
            (chunks[end / Chunk.capacity].slots + end % Chunk.capacity).initialize(to: slot)
            range = range.lowerBound..<end + 1
        }
    }

    /// Takes the slot that was added first.
    mutating func popFirst() -> UInt32? {
        guard !range.isEmpty, let first = chunks.first else { return nil }
        let slot = first.slots[range.lowerBound]
        range = range.lowerBound + 1..<range.upperBound
        if range.lowerBound == Chunk.capacity {
            chunks.removeFirst()
            range = 0..<range.upperBound - Chunk.capacity
        }
        return slot
    }

    /// Takes out the slots of `removed` and returns those it found; O(n).
    mutating func remove(_ removed: Set<UInt32>) -> [UInt32] {
        var kept: [UInt32] = []
        var found: [UInt32] = []
        snapshot(linking: []).forEachBlock { slots in
            for slot in slots { if removed.contains(slot) { found.append(slot) } else { kept.append(slot) } }
        }
        guard !found.isEmpty else { return [] }
        // Snapshots keep the old chunks.
        self = PendingSlots()
        append(kept)
        return found
    }

    /// The slots as they are now, beside those in `linking`.
    func snapshot(linking: [UInt32]) -> Snapshot { Snapshot(chunks: chunks, range: range, linking: linking) }
}
