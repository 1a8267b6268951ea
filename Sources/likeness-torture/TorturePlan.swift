import Harness

/// What one life of the worker does: answers questions about what the store holds, then works until it is ended.
struct TorturePlan {
    /// One item and where it lies; `TortureFrame.absent` when it should lie nowhere.
    struct Entry {
        var item: UInt32
        var place: UInt32
    }

    var seed: UInt64 = 0
    /// The first number that no item or place has had.
    var nextItem: UInt32 = 0
    var nextBatch: UInt32 = 0
    /// Items that the worker keeps about, for thresholds of the index to be crossed both ways.
    var target: UInt32 = 0
    /// Steps before it ends by itself, in good order; with 0 it answers only.
    var stepCount: UInt32 = 0
    var live: [Entry] = []
    var questions: [Entry] = []

    init() {}

    init?(_ words: [UInt32]) {
        guard words.count >= 8 else { return nil }
        seed = UInt64(words[0]) | UInt64(words[1]) << 32
        (nextItem, nextBatch, target, stepCount) = (words[2], words[3], words[4], words[5])
        let (liveCount, questionCount) = (Int(words[6]), Int(words[7]))
        guard words.count == 8 + 2 * (liveCount + questionCount) else { return nil }
        let entries = stride(from: 8, to: words.count, by: 2).map { Entry(item: words[$0], place: words[$0 + 1]) }
        live = Array(entries[..<liveCount])
        questions = Array(entries[liveCount...])
    }

    var words: [UInt32] {
        [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32), nextItem, nextBatch, target, stepCount]
            + [UInt32(live.count), UInt32(questions.count)]
            + (live + questions).flatMap { [$0.item, $0.place] }
    }
}

/// The vector of an item, the same in every process: like pooled features, not negative, in clusters, of few latent dimensions.
///
/// Every 300 items they become more or less even, so that the codes' range that fitted the last ones does not fit the next.
enum TortureVector {
    /// So many that codes are projections once the collection is large enough.
    static let dimension = 128
    private static let latentCount = 12
    private static let centres = matrix(40, seed: 1)
    private static let weights = matrix(dimension, seed: 2)

    static func make(_ item: UInt32) -> [Float] {
        var generator = SeededRandom(seed: UInt64(item) &+ 1000)
        let centre = centres[Int.random(in: 0..<centres.count, using: &generator)]
        let latent = centre.map { $0 + Float.random(in: -0.7...0.7, using: &generator) }
        let isEven = (item / 300).isMultiple(of: 2)
        return unit(
            weights.map { row in
                let value = max(0.02, zip(row, latent).reduce(0.3) { $0 + $1.0 * $1.1 })
                return isEven ? value.squareRoot() : value * value
            }
        )
    }

    private static func matrix(_ rowCount: Int, seed: UInt64) -> [[Float]] {
        var generator = SeededRandom(seed: seed)
        return (0..<rowCount).map { _ in
            (0..<latentCount).map { _ in Float.random(in: -1...1, using: &generator) }
        }
    }

    /// A vector with a similarity of about .9999 to `vector`: no two items are so alike.
    static func beside(_ vector: [Float], _ item: UInt32) -> [Float] {
        var generator = SeededRandom(seed: ~UInt64(item))
        return unit(vector.map { $0 + Float.random(in: -0.003...0.003, using: &generator) })
    }

    private static func unit(_ values: [Float]) -> [Float] {
        let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return values.map { $0 / length }
    }
}
