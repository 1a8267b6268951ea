import Foundation
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

    let count: Int
    private let base: VectorFile
    private let rows: [Float]

    /// Sets of the kinds `random` and `cluster`; queries share them.
    private static let setCount = 20

    init(_ base: VectorFile) {
        self.base = base
        count = base.count
        // As binary16 keeps them.
        rows = (0..<base.count).flatMap { base.floats($0).map { Float(Float16($0)) } }
    }

    /// One case a query for each kind and share, `[kind][share][query]`; `truthCount` true nearest each.
    func cases(_ queries: [[Float]], shares: [Double], truthCount: Int) -> [Kind: [[Case]]] {
        var random = Lots(seed: 11)
        let lots = (0..<Self.setCount).map { _ in (0..<UInt32(count)).shuffled(using: &random) }
        let clusters = (0..<Self.setCount).map { _ in ranking(of: base.floats(Int.random(in: 0..<count, using: &random))) }
        var cases: [Kind: [[Case]]] = [:]
        for kind in Kind.allCases { cases[kind] = shares.map { _ in [] } }
        var shared: [Int: SlotSet] = [:]
        for (number, query) in queries.enumerated() {
            let ranking = ranking(of: query)
            for (index, share) in shares.enumerated() {
                let memberCount = max(1, Int(Double(count) * share))
                let set = number % Self.setCount
                for kind in Kind.allCases {
                    let members: SlotSet
                    switch kind {
                    case .around: members = Self.set(ranking[..<memberCount])
                    case .opposed: members = Self.set(ranking[(count - memberCount)...])
                    case .random, .cluster:
                        let key = (set * shares.count + index) * 2 + (kind == .random ? 0 : 1)
                        members = shared[key] ?? Self.set((kind == .random ? lots : clusters)[set][..<memberCount])
                        shared[key] = members
                    }
                    let truth = ranking.lazy.map { Slot(rawValue: $0) }.filter { members.contains($0) }.prefix(truthCount)
                    cases[kind]?[index].append(Case(query: query, members: members, truth: Array(truth)))
                }
            }
        }
        return cases
    }

    private static func set(_ slots: ArraySlice<UInt32>) -> SlotSet { SlotSet(slots.lazy.map { Slot(rawValue: $0) }) }

    /// All rows, the most similar to `vector` first.
    private func ranking(of vector: [Float]) -> [UInt32] {
        let dimension = vector.count
        let scores = rows.withUnsafeBufferPointer { rows in
            (0..<count).map { row -> Float in
                var sums = SIMD16<Float>(repeating: 0)
                var rest: Float = 0
                let start = row * dimension
                var at = 0
                while at + 16 <= dimension {
                    let part = UnsafeRawPointer(rows.baseAddress.unsafelyUnwrapped + start + at)
                        .loadUnaligned(as: SIMD16<Float>.self)
                    let other = vector.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at * 4, as: SIMD16<Float>.self) }
                    sums += part * other
                    at += 16
                }
                while at < dimension {
                    rest += rows[start + at] * vector[at]
                    at += 1
                }
                return sums.sum() + rest
            }
        }
        return (0..<UInt32(count)).sorted { scores[Int($0)] > scores[Int($1)] }
    }
}

/// The same lots in every run (SplitMix64).
struct Lots: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
