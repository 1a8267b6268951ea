import Foundation
import Harness
import Platform
import Storage
import VectorIndex

/// An index over rows of a file, changed as the catalog changes one: a transaction, its commit, the publication, and
/// checkpoints when they are due.
final class ChurnStore: @unchecked Sendable {
    // `@unchecked`: the maps between rows and slots change on the writer's thread only, and are read by it.
    let store: IndexStore
    private let rows: VectorFile
    private(set) var isLive: [Bool]
    private var slotOfRow: [Slot?]
    private var rowOfSlot: [Slot: Int] = [:]
    /// Longest call of `checkpoint(in:)` since `takeLongestCheckpoint`, in seconds.
    private var longestCheckpoint = 0.0

    /// Vectors in one commit, as ingestion has them when it is busy.
    private static let batchCount = 256

    /// Opens an empty index in `directory`.
    init(_ rows: VectorFile, directory: String, linkers: Int) throws {
        self.rows = rows
        isLive = [Bool](repeating: false, count: rows.count)
        slotOfRow = [Slot?](repeating: nil, count: rows.count)
        store = try IndexStore(directory: directory, dimension: rows.dimension)
        guard store.index.statistics.vectorCount == 0 else {
            throw HarnessFailure("\(directory) holds vectors already")
        }
        try store.index.start(threadCount: linkers)
    }

    func close() { store.close() }

    /// Adds rows, each as a vector of its own.
    func add(_ added: [Int]) throws {
        try change(added) { row, transaction in
            let slot = try store.index.stage(rows.floats(row), in: transaction, mayShare: { _ in false })
            slotOfRow[row] = slot
            rowOfSlot[slot] = row
            isLive[row] = true
        }
    }

    func remove(_ removed: [Int]) throws {
        try change(removed) { row, transaction in
            guard let slot = slotOfRow[row] else { return }
            try store.index.stageRemoval(slot, in: transaction)
            slotOfRow[row] = nil
            rowOfSlot[slot] = nil
            isLive[row] = false
        }
    }

    /// Waits for the linkers, then writes all their work.
    func settle() throws {
        store.index.waitUntilLinked()
        while try checkpoint() {}
    }

    /// Rows that a search finds, best first.
    func search(_ vector: [Float], count: Int, ef: Int) throws -> [Int?] {
        try store.search(vector, count: count, ef: ef).map { rowOfSlot[$0.slot] }
    }

    func vector(_ row: Int) -> [Float] { rows.floats(row) }

    func takeLongestCheckpoint() -> Double {
        defer { longestCheckpoint = 0 }
        return longestCheckpoint
    }

    private func change(_ rows: [Int], _ body: (Int, borrowing WriteTransaction) throws -> Void) throws {
        for start in stride(from: 0, to: rows.count, by: Self.batchCount) {
            store.index.applyBackpressure()
            try store.write { transaction in
                for row in rows[start..<min(start + Self.batchCount, rows.count)] { try body(row, transaction) }
            }
            if store.index.needsCheckpoint { _ = try checkpoint() }
        }
    }

    /// - Returns: whether more is left to write.
    private func checkpoint() throws -> Bool {
        try store.write { transaction in
            let begin = Instant.now
            let isMore = try store.index.checkpoint(in: transaction)
            longestCheckpoint = max(longestCheckpoint, Instant.now - begin)
            return isMore
        }
    }
}
