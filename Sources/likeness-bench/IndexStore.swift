import Platform
import Storage
import VectorIndex

/// An index in an environment of its own, driven as the catalog drives one: a transaction, its commit, the publication.
final class IndexStore: Sendable {
    let environment: Environment
    let index: VectorIndex

    /// Opens what is in `directory`, or an empty index there.
    init(directory: String, dimension: Int, parameters: IndexParameters = IndexParameters()) throws {
        environment = try Environment(directory: directory)
        let transaction = try WriteTransaction(environment)
        index = try VectorIndex(dimension: dimension, transaction: transaction, parameters: parameters)
        try transaction.commit()
        index.publish()
    }

    func close() {
        index.stop()
        environment.close()
    }

    func write<R>(_ body: (borrowing WriteTransaction) throws -> R) throws -> R {
        let transaction = try WriteTransaction(environment)
        let result = try body(transaction)
        try transaction.commit()
        index.publish()
        return result
    }

    /// Stages the rows of a file that are not there yet, `batchCount` in a commit.
    func add(_ base: VectorFile, batchCount: Int) throws {
        for start in stride(from: index.statistics.vectorCount, to: base.count, by: batchCount) {
            try write { transaction in
                for row in start..<min(start + batchCount, base.count) {
                    _ = try index.stage(base.floats(row), in: transaction)
                }
            }
        }
    }

    /// Writes some of the linkers' work.
    ///
    /// - Returns: whether more is left to write.
    func checkpoint() throws -> Bool { try write { try index.checkpoint(in: $0) } }

    func checkpointAll() throws { while try checkpoint() {} }

    func search(
        _ vector: [Float],
        count: Int,
        ef: Int?,
        among members: SlotSet? = nil
    ) throws -> [IndexHit] {
        try index.search(vector, count: count, ef: ef, among: members, transaction: ReadTransaction(environment))
    }
}
