import Platform

/// The true nearest rows of queries among those that are live just now.
///
/// Every score is computed once, on two threads; what is live changes, the scores do not.
struct ChurnTruth {
    /// `scores[query][row]`.
    private let scores: [[Float]]

    init(_ queries: [[Float]], among rows: VectorFile) throws {
        let half = (queries.count + 1) / 2
        let first = Monitor<[[Float]]>([])
        let thread = try WorkerThread(name: "bench-truth") {
            let mine = Self.scores(of: Array(queries.prefix(half)), rows)
            first.withLockNotifyingAll { $0 = mine }
        }
        let second = Self.scores(of: Array(queries.dropFirst(half)), rows)
        thread.join()
        scores = first.withLock { $0 } + second
    }

    /// The best `count` live rows of query `query`.
    func nearest(_ count: Int, of query: Int, isLive: [Bool]) -> Set<Int> {
        var best: [(score: Float, row: Int)] = []
        for (row, score) in scores[query].enumerated() where isLive[row] {
            if best.count == count {
                if score <= best[count - 1].score { continue }
                best.removeLast()
            }
            best.insert((score, row), at: best.firstIndex { $0.score < score } ?? best.count)
        }
        return Set(best.map(\.row))
    }

    private static func scores(of queries: [[Float]], _ rows: VectorFile) -> [[Float]] {
        var scores = queries.map { _ in [Float](repeating: 0, count: rows.count) }
        for row in 0..<rows.count {
            let values = rows.floats(row)
            for (number, query) in queries.enumerated() { scores[number][row] = dot(values, query) }
        }
        return scores
    }

    private static func dot(_ a: [Float], _ b: [Float]) -> Float {
        var sums = SIMD16<Float>.zero
        let blocks = a.count / 16
        a.withUnsafeBytes { a in
            b.withUnsafeBytes { b in
                for offset in stride(from: 0, to: 64 * blocks, by: 64) {
                    sums +=
                        a.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
                        * b.loadUnaligned(fromByteOffset: offset, as: SIMD16<Float>.self)
                }
            }
        }
        var sum = sums.sum()
        for index in 16 * blocks..<a.count { sum += a[index] * b[index] }
        return sum
    }
}
