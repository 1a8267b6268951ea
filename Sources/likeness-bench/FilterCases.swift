import Harness
import VectorIndex

/// Queries with the sets they are searched in and the true nearest members, by brute force.
struct FilterCases {
    /// What a set has to do with the query.
    enum Kind: String, CaseIterable {
        /// Members drawn by lot.
        case random
        /// The nearest to the query.
        case around
        /// The nearest to some other vector, as the images of one folder are.
        case cluster
        /// The farthest from the query: a filter that excludes what the query looks like.
        case opposed
    }

    struct Case {
        let query: [Float]
        let members: SlotSet
        let truth: [Slot]
    }

    private let base: VectorFile
    /// `[row][lane]`, padded with zeros, as binary16 keeps them.
    private let rows: [[SIMD16<Float>]]

    /// Sets of the kinds `random` and `cluster`; queries share them.
    private static let setCount = 20

    init(_ base: VectorFile) {
        self.base = base
        rows = (0..<base.count).map { Self.lanes(base.floats($0).map { Float(Float16($0)) }) }
    }

    /// One case a query for each kind and share, `[kind][share][query]`, with the `truthCount` true nearest.
    func cases(_ queries: [[Float]], shares: [Double], truthCount: Int) -> [Kind: [[Case]]] {
        var random = SeededRandom(seed: 11)
        let orders = (0..<Self.setCount).map { _ in
            let centre = base.floats(Int.random(in: 0..<rows.count, using: &random))
            return (lots: (0..<UInt32(rows.count)).shuffled(using: &random), cluster: ranking(of: centre))
        }
        let counts = shares.map { max(1, Int(Double(rows.count) * $0)) }
        let lots = orders.map { order in counts.map { Self.set(order.lots.prefix($0)) } }
        let clusters = orders.map { order in counts.map { Self.set(order.cluster.prefix($0)) } }
        var cases = Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0, shares.map { _ in [Case]() }) })
        for (number, query) in queries.enumerated() {
            let ranking = ranking(of: query)
            for (index, count) in counts.enumerated() {
                for kind in Kind.allCases {
                    let members =
                        switch kind {
                        case .random: lots[number % Self.setCount][index]
                        case .around: Self.set(ranking.prefix(count))
                        case .cluster: clusters[number % Self.setCount][index]
                        case .opposed: Self.set(ranking.suffix(count))
                        }
                    let truth = ranking.lazy.map { Slot(rawValue: $0) }.filter { members.contains($0) }
                    let item = Case(query: query, members: members, truth: Array(truth.prefix(truthCount)))
                    cases[kind]?[index].append(item)
                }
            }
        }
        return cases
    }

    private static func set(_ slots: ArraySlice<UInt32>) -> SlotSet { SlotSet(slots.lazy.map { Slot(rawValue: $0) }) }

    private static func lanes(_ vector: [Float]) -> [SIMD16<Float>] {
        stride(from: 0, to: vector.count, by: 16).map { start in
            var lanes = SIMD16<Float>(repeating: 0)
            for lane in 0..<min(16, vector.count - start) { lanes[lane] = vector[start + lane] }
            return lanes
        }
    }

    /// All rows, the most similar to `vector` first.
    private func ranking(of vector: [Float]) -> [UInt32] {
        let query = Self.lanes(vector)
        let scores = rows.map { row in
            var sums = SIMD16<Float>(repeating: 0)
            for index in query.indices { sums += row[index] * query[index] }
            return sums.sum()
        }
        return (0..<UInt32(scores.count)).sorted { scores[Int($0)] > scores[Int($1)] }
    }
}
