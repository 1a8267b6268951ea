import Foundation
import Harness
import Platform
import Storage
import VectorIndex

/// `likeness-bench index`: build rate, recall and queries per second on `base.fvecs query.fvecs truth.ivecs`.
enum IndexBench {
    static let command = CommandTable.Command(
        "index",
        [
            OptionDescription("folder", .text(placeholder: "DIR"), "has base.fvecs, query.fvecs and truth.ivecs"),
            OptionDescription("ef", .integers(1...Int.max), "candidates of a search (20,40,80)"),
            OptionDescription("threads", .integer(1...1024), "that search (1)"),
            OptionDescription("build-threads", .integer(1...1024), "that link (2)"),
            OptionDescription("batch", .integer(1...Int.max), "vectors in one commit (32)"),
            OptionDescription("store", .text(placeholder: "DIR"), "a store to keep, or to go on with"),
        ],
        run: run
    )

    /// Times that every query is timed.
    private static let rounds = 3

    static func run(_ arguments: Arguments) throws {
        try withFolder(arguments.text("store")) { try run(arguments, $0) }
    }

    private static func run(_ arguments: Arguments, _ directory: String) throws {
        let folder = URL(filePath: try arguments.needed("folder"))
        let base = try VectorFile(folder.appending(path: "base.fvecs"))
        let queries = try VectorFile(folder.appending(path: "query.fvecs"))
        let truth = try VectorFile(folder.appending(path: "truth.ivecs"))

        let begin = Instant.now
        let store = try IndexStore(directory: directory, dimension: base.dimension)
        defer { store.close() }
        let stored = store.index.statistics
        if stored.vectorCount > 0 {
            // A store of an earlier run, however that ended: rows are added in order, so it goes on where that one was.
            try printLine([
                "bench": "index", "engine": "likeness", "count": stored.vectorCount,
                "open_s": ((Instant.now - begin) * 1000).rounded() / 1000, "pending": stored.pendingCount,
            ])
        }
        try build(store, base, arguments.integer("build-threads") ?? 2, batchCount: arguments.integer("batch") ?? 32)
        for ef in arguments.integers("ef") ?? [20, 40, 80] {
            try search(store, queries, truth, ef: ef, threadCount: arguments.integer("threads") ?? 1)
        }
    }

    private static func build(_ store: IndexStore, _ base: VectorFile, _ threadCount: Int, batchCount: Int) throws {
        let writtenBefore = OwnProcess.writtenByteCount
        let begin = Instant.now
        try store.index.start(threadCount: threadCount)
        let added = Double(base.count - min(base.count, store.index.statistics.vectorCount))
        try store.add(base, batchCount: batchCount)
        let acknowledged = Instant.now - begin
        store.index.waitUntilLinked()
        let linked = Instant.now - begin
        try store.checkpointAll()
        let statistics = store.index.statistics
        try printLine([
            "bench": "index", "engine": "likeness", "count": statistics.vectorCount,
            "instruction_set": statistics.instructionSet, "build_threads": threadCount,
            "build_per_second": (added / linked).rounded(),
            "acknowledged_per_second": (added / acknowledged).rounded(),
            "bytes_on_disk": try store.environment.statistics.usedByteCount,
            "bytes_in_memory": statistics.memoryByteCount,
            "bytes_written": OwnProcess.writtenByteCount - writtenBefore,
        ])
    }

    private static func search(
        _ store: IndexStore,
        _ queries: VectorFile,
        _ truth: VectorFile,
        ef: Int,
        threadCount: Int
    ) throws {
        let vectors = (0..<queries.count).map { queries.floats($0) }
        let count = truth.dimension
        // A first pass warms caches and gives the recall; the timed ones give the rest.
        var found = 0
        for (number, vector) in vectors.enumerated() {
            let wanted = Set(truth.integers(number))
            found += try store.search(vector, count: count, ef: ef).count {
                wanted.contains(Int32(bitPattern: $0.slot.rawValue))
            }
        }
        let load = try SearchLoad(count: vectors.count, rounds: rounds, threadCount: threadCount) { number in
            _ = try store.search(vectors[number], count: count, ef: ef)
        }
        try printLine([
            "bench": "index", "engine": "likeness", "ef": ef, "threads": threadCount,
            "recall": Double(found) / Double(queries.count * count), "qps": load.rate, "p50_us": load.latencies.p50,
            "p99_us": load.latencies.p99,
        ])
    }
}
