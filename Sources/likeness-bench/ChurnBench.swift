import Foundation
import Harness
import Platform
import Storage
import VectorIndex

/// `likeness-bench churn`: what rounds of deletes and inserts do to recall, latency, memory and disk, next to an index
/// built anew of what is live at the end. Reads `base.fvecs query.fvecs`.
enum ChurnBench {
    static let command = CommandTable.Command(
        "churn",
        [
            OptionDescription("folder", .text(placeholder: "DIR"), "has base.fvecs and query.fvecs"),
            OptionDescription("rounds", .integer(0...Int.max), "of deletes and inserts (10)"),
            OptionDescription("share", .real(0...1), "of the live rows, changed in each round (0.1)"),
            OptionDescription("aside", .real(0...0.9), "of the rows, kept for later rounds (0.2)"),
            OptionDescription("ef", .integer(1...Int.max), "candidates of a search (40)"),
            OptionDescription("build-threads", .integer(1...1024), "that link (1)"),
            OptionDescription("queries", .integer(1...Int.max), "at most (500)"),
            OptionDescription("store", .text(placeholder: "DIR"), "where the index goes"),
        ],
        run: run
    )

    private struct Options {
        let rounds: Int
        let share: Double
        let aside: Double
        let ef: Int
        let linkers: Int
        let queries: Int

        init(_ arguments: Arguments) {
            rounds = arguments.integer("rounds") ?? 10
            share = arguments.real("share") ?? 0.1
            aside = arguments.real("aside") ?? 0.2
            ef = arguments.integer("ef") ?? 40
            linkers = arguments.integer("build-threads") ?? 1
            queries = arguments.integer("queries") ?? 500
        }
    }

    /// Results of a query that count for the recall.
    private static let count = 10
    /// Live rows that are asked for themselves.
    private static let selfSample = 10_000

    /// Builds, churns, builds anew; prints one JSON object after each.
    static func run(_ arguments: Arguments) throws {
        try withFolder(arguments.text("store")) { directory in
            try withFolder(nil) { try run(arguments, directory, fresh: $0) }
        }
    }

    private static func run(_ arguments: Arguments, _ directory: String, fresh freshDirectory: String) throws {
        let options = Options(arguments)
        let folder = URL(filePath: try arguments.needed("folder"))
        let rows = try VectorFile(folder.appending(path: "base.fvecs"))
        let file = try VectorFile(folder.appending(path: "query.fvecs"))
        let queries = (0..<min(options.queries, file.count)).map { file.floats($0) }
        let truth = try ChurnTruth(queries, among: rows)

        var generator = SeededRandom(seed: 1)
        var live = Array(0..<rows.count - Int(Double(rows.count) * options.aside))
        var future = Array(live.count..<rows.count)
        let store = try ChurnStore(rows, directory: directory, linkers: options.linkers)
        defer { store.close() }
        let seconds = try timed {
            try store.add(live)
            try store.settle()
        }
        try report("build", store, queries, truth, options, ["seconds": seconds])
        let fresh = try ChurnStore(rows, directory: freshDirectory, linkers: options.linkers)
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
                store.store.index.waitUntilLinked()
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
        let statistics = store.store.index.statistics
        var fields: [String: any Sendable] = [
            "bench": "churn", "phase": phase, "count": statistics.vectorCount, "ef": options.ef,
            "recall": Double(found) / Double(queries.count * count), "self_found": own.stored,
            "near_self_found": own.near,
            "idle_p50_us": times.p50, "idle_p99_us": times.p99,
            "bytes_in_memory": statistics.memoryByteCount,
            "bytes_on_disk": try store.store.environment.statistics.usedByteCount,
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
