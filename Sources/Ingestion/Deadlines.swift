internal import Platform

/// Keys with times, the earliest first: a binary heap that may hold a key more than once; the owner knows which time counts.
struct Deadlines<Key: Sendable>: Sendable {
    private var heap: [(due: Instant, key: Key)] = []

    /// The earliest time held, counting or not.
    var earliest: Instant? { heap.first?.due }

    /// - Complexity: O(log n).
    mutating func insert(_ key: Key, due: Instant) {
        heap.append((due, key))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].due < heap[parent].due else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes the earliest entry if its time has come.
    ///
    /// - Complexity: O(log n).
    mutating func take(at now: Instant) -> (due: Instant, key: Key)? {
        guard let first = heap.first, first.due <= now else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].due < heap[least].due
            {
                least = child
            }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    mutating func removeAll() { heap.removeAll() }
}
