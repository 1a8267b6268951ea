/// One result of a search.
package struct IndexHit: Hashable, Sendable {
    package var slot: Slot
    /// Cosine similarity with the stored vector, [-1, 1].
    package var score: Float

    package init(slot: Slot, score: Float) {
        self.slot = slot
        self.score = score
    }
}

/// Top-k selection: the best hits so far, at most `limit`, best first; equal scores by slot.
struct HitList {
    let limit: Int
    private(set) var hits: [IndexHit] = []

    init(limit: Int) { self.limit = limit }

    /// The score to beat; below every score below the capacity.
    var floor: Float { hits.count < limit ? -.infinity : hits.last?.score ?? -.infinity }

    mutating func insert(_ hit: IndexHit) {
        if hits.count == limit {
            guard let last = hits.last, Self.isBetter(hit, last) else { return }
            hits.removeLast()
        }
        var low = 0
        var high = hits.count
        while low < high {
            let middle = (low + high) / 2
            if Self.isBetter(hits[middle], hit) { low = middle + 1 } else { high = middle }
        }
        hits.insert(hit, at: low)
    }

    private static func isBetter(_ a: IndexHit, _ b: IndexHit) -> Bool {
        a.score != b.score ? a.score > b.score : a.slot < b.slot
    }
}
