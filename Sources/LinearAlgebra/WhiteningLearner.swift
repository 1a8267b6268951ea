internal import COpenBLAS

/// Learns a `Whitening` from vectors, one at a time, in memory that does not grow with them.
package struct WhiteningLearner {
    /// Why there is no whitening to learn.
    package enum Failure: Error, Equatable {
        case tooFewVectors(got: Int, needed: Int)
        /// The vectors do not differ.
        case noVariance
        /// LAPACK found no eigenvalues; the number is its `info`.
        case noEigenvalues(Int)
    }

    /// Added to every eigenvalue, as a multiple of their mean.
    ///
    /// Full whitening lifts directions that hold nothing but noise to the strength of those that matter. Between 5 and 10 times the mean
    /// the quality is flat and above that of the plain vectors; with 0.1 it is far below them (`README.md`).
    package static let regularisation = 7.0

    /// Distinct vectors that are enough: the covariance of fewer says more of the sample than of the collection.
    package static func neededCount(dimension: Int) -> Int { 2 * dimension }

    private static let blockCount = 256

    private let dimension: Int
    private(set) var count = 0
    private var sum: [Double]
    /// Sum of x x^T, `[dimension, dimension]`, its upper triangle.
    private var moment: [Double]
    /// Vectors that `moment` does not hold yet, end to end.
    private var block: [Double] = []

    package init(dimension: Int) {
        self.dimension = dimension
        sum = [Double](repeating: 0, count: dimension)
        moment = [Double](repeating: 0, count: dimension * dimension)
        block.reserveCapacity(Self.blockCount * dimension)
        openblas_set_num_threads(1)
    }

    /// Takes one vector of `dimension` finite values.
    package mutating func add(_ vector: [Float]) {
        precondition(vector.count == dimension, "\(vector.count) values where \(dimension) are learned from")
        for (index, value) in vector.enumerated() { sum[index] += Double(value) }
        block.append(contentsOf: vector.lazy.map(Double.init))
        count += 1
        if block.count == Self.blockCount * dimension { take() }
    }

    /// The whitening of what was added.
    ///
    /// - Parameter regularisation: multiple of the mean eigenvalue that is added to each, above 0.
    /// - Returns: the same for the same vectors in the same order.
    /// - Throws: `Failure`.
    /// - Complexity: O(dimension^3); 512 dimensions took 0.1 s.
    package mutating func finish(
        regularisation: Double = WhiteningLearner.regularisation
    ) throws(Failure) -> Whitening {
        let needed = Self.neededCount(dimension: dimension)
        guard count >= needed else { throw .tooFewVectors(got: count, needed: needed) }
        take()
        var vectors = covariance
        let values: [Double]
        do throws(Eigenvectors.Failure) {
            values = try Eigenvectors.replace(&vectors, size: dimension)
        } catch { throw .noEigenvalues(error.info) }
        let mean = values.reduce(0, +) / Double(dimension)
        guard mean.isFinite, mean > 0 else { throw .noVariance }
        // Row k of `vectors` is eigenvector k; scaled by the fourth root, the product with itself has the square root.
        for (index, value) in values.enumerated() {
            let scale = 1 / (max(0, value) + regularisation * mean).squareRoot().squareRoot()
            for place in index * dimension..<(index + 1) * dimension { vectors[place] *= scale }
        }
        var matrix = [Double](repeating: 0, count: dimension * dimension)
        let size = Int32(dimension)
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, size, size, 1, vectors, size, 0, &matrix, size)
        mirror(&matrix)
        let whitening = Whitening(
            mean: sum.map { Float($0 / Double(count)) },
            matrix: matrix.map(Float.init),
            sampleCount: count
        )
        guard let whitening else { throw .noVariance }
        return whitening
    }

    /// Adds `block` to `moment`.
    private mutating func take() {
        let size = Int32(dimension)
        let rows = Int32(block.count / dimension)
        guard rows > 0 else { return }
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, size, rows, 1, block, size, 1, &moment, size)
        block.removeAll(keepingCapacity: true)
    }

    /// `[dimension, dimension]`. Unit vectors lose at most four of sixteen digits to the subtraction.
    private var covariance: [Double] {
        var result = moment
        for row in 0..<dimension {
            for column in row..<dimension {
                let mean = sum[row] * sum[column] / Double(count)
                result[row * dimension + column] = (moment[row * dimension + column] - mean) / Double(count)
            }
        }
        mirror(&result)
        return result
    }

    private func mirror(_ matrix: inout [Double]) {
        for row in 0..<dimension {
            for column in 0..<row { matrix[row * dimension + column] = matrix[column * dimension + row] }
        }
    }
}
