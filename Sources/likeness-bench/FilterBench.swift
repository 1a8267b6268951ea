import Foundation
import Platform
import Storage
import Synchronization
import VectorIndex

/// `likeness-bench filter`: recall and latency of searches among members of sets, next to searches without.
enum FilterBench {
    private struct Options {
        var folder = ""
        var shares = [0.001, 0.01, 0.1, 0.5, 0.9]
        var kinds = FilterCases.Kind.allCases
        var ef: Int?
        var threadCount = 1
        var queryCount = 200
        var store: String?
        var parameters = IndexParameters()

        init(_ arguments: [String]) throws {
            var rest = arguments[...]
            while let name = rest.popFirst() {
                guard let value = rest.popFirst() else { throw BenchFailure("\(name) needs a value") }
                let words = value.split(separator: ",")
                switch name {
                case "--folder": folder = value
                case "--selectivity": shares = try words.map { try Self.number(name, $0) { 0...1 ~= $0 } }
                case "--kind": kinds = words.compactMap { FilterCases.Kind(rawValue: String($0)) }
                case "--ef": ef = try Self.number(name, value) { $0 > 0 }
                case "--threads": threadCount = try Self.number(name, value) { $0 > 0 }
                case "--queries": queryCount = try Self.number(name, value) { $0 > 0 }
                case "--scanned-members": parameters.scannedMembers = try Self.number(name, value) { $0 >= 0 }
                case "--scanned-share": parameters.scannedShare = try Self.number(name, value) { $0 >= 0 }
                case "--scanned-strangers":
                    parameters.scannedOutOfDistribution = try Self.number(name, value) { $0 >= 0 }
                case "--store": store = value
                default: throw BenchFailure("unknown option \(name)")
                }
            }
            guard !folder.isEmpty else { throw BenchFailure("--folder DIR is needed") }
        }

        private static func number<T: LosslessStringConvertible>(
            _ name: String,
            _ value: some StringProtocol,
            _ isValid: (T) -> Bool
        ) throws -> T {
            guard let number = T(String(value)), isValid(number) else { throw BenchFailure("\(name) \(value)") }
            return number
        }
    }

    /// Hits of a search, and of the truth.
    private static let hitCount = 10
    /// Times that every query is timed.
    private static let rounds = 5

    static func run(_ arguments: [String]) throws {
        let options = try Options(arguments)
        let folder = URL(filePath: options.folder)
        let base = try VectorFile(folder.appending(path: "base.fvecs"))
        let file = try VectorFile(folder.appending(path: "query.fvecs"))
        let queries = (0..<min(file.count, options.queryCount)).map { file.floats($0) }

        let temporary = FileManager.default.temporaryDirectory.appending(path: "likeness-bench-\(UUID().uuidString)")
        let directory = options.store ?? temporary.path
        defer { if options.store == nil { try? FileManager.default.removeItem(at: temporary) } }
        let environment = try Environment(directory: directory)
        defer { environment.close() }
        let opening = try WriteTransaction(environment)
        let index = try VectorIndex(dimension: base.dimension, transaction: opening, parameters: options.parameters)
        try opening.commit()
        index.publish()
        try build(index, base, environment)

        let cases = FilterCases(base).cases(queries, shares: options.shares, truthCount: hitCount)
        for (share, number) in zip(options.shares, options.shares.indices) {
            for kind in options.kinds {
                guard let cases = cases[kind]?[number] else { continue }
                try measure(index, cases, kind, share, environment, options)
            }
        }
    }

    private static func build(_ index: VectorIndex, _ base: VectorFile, _ environment: Environment) throws {
        try index.start(threadCount: 2)
        defer { index.stop() }
        for start in stride(from: index.statistics.vectorCount, to: base.count, by: 256) {
            let transaction = try WriteTransaction(environment)
            for row in start..<min(start + 256, base.count) { _ = try index.stage(base.floats(row), in: transaction) }
            try transaction.commit()
            index.publish()
        }
        index.waitUntilLinked()
        var isMore = true
        while isMore {
            let transaction = try WriteTransaction(environment)
            isMore = try index.checkpoint(in: transaction)
            try transaction.commit()
            index.publish()
        }
    }

    private static func measure(
        _ index: VectorIndex,
        _ cases: [FilterCases.Case],
        _ kind: FilterCases.Kind,
        _ share: Double,
        _ environment: Environment,
        _ options: Options
    ) throws {
        var found = 0
        var wanted = 0
        var paths: [String: Int] = [:]
        for item in cases {
            let transaction = try ReadTransaction(environment)
            let hits = try index.search(
                item.query,
                count: hitCount,
                ef: options.ef,
                among: item.members,
                transaction: transaction
            )
            let truth = Set(item.truth)
            found += hits.count { truth.contains($0.slot) }
            wanted += truth.count
            let path = try index.path(of: item.query, among: item.members, count: hitCount, ef: options.ef)
            paths[path.rawValue, default: 0] += 1
        }
        let filtered = try times(index, cases, isFiltered: true, environment, options)
        let unfiltered = try times(index, cases, isFiltered: false, environment, options)
        try printLine([
            "bench": "filter", "kind": kind.rawValue, "selectivity": share, "threads": options.threadCount,
            "path": paths.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ","),
            "recall": Double(found) / Double(wanted), "qps": filtered.rate, "p50_us": filtered.median,
            "p99_us": filtered.high, "unfiltered_qps": unfiltered.rate, "unfiltered_p50_us": unfiltered.median,
            "unfiltered_p99_us": unfiltered.high,
        ])
    }

    private struct Times {
        var rate: Double
        /// Microseconds.
        var median: Double
        var high: Double
    }

    private static func times(
        _ index: VectorIndex,
        _ cases: [FilterCases.Case],
        isFiltered: Bool,
        _ environment: Environment,
        _ options: Options
    ) throws -> Times {
        let times = Mutex<[Double]>([])
        let failure = Mutex<(any Error)?>(nil)
        let begin = Instant.now
        let threads = try (0..<options.threadCount).map { _ in
            try WorkerThread(name: "bench-search") {
                var mine: [Double] = []
                do {
                    for _ in 0..<rounds {
                        for item in cases {
                            let start = Instant.now
                            let transaction = try ReadTransaction(environment)
                            _ = try index.search(
                                item.query,
                                count: hitCount,
                                ef: options.ef,
                                among: isFiltered ? item.members : nil,
                                transaction: transaction
                            )
                            mine.append(Instant.now - start)
                        }
                    }
                } catch { failure.withLock { $0 = error } }
                times.withLock { $0 += mine }
            }
        }
        for thread in threads { thread.join() }
        let seconds = Instant.now - begin
        if let error = failure.withLock({ $0 }) { throw error }
        let sorted = times.withLock { $0.sorted() }
        return Times(
            rate: (Double(sorted.count) / seconds).rounded(),
            median: (sorted[sorted.count / 2] * 1e7).rounded() / 10,
            high: (sorted[sorted.count * 99 / 100] * 1e7).rounded() / 10
        )
    }
}
