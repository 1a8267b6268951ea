import Foundation
import Platform
import Storage
import Synchronization
import VectorIndex

/// `likeness-bench index`: build rate, recall and queries per second on `base.fvecs query.fvecs truth.ivecs`.
enum IndexBench {
    private struct Options {
        var folder = ""
        var efs = [20, 40, 80]
        var threadCount = 1
        var buildThreadCount = 2
        var store: String?
        /// Vectors in one commit.
        var batchCount = 32

        init(_ arguments: [String]) throws {
            var rest = arguments[...]
            while let name = rest.popFirst() {
                guard let value = rest.popFirst() else { throw BenchFailure("\(name) needs a value") }
                switch name {
                case "--folder": folder = value
                case "--ef": efs = value.split(separator: ",").compactMap { Int($0) }
                case "--threads": threadCount = try Self.count(name, value)
                case "--build-threads": buildThreadCount = try Self.count(name, value)
                case "--batch": batchCount = try Self.count(name, value)
                case "--store": store = value
                default: throw BenchFailure("unknown option \(name)")
                }
            }
            guard !folder.isEmpty else { throw BenchFailure("--folder DIR is needed") }
        }

        private static func count(_ name: String, _ value: String) throws -> Int {
            guard let count = Int(value), count > 0 else { throw BenchFailure("\(name) \(value)") }
            return count
        }
    }

    struct BenchFailure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    static func run(_ arguments: [String]) throws {
        let options = try Options(arguments)
        let folder = URL(filePath: options.folder)
        let base = try VectorFile(folder.appending(path: "base.fvecs"))
        let queries = try VectorFile(folder.appending(path: "query.fvecs"))
        let truth = try VectorFile(folder.appending(path: "truth.ivecs"))

        let temporary = FileManager.default.temporaryDirectory.appending(path: "likeness-bench-\(UUID().uuidString)")
        let directory = options.store ?? temporary.path
        defer { if options.store == nil { try? FileManager.default.removeItem(at: temporary) } }
        let environment = try Environment(directory: directory)
        defer { environment.close() }

        let begin = Instant.now
        let opening = try WriteTransaction(environment)
        let index = try VectorIndex(dimension: base.dimension, transaction: opening)
        try opening.commit()
        index.publish()
        let stored = index.statistics
        if stored.vectorCount > 0 {
            // A store of an earlier run, however that ended: rows are added in order, so it goes on where that one was.
            try emit([
                "bench": "index", "engine": "likeness", "count": stored.vectorCount,
                "open_s": ((Instant.now - begin) * 1000).rounded() / 1000, "pending": stored.pendingCount,
            ])
        }
        try build(index, base, environment, options)
        defer { index.stop() }

        for ef in options.efs {
            try search(index, queries, truth, environment, ef: ef, threadCount: options.threadCount)
        }
    }

    private static func build(
        _ index: VectorIndex,
        _ base: VectorFile,
        _ environment: Environment,
        _ options: Options
    ) throws {
        let writtenBefore = bytesWritten()
        let begin = Instant.now
        try index.start(threadCount: options.buildThreadCount)
        let first = min(base.count, index.statistics.vectorCount)
        var next = first
        while next < base.count {
            let transaction = try WriteTransaction(environment)
            for row in next..<min(next + options.batchCount, base.count) {
                _ = try index.stage(base.floats(row), in: transaction)
            }
            next += options.batchCount
            try transaction.commit()
            index.publish()
        }
        let acknowledged = Instant.now - begin
        index.waitUntilLinked()
        let linked = Instant.now - begin
        var isMore = true
        while isMore {
            let transaction = try WriteTransaction(environment)
            isMore = try index.checkpoint(in: transaction)
            try transaction.commit()
            index.publish()
        }
        let statistics = index.statistics
        try emit([
            "bench": "index", "engine": "likeness", "count": statistics.vectorCount,
            "instruction_set": statistics.instructionSet, "build_threads": options.buildThreadCount,
            "build_per_second": (Double(base.count - first) / linked).rounded(),
            "acknowledged_per_second": (Double(base.count - first) / acknowledged).rounded(),
            "bytes_on_disk": try environment.statistics.usedByteCount,
            "bytes_in_memory": statistics.memoryByteCount, "bytes_written": bytesWritten() - writtenBefore,
        ])
    }

    private static func search(
        _ index: VectorIndex,
        _ queries: VectorFile,
        _ truth: VectorFile,
        _ environment: Environment,
        ef: Int,
        threadCount: Int
    ) throws {
        let vectors = (0..<queries.count).map { queries.floats($0) }
        let count = truth.dimension
        // A first pass warms caches and gives the recall; the timed ones give the rest.
        var found = 0
        for (number, vector) in vectors.enumerated() {
            let hits = try index.search(vector, count: count, ef: ef, transaction: ReadTransaction(environment))
            let wanted = Set(truth.integers(number))
            found += hits.count { wanted.contains(Int32(bitPattern: $0.slot.rawValue)) }
        }
        let times = Mutex<[Double]>([])
        let failure = Mutex<(any Error)?>(nil)
        let begin = Instant.now
        let threads = try (0..<threadCount).map { _ in
            try WorkerThread(name: "bench-search") {
                var mine: [Double] = []
                do {
                    for _ in 0..<3 {
                        for vector in vectors {
                            let start = Instant.now
                            let transaction = try ReadTransaction(environment)
                            _ = try index.search(vector, count: count, ef: ef, transaction: transaction)
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
        try emit([
            "bench": "index", "engine": "likeness", "ef": ef, "threads": threadCount,
            "recall": Double(found) / Double(queries.count * count),
            "qps": (Double(sorted.count) / seconds).rounded(),
            "p50_us": (sorted[sorted.count / 2] * 1e7).rounded() / 10,
            "p99_us": (sorted[sorted.count * 99 / 100] * 1e7).rounded() / 10,
        ])
    }

    private static func emit(_ fields: [String: any Sendable]) throws {
        var line = try JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys])
        line.append(UInt8(ascii: "\n"))
        try FileHandle.standardOutput.write(contentsOf: line)
    }

    /// What this process has sent to the disk, from /proc; 0 where that is not to be had.
    private static func bytesWritten() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/io", encoding: .utf8) else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix("write_bytes: ") {
            return Int(line.dropFirst("write_bytes: ".count)) ?? 0
        }
        return 0
    }
}
