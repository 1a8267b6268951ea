import Testing

@testable import LinearAlgebra

struct WhiteningTests {
    /// `count` vectors of `dimension` values whose standard deviations fall from 1 to 1 / dimension along axes of their own, mixed by
    /// a fixed rotation of neighbours.
    private func sample(count: Int, dimension: Int, seed: UInt64 = 1) -> [[Float]] {
        var state = seed
        func uniform() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 23) - 1
        }
        return (0..<count).map { _ in
            var vector = (0..<dimension).map { uniform() / Float($0 + 1) + 0.25 }
            for index in 1..<dimension {
                let (a, b) = (vector[index - 1], vector[index])
                (vector[index - 1], vector[index]) = (0.8 * a - 0.6 * b, 0.6 * a + 0.8 * b)
            }
            return vector
        }
    }

    private func learned(_ vectors: [[Float]], regularisation: Double = WhiteningLearner.regularisation) throws
        -> Whitening
    {
        var learner = WhiteningLearner(dimension: vectors[0].count)
        for vector in vectors { learner.add(vector) }
        return try learner.finish(regularisation: regularisation)
    }

    private func covariance(_ vectors: [[Float]]) -> [[Double]] {
        let dimension = vectors[0].count
        let count = Double(vectors.count)
        let means = (0..<dimension).map { index in vectors.reduce(0) { $0 + Double($1[index]) } / count }
        return (0..<dimension).map { row in
            (0..<dimension).map { column in
                vectors.reduce(0) { $0 + (Double($1[row]) - means[row]) * (Double($1[column]) - means[column]) }
                    / count
            }
        }
    }

    @Test(arguments: [1, 2, 7, 16]) func `the whitened sample has the identity as covariance`(dimension: Int) throws {
        let vectors = sample(count: 600, dimension: dimension)
        let whitening = try learned(vectors, regularisation: 1e-9)
        #expect(whitening.sampleCount == 600 && whitening.dimension == dimension)
        let result = covariance(vectors.map(whitening.product))
        for row in 0..<dimension {
            for column in 0..<dimension { #expect(abs(result[row][column] - (row == column ? 1 : 0)) < 1e-3) }
        }
    }

    @Test func `the regularisation keeps weak directions weak`() throws {
        // Four axes without rotation, variances 1, 1/4, 1/9, 1/16 of that of the first.
        let vectors = sample(count: 4000, dimension: 1).map { $0[0] - 0.25 }
        let axes = (0..<1000).map { row in (0..<4).map { vectors[4 * row + $0] / Float($0 + 1) } }
        let before = covariance(axes)
        let mean = (0..<4).reduce(0) { $0 + before[$1][$1] } / 4
        let after = covariance(axes.map(try learned(axes).product))
        for axis in 0..<4 {
            let expected = before[axis][axis] / (before[axis][axis] + 7 * mean)
            #expect(abs(after[axis][axis] - expected) < 0.01, "axis \(axis): \(after[axis][axis]), \(expected)")
        }
    }

    @Test func `the same vectors give the same whitening, in any order nearly the same`() throws {
        let vectors = sample(count: 700, dimension: 9)
        let first = try learned(vectors)
        #expect(try learned(vectors) == first)
        let other = try learned(vectors.reversed())
        for (a, b) in zip(first.matrix, other.matrix) { #expect(abs(a - b) < 1e-4) }
        let another = try learned(sample(count: 700, dimension: 9, seed: 2))
        #expect(first.digest != another.digest)
    }

    @Test func `a direction without variance and equal eigenvalues are no trouble`() throws {
        let vectors = sample(count: 64, dimension: 4).map { $0 + [0.5, 0.5] }
        let whitening = try learned(vectors)
        #expect(whitening.applied(to: vectors[3]).allSatisfy { $0.isFinite })
        let cube = (0..<32).map { corner in (0..<3).map { Float(corner >> $0 & 1) } }
        let one = try learned(cube, regularisation: 1e-9)
        for row in 0..<3 {
            for column in 0..<3 { #expect(abs(one.matrix[3 * row + column] - (row == column ? 2 : 0)) < 1e-4) }
        }
    }

    @Test func `what is applied has length 1, and the mean has none`() throws {
        let vectors = sample(count: 300, dimension: 12)
        let whitening = try learned(vectors)
        for vector in vectors.prefix(20) {
            let length = whitening.applied(to: vector).reduce(0) { $0 + $1 * $1 }
            #expect(abs(length - 1) < 1e-5)
        }
        #expect(whitening.applied(to: whitening.mean) == [Float](repeating: 0, count: 12))
    }

    @Test func `too few vectors and equal ones are refused with the reason`() throws {
        #expect(throws: WhiteningLearner.Failure.tooFewVectors(got: 15, needed: 16)) {
            try learned(sample(count: 15, dimension: 8))
        }
        #expect(throws: WhiteningLearner.Failure.noVariance) {
            try learned([[Float]](repeating: [0.5, 0.25, 0, 1], count: 20))
        }
    }

    @Test func `a matrix that does not fit is no whitening`() {
        #expect(Whitening(mean: [0, 0], matrix: [1, 0, 0], sampleCount: 4) == nil)
        #expect(Whitening(mean: [0, .nan], matrix: [1, 0, 0, 1], sampleCount: 4) == nil)
        #expect(Whitening(mean: [], matrix: [], sampleCount: 4) == nil)
        #expect(Whitening(mean: [0, 0], matrix: [1, 0, 0, 1], sampleCount: 4) != nil)
    }
}
