import Foundation
import Platform
import Storage
import VectorIndex

/// An index over rows of a file, changed as the catalog changes one: a transaction, its commit, the publication, and
/// checkpoints when they are due.
final class ChurnStore: @unchecked Sendable {
    // `@unchecked`: the maps between rows and slots change on the writer's thread only, and are read by it.
    let index: VectorIndex
    let environment: Environment
    private let rows: VectorFile
    private let directory: String
    private let isTemporary: Bool
    private(set) var isLive: [Bool]
    private var slotOfRow: [Slot?]
    private var rowOfSlot: [Slot: Int] = [:]
    /// Longest call of `checkpoint(in:)` since `takeLongestCheckpoint`, in seconds.
    private var longestCheckpoint = 0.0

    /// Vectors in one commit, as ingestion has them when it is busy.
    private static let batchCount = 256

    /// Opens an empty index in `directory`, or in a temporary folder that `close` removes.
    init(_ rows: VectorFile, directory: String? = nil, linkers: Int) throws {
        let temporary = FileManager.default.temporaryDirectory.appending(path: "likeness-bench-\(UUID().uuidString)")
        self.rows = rows
        self.directory = directory ?? temporary.path
        isTemporary = directory == nil
        isLive = [Bool](repeating: false, count: rows.count)
        slotOfRow = [Slot?](repeating: nil, count: rows.count)
        environment = try Environment(directory: self.directory)
        let transaction = try WriteTransaction(environment)
        index = try VectorIndex(dimension: rows.dimension, transaction: transaction)
        guard try index.storedCount(in: transaction) == 0 else {
            throw BenchFailure("\(self.directory) holds vectors already")
        }
        try transaction.commit()
        index.publish()
        try index.start(threadCount: linkers)
    }

    func close() {
        index.stop()
        environment.close()
        if isTemporary { try? FileManager.default.removeItem(atPath: directory) }
    }

    /// Adds rows, each as a vector of its own.
    func add(_ added: [Int]) throws {
        try change(added) { row, transaction in
            let slot = try index.stage(rows.floats(row), in: transaction, mayShare: { _ in false })
            slotOfRow[row] = slot
            rowOfSlot[slot] = row
            isLive[row] = true
        }
    }

    func remove(_ removed: [Int]) throws {
        try change(removed) { row, transaction in
            guard let slot = slotOfRow[row] else { return }
            try index.stageRemoval(slot, in: transaction)
            slotOfRow[row] = nil
            rowOfSlot[slot] = nil
            isLive[row] = false
        }
    }

    /// Waits for the linkers, then writes all their work.
    func settle() throws {
        index.waitUntilLinked()
        while try checkpoint() {}
    }

    /// Rows that a search finds, best first.
    func search(_ vector: [Float], count: Int, ef: Int) throws -> [Int?] {
        let transaction = try ReadTransaction(environment)
        return try index.search(vector, count: count, ef: ef, transaction: transaction).map { rowOfSlot[$0.slot] }
    }

    func vector(_ row: Int) -> [Float] { rows.floats(row) }

    func takeLongestCheckpoint() -> Double {
        defer { longestCheckpoint = 0 }
        return longestCheckpoint
    }

    private func change(_ rows: [Int], _ body: (Int, borrowing WriteTransaction) throws -> Void) throws {
        for start in stride(from: 0, to: rows.count, by: Self.batchCount) {
            index.applyBackpressure()
            let transaction = try WriteTransaction(environment)
            for row in rows[start..<min(start + Self.batchCount, rows.count)] { try body(row, transaction) }
            try transaction.commit()
            index.publish()
            if index.needsCheckpoint { _ = try checkpoint() }
        }
    }

    /// - Returns: whether more is left to write.
    private func checkpoint() throws -> Bool {
        let transaction = try WriteTransaction(environment)
        let begin = Instant.now
        let isMore = try index.checkpoint(in: transaction)
        longestCheckpoint = max(longestCheckpoint, Instant.now - begin)
        try transaction.commit()
        index.publish()
        return isMore
    }
}
