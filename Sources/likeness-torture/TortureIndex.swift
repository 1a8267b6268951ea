import Harness
import Platform
import Storage
import VectorIndex

/// `Storage` and `VectorIndex` themselves: a place is a slot.
final class TortureIndex: TortureSubject {
    /// Hits of each search.
    private static let hitCount = 3

    var announce: (TorturePhase) -> Void = { _ in }
    let choosesPlaces = true
    private let directory: String
    private var opened: (environment: Environment, index: VectorIndex)?

    init(directory: String) { self.directory = directory }

    /// Thresholds so low that everything happens all the time.
    static var parameters: IndexParameters {
        var parameters = IndexParameters()
        parameters.exactBelow = 0
        parameters.linkFrom = 200
        parameters.efConstruction = 64
        parameters.checkpointOperations = 64
        parameters.checkpointPages = 4
        return parameters
    }

    /// The smallest map, which grows in every life.
    static var options: EnvironmentOptions {
        var options = EnvironmentOptions()
        options.mapByteCount = 1 << 17
        options.maximumMapByteCount = 1 << 28
        return options
    }

    func open(_ opening: inout TortureOpening) throws {
        let environment = try Environment(directory: directory, options: Self.options)
        let index = try transact(environment) { transaction in
            try VectorIndex(
                dimension: TortureVector.dimension,
                transaction: transaction,
                parameters: Self.parameters
            )
        }
        try index.start(threadCount: 1)
        opened = (environment, index)
        let statistics = index.statistics
        opening.vectorCount = UInt32(statistics.vectorCount)
        opening.damagedCount = UInt32(statistics.damagedSlots.count)
        opening.storedCount = UInt32(try index.storedCount(in: ReadTransaction(environment)))
    }

    func apply(_ changes: [TortureChange]) throws -> [UInt32] {
        let (environment, index) = try contents
        return try change(environment, index) { transaction in
            try changes.map { change in
                if change.isRemoval {
                    try index.stageRemoval(Slot(rawValue: change.from), in: transaction)
                    return TortureFrame.absent
                }
                return try index.stage(TortureVector.make(change.item), in: transaction).rawValue
            }
        }
    }

    func checkpoint() throws -> Bool {
        let (environment, index) = try contents
        return try change(environment, index) { try index.checkpoint(in: $0) }
    }

    func settle() throws { try contents.index.waitUntilLinked() }

    func answer(_ item: UInt32, at place: UInt32) throws -> TortureAnswer {
        let (environment, index) = try contents
        let vector = TortureVector.make(item)
        let transaction = try ReadTransaction(environment)
        var answer = TortureAnswer(item: item)
        func hits(_ vector: [Float], isExact: Bool) throws -> [TortureAnswer.Hit] {
            try index.search(vector, count: Self.hitCount, isExact: isExact, transaction: transaction).map {
                TortureAnswer.Hit(place: $0.slot.rawValue, score: $0.score)
            }
        }
        answer.exact = try hits(vector, isExact: true)
        answer.own = try hits(vector, isExact: false)
        answer.near = try hits(TortureVector.beside(vector, item), isExact: false)
        if place != TortureFrame.absent {
            do throws(IndexError) {
                _ = try index.vector(Slot(rawValue: place), in: transaction)
            } catch .damagedVector { answer.isRowIntact = false } catch .unknownSlot { answer.isRowIntact = false }
        }
        return answer
    }

    func close() throws {
        let (environment, index) = try contents
        index.stop()
        while try checkpoint() {}
        environment.close()
        opened = nil
    }

    // MARK: Transactions

    private var contents: (environment: Environment, index: VectorIndex) {
        get throws {
            guard let opened else { throw HarnessFailure("the store is not open") }
            return opened
        }
    }

    /// One transaction with its publication.
    private func change<R>(
        _ environment: Environment,
        _ index: VectorIndex,
        _ body: (borrowing WriteTransaction) throws -> R
    ) throws -> R {
        do {
            let result = try transact(environment, giveUp: { index.discard() }, body)
            index.publish()
            return result
        } catch {
            index.discard()
            throw error
        }
    }

    /// One transaction, again with a larger map while that is full.
    private func transact<R>(
        _ environment: Environment,
        giveUp: () -> Void = {},
        _ body: (borrowing WriteTransaction) throws -> R
    ) throws -> R {
        while true {
            do {
                let transaction = try WriteTransaction(environment)
                let result = try body(transaction)
                try transaction.commit()
                return result
            } catch let error where Self.isMapFull(error) {
                giveUp()
                announce(.mapGrowth)
                try environment.grow()
            }
        }
    }

    private static func isMapFull(_ error: any Error) -> Bool {
        if case IndexError.storage(let error) = error { return error.code == .mapFull }
        return (error as? StorageError)?.code == .mapFull
    }
}
