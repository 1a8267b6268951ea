import Foundation
import Harness
import Platform
import Storage
import Synchronization
import VectorIndex

/// `likeness-bench filter`: recall and latency of searches among members of sets, next to searches without.
enum FilterBench {
    static let command = CommandTable.Command(
        "filter",
        [
            OptionDescription("folder", .text(placeholder: "DIR"), "has base.fvecs and query.fvecs"),
            OptionDescription("selectivity", .reals(0...1), "shares of members (0.001,0.01,0.1,0.5,0.9)"),
            OptionDescription("kind", .choices(FilterCases.Kind.allCases.map(\.rawValue)), "of sets (all)"),
            OptionDescription("ef", .integer(1...Int.max), "candidates of a search (the index's own)"),
            OptionDescription("threads", .integer(1...1024), "that search (1)"),
            OptionDescription("queries", .integer(1...Int.max), "at most (200)"),
            OptionDescription("scanned-members", .integer(0...Int.max), "an index parameter"),
            OptionDescription("scanned-share", .real(0...Double.infinity), "an index parameter"),
            OptionDescription("scanned-out-of-distribution", .integer(0...Int.max), "an index parameter"),
            OptionDescription("store", .text(placeholder: "DIR"), "a store to keep, or to go on with"),
        ],
        run: run
    )

    private struct Options {
        let ef: Int?
        let threadCount: Int

        init(_ arguments: Arguments) {
            ef = arguments.integer("ef")
            threadCount = arguments.integer("threads") ?? 1
        }
    }

    /// Hits of a search, and of the truth.
    private static let hitCount = 10
    /// Times that every query is timed.
    private static let rounds = 5

    static func run(_ arguments: Arguments) throws {
        try withFolder(arguments.text("store")) { try run(arguments, $0) }
    }

    private static func run(_ arguments: Arguments, _ directory: String) throws {
        let options = Options(arguments)
        var parameters = IndexParameters()
        if let count = arguments.integer("scanned-members") { parameters.scannedMembers = count }
        if let share = arguments.real("scanned-share") { parameters.scannedShare = share }
        if let count = arguments.integer("scanned-out-of-distribution") { parameters.scannedOutOfDistribution = count }
        let shares = arguments.reals("selectivity") ?? [0.001, 0.01, 0.1, 0.5, 0.9]
        let kinds = arguments.words("kind")?.compactMap { FilterCases.Kind(rawValue: $0) } ?? FilterCases.Kind.allCases
        let folder = URL(filePath: try arguments.needed("folder"))
        let base = try VectorFile(folder.appending(path: "base.fvecs"))
        let file = try VectorFile(folder.appending(path: "query.fvecs"))
        let queries = (0..<min(file.count, arguments.integer("queries") ?? 200)).map { file.floats($0) }

        let store = try IndexStore(directory: directory, dimension: base.dimension, parameters: parameters)
        defer { store.close() }
        try store.index.start(threadCount: 2)
        try store.add(base, batchCount: 256)
        store.index.waitUntilLinked()
        try store.checkpointAll()
        store.index.stop()

        let cases = FilterCases(base).cases(queries, shares: shares, truthCount: hitCount)
        for (share, number) in zip(shares, shares.indices) {
            for kind in kinds {
                guard let cases = cases[kind]?[number] else { continue }
                try measure(store, cases, kind, share, options)
            }
        }
    }

    private static func measure(
        _ store: IndexStore,
        _ cases: [FilterCases.Case],
        _ kind: FilterCases.Kind,
        _ share: Double,
        _ options: Options
    ) throws {
        var found = 0
        var wanted = 0
        var paths: [String: Int] = [:]
        for item in cases {
            let hits = try store.search(item.query, count: hitCount, ef: options.ef, among: item.members)
            let truth = Set(item.truth)
            found += hits.count { truth.contains($0.slot) }
            wanted += truth.count
            let path = try store.index.path(of: item.query, among: item.members, count: hitCount, ef: options.ef)
            paths[path.rawValue, default: 0] += 1
        }
        func load(isFiltered: Bool) throws -> SearchLoad {
            let ef = options.ef
            return try SearchLoad(count: cases.count, rounds: rounds, threadCount: options.threadCount) { number in
                let item = cases[number]
                let members = isFiltered ? item.members : nil
                _ = try store.search(item.query, count: hitCount, ef: ef, among: members)
            }
        }
        let filtered = try load(isFiltered: true)
        let unfiltered = try load(isFiltered: false)
        try printLine([
            "bench": "filter", "kind": kind.rawValue, "selectivity": share, "threads": options.threadCount,
            "path": paths.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ","),
            "recall": Double(found) / Double(wanted), "qps": filtered.rate, "p50_us": filtered.latencies.p50,
            "p99_us": filtered.latencies.p99, "unfiltered_qps": unfiltered.rate,
            "unfiltered_p50_us": unfiltered.latencies.p50, "unfiltered_p99_us": unfiltered.latencies.p99,
        ])
    }
}
