internal import COpenBLAS
package import Platform

/// A linear map that makes the components of a collection's vectors uncorrelated and about equally strong: y = W (x - mean),
/// then L2. What all images of a collection share, and what some of its directions repeat, no longer drowns what tells them apart
/// (Jegou, Chum, "Negative evidences and co-occurences in image retrieval", ECCV 2012).
///
/// W is the symmetric one of the whitening matrices, V diag(1 / sqrt(lambda + epsilon)) V^T for the covariance V diag(lambda) V^T. Any
/// other, such as that of PCA, is a rotation of it, and gives the same similarities; this one does not depend on the order, the
/// signs or, among equal eigenvalues, the choice of eigenvectors.
package struct Whitening: Sendable, Equatable {
    /// Length of the vectors.
    package var dimension: Int { mean.count }
    package let mean: [Float]
    /// `[dimension, dimension]`, symmetric.
    package let matrix: [Float]
    /// Vectors that it was learned from.
    package let sampleCount: Int
    /// SHA-256 over `mean`, then `matrix`, as little-endian fp32: its identity in a fingerprint.
    package let digest: SHA256Digest

    /// - Returns: nil unless there is a mean of 1...4096 finite values and a finite matrix that fits it.
    package init?(mean: [Float], matrix: [Float], sampleCount: Int) {
        guard 1...4096 ~= mean.count, matrix.count == mean.count * mean.count, sampleCount > 0,
            mean.allSatisfy(\.isFinite), matrix.allSatisfy(\.isFinite)
        else { return nil }
        self.mean = mean
        self.matrix = matrix
        self.sampleCount = sampleCount
        var hash = SHA256()
        hash.update(mean.span.bytes)
        hash.update(matrix.span.bytes)
        digest = hash.finish()
        // OpenBLAS would share one small product among threads of its own, and sum in another order for it.
        openblas_set_num_threads(1)
    }

    package static func == (a: Whitening, b: Whitening) -> Bool { a.digest == b.digest }

    /// The whitened vector, of length 1; zeros for the mean itself. The same bits for the same vector on one machine.
    ///
    /// - Parameter vector: `dimension` finite values.
    /// - Returns: `dimension` values.
    /// - Complexity: O(dimension^2); 512 dimensions took 30 microseconds on a core of 2.5 GHz.
    package func applied(to vector: [Float]) -> [Float] {
        let product = product(vector)
        let squares = product.reduce(0.0) { $0 + Double($1) * Double($1) }
        guard squares > 0 else { return product }
        let factor = 1 / squares.squareRoot()
        return product.map { Float(Double($0) * factor) }
    }

    /// W (x - mean).
    func product(_ vector: [Float]) -> [Float] {
        precondition(vector.count == dimension, "\(vector.count) values for a whitening of \(dimension)")
        let centred = zip(vector, mean).map { $0 - $1 }
        var result = [Float](repeating: 0, count: dimension)
        let count = Int32(dimension)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, count, count, 1, matrix, count, centred, 1, 0, &result, 1)
        return result
    }
}
