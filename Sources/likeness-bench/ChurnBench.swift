import Foundation
import Platform
import Storage
import VectorIndex

/// `likeness-bench churn`: what rounds of deletes and inserts do to recall, latency, memory and disk, next to an index
/// built anew of what is live at the end. Reads `base.fvecs query.fvecs`.
enum ChurnBench {
    private struct Options {
        var folder = ""
        var rounds = 10
        /// Of the live rows, deleted and inserted in each round.
        var share = 0.1
        /// Of the rows, kept aside for later rounds.
        var aside = 0.2
        var ef = 40
        var linkers = 1
        var queries = 500
        var store: String?

        init(_ arguments: [String]) throws {
            for (name, value) in try optionPairs(arguments) {
                switch (name, Int(value), Double(value)) {
                case ("--folder", _, _): folder = value
                case ("--rounds", let count?, _) where count >= 0: rounds = count
                case ("--share", _, let share?) where 0...1 ~= share: self.share = share
                case ("--aside", _, let share?) where 0...0.9 ~= share: aside = share
                case ("--ef", let ef?, _) where ef > 0: self.ef = ef
                case ("--build-threads", let count?, _) where count > 0: linkers = count
                case ("--queries", let count?, _) where count > 0: queries = count
                case ("--store", _, _): store = value
                default: throw BenchFailure("churn does not take \(name) \(value)")
                }
            }
            guard !folder.isEmpty else { throw BenchFailure("churn needs --folder DIR") }
        }
    }

    /// Results of a query that count for the recall.
    private static let count = 10
    /// Live rows that are asked for themselves.
    private static let selfSample = 10_000

    /// Builds, churns, builds anew; prints one JSON object after each.
    static func run(_ arguments: [String]) throws {
        let options = try Options(arguments)
        let folder = URL(filePath: options.folder)
        let rows = try VectorFile(folder.appending(path: "base.fvecs"))
        let file = try VectorFile(folder.appending(path: "query.fvecs"))
        let queries = (0..<min(options.queries, file.count)).map { file.floats($0) }
        let truth = try ChurnTruth(queries, among: rows)

        var generator = ChurnOrder()
        var live = Array(0..<rows.count - Int(Double(rows.count) * options.aside))
        var future = Array(live.count..<rows.count)
        let store = try ChurnStore(rows, directory: options.store, linkers: options.linkers)
        defer { store.close() }
        let seconds = try timed {
            try store.add(live)
            try store.settle()
        }
        try report("build", store, queries, truth, options, ["seconds": seconds])
        let fresh = try ChurnStore(rows, linkers: options.linkers)
        defer { fresh.close() }

        for round in 0..<options.rounds {
            live.shuffle(using: &generator)
            let count = min(Int(Double(live.count) * options.share), future.count)
            let removed = Array(live.suffix(count))
            let added = Array(future.prefix(count))
            let searches = try BackgroundSearches(store, queries, count: Self.count, ef: options.ef)
            let seconds = try timed {
                try store.remove(removed)
                try store.add(added)
                store.index.waitUntilLinked()
            }
            let times = try searches.stop()
            try store.settle()
            live.removeLast(count)
            live += added
            future.removeFirst(count)
            future += removed
            try report(
                "round \(round + 1)",
                store,
                queries,
                truth,
                options,
                [
                    "seconds": seconds, "churn_p50_us": times.p50, "churn_p99_us": times.p99,
                    "churn_searches": times.count,
                ]
            )
        }
        let freshSeconds = try timed {
            try fresh.add(live.sorted())
            try fresh.settle()
        }
        try report("fresh", fresh, queries, truth, options, ["seconds": freshSeconds])
    }

    private static func timed(_ body: () throws -> Void) rethrows -> Double {
        let begin = Instant.now
        try body()
        return Instant.now - begin
    }

    private static func report(
        _ phase: String,
        _ store: ChurnStore,
        _ queries: [[Float]],
        _ truth: ChurnTruth,
        _ options: Options,
        _ more: [String: any Sendable]
    ) throws {
        var found = 0
        var times = Latencies()
        for (number, query) in queries.enumerated() {
            let begin = Instant.now
            let hits = try store.search(query, count: count, ef: options.ef)
            times.seconds.append(Instant.now - begin)
            let nearest = truth.nearest(count, of: number, isLive: store.isLive)
            found += hits.count { $0.map(nearest.contains) ?? false }
        }
        let own = try selfFound(store, ef: options.ef)
        let statistics = store.index.statistics
        var fields: [String: any Sendable] = [
            "bench": "churn", "phase": phase, "count": statistics.vectorCount, "ef": options.ef,
            "recall": Double(found) / Double(queries.count * count), "self_found": own.stored,
            "near_self_found": own.near,
            "idle_p50_us": times.p50, "idle_p99_us": times.p99,
            "bytes_in_memory": statistics.memoryByteCount,
            "bytes_on_disk": try store.environment.statistics.usedByteCount,
            "checkpoint_ms_max": (store.takeLongestCheckpoint() * 1e5).rounded() / 100,
        ]
        fields.merge(more) { $1 }
        try printLine(fields)
    }

    /// Shares of live rows that are the first result of a search for them; the second for a search a little beside them,
    /// which the table of equal vectors does not help.
    private static func selfFound(_ store: ChurnStore, ef: Int) throws -> (stored: Double, near: Double) {
        let live = store.isLive.indices.filter { store.isLive[$0] }
        let sample = live.count <= selfSample ? live : Array(live.shuffled().prefix(selfSample))
        var stored = 0
        var near = 0
        for row in sample {
            var vector = store.vector(row)
            if try store.search(vector, count: 1, ef: ef).first == row { stored += 1 }
            for index in stride(from: 0, to: vector.count, by: 2) { vector[index] *= 1.01 }
            if try store.search(vector, count: 1, ef: ef).first == row { near += 1 }
        }
        return (Double(stored) / Double(sample.count), Double(near) / Double(sample.count))
    }
}

/// Chooses the same rows in every run (SplitMix64).
private struct ChurnOrder: RandomNumberGenerator {
    private var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
