import Harness
import Platform
import Storage
import TestSupport

@testable import VectorIndex

/// A store in a folder of its own with an index in it, as the catalog drives it: one transaction, one publication.
final class IndexFixture: @unchecked Sendable {
    // `@unchecked`: `index` is replaced by `reopen` only, between the threads of a test.
    let folder: TemporaryDirectory
    let environment: Environment
    private(set) var index: VectorIndex
    let dimension: Int
    let parameters: IndexParameters

    /// With `isGraphForced` the graph is used from the first vectors on.
    init(
        dimension: Int,
        isGraphForced: Bool = false,
        pendingLimit: Int = 1 << 20,
        parameters: IndexParameters = IndexParameters()
    ) throws {
        folder = try TemporaryDirectory()
        var options = EnvironmentOptions()
        options.mapByteCount = 1 << 30
        environment = try Environment(directory: folder.path, options: options)
        var parameters = parameters
        parameters.pendingLimit = pendingLimit
        if isGraphForced {
            parameters.exactBelow = 0
            parameters.linkFrom = 1
        }
        self.dimension = dimension
        self.parameters = parameters
        index = try Self.open(environment, dimension, parameters)
    }

    deinit { index.stop() }

    static func open(
        _ environment: Environment,
        _ dimension: Int,
        _ parameters: IndexParameters
    ) throws -> VectorIndex {
        let transaction = try WriteTransaction(environment)
        let index = try VectorIndex(dimension: dimension, transaction: transaction, parameters: parameters)
        try transaction.commit()
        return index
    }

    /// Opens the same store again, as after a crash: nothing is written first.
    func reopen() throws {
        index.stop()
        index = try Self.open(environment, dimension, parameters)
    }

    @discardableResult
    func add(_ vectors: [[Float]], batch: Int = 500) throws -> [Slot] {
        var slots: [Slot] = []
        for start in stride(from: 0, to: vectors.count, by: batch) {
            let transaction = try WriteTransaction(environment)
            for vector in vectors[start..<min(start + batch, vectors.count)] {
                slots.append(try index.stage(vector, in: transaction))
            }
            try transaction.commit()
            index.publish()
        }
        return slots
    }

    func remove(_ slots: [Slot]) throws {
        let transaction = try WriteTransaction(environment)
        for slot in slots { try index.stageRemoval(slot, in: transaction) }
        try transaction.commit()
        index.publish()
    }

    func checkpoint() throws {
        var isMore = true
        while isMore {
            let transaction = try WriteTransaction(environment)
            isMore = try index.checkpoint(in: transaction)
            try transaction.commit()
            index.publish()
        }
    }

    /// Links everything pending.
    func link(threadCount: Int = 2) throws {
        try index.start(threadCount: threadCount)
        index.waitUntilLinked()
        index.stop()
    }

    func search(_ vector: [Float], _ count: Int, ef: Int? = nil, isExact: Bool = false) throws -> [IndexHit] {
        let transaction = try ReadTransaction(environment)
        return try index.search(vector, count: count, ef: ef, isExact: isExact, transaction: transaction)
    }

    /// Share of the true nearest `count` of each query that the graph finds.
    func recall(_ queries: [[Float]], count: Int, ef: Int) throws -> Double {
        var found = 0
        for query in queries {
            let truth = Set(try search(query, count, isExact: true).map(\.slot))
            found += try search(query, count, ef: ef).count { truth.contains($0.slot) }
        }
        return Double(found) / Double(queries.count * count)
    }
}

/// Numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var random: SeededRandom

    init(_ seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func next() -> UInt64 { random.next() }

    /// About normal: the sum of four uniform numbers.
    mutating func normal() -> Float {
        var sum: Float = 0
        for _ in 0..<4 { sum += Float.random(in: -1...1, using: &self) }
        return sum * 0.866
    }
}

/// Unit vectors like pooled ReLU features: non-negative, in clusters, of few latent dimensions.
struct FeatureSource {
    private var generator: SeededGenerator
    private let dimension: Int
    private let centres: [[Float]]
    private let weights: [[Float]]
    private static let latent = 12

    init(dimension: Int, clusterCount: Int = 60, seed: UInt64 = 7) {
        var generator = SeededGenerator(seed)
        self.dimension = dimension
        centres = (0..<clusterCount).map { _ in (0..<Self.latent).map { _ in generator.normal() } }
        weights = (0..<dimension).map { _ in (0..<Self.latent).map { _ in generator.normal() } }
        self.generator = generator
    }

    mutating func next() -> [Float] {
        let centre = centres[Int.random(in: 0..<centres.count, using: &generator)]
        let latent = centre.map { $0 + 0.6 * generator.normal() }
        let values = weights.map { row -> Float in
            var sum: Float = 1e-3
            for (weight, value) in zip(row, latent) { sum += weight * value }
            return max(sum, 1e-3)
        }
        return unit(values)
    }

    mutating func next(_ count: Int) -> [[Float]] { (0..<count).map { _ in next() } }
}

func unit(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    return vector.map { Float(Double($0) / length) }
}
