/// Scalar quantizer (SQ8): a vector becomes one byte a value, of its projection on the principal components or of its
/// own components without PCA, as value = scale * (code - zeroPoint) (README, "Scalar quantization").
struct ScalarQuantizer: Sendable {
    /// Components of a vector.
    let dimension: Int
    let pca: PrincipalComponents?
    /// 0 for non-negative values, 128 otherwise.
    let zeroPoint: Int32
    let scale: Float
    /// Error bound of a score by codes: the true score lies at most so far above it for nearly all neighbours of a
    /// sample.
    let errorBound: Float
    /// CRC-32C of the stored form: rows of codes name the quantizer that made them.
    let tag: UInt32

    /// Values that are encoded.
    var componentCount: Int { pca?.count ?? dimension }

    /// Bytes of a code row: the components, padded to whole cache lines.
    var stride: Int { (componentCount + 63) / 64 * 64 }

    init(dimension: Int, pca: PrincipalComponents? = nil, zeroPoint: Int32, scale: Float, errorBound: Float? = nil) {
        self.dimension = dimension
        self.pca = pca
        self.zeroPoint = zeroPoint
        self.scale = scale
        // Rounding errors are uniform in [-scale/2, scale/2] and independent; six standard deviations for a unit query.
        self.errorBound = errorBound ?? 6 * scale * 0.28867513
        tag = QuantizerRow.tag(pca, zeroPoint: zeroPoint, scale: scale, errorBound: self.errorBound)
    }

    /// Whether replacing this quantizer by `other` is worth encoding everything again, both without PCA.
    func differs(from other: ScalarQuantizer) -> Bool {
        zeroPoint != other.zeroPoint || abs(scale - other.scale) > 0.1 * min(scale, other.scale)
    }

    /// Values as code and decoder see them: the vector's projection on the principal components, or its own components.
    func components(of vector: UnsafePointer<Float>, _ buffer: UnsafeMutablePointer<Float>, _ kernels: DispatchTable) {
        if let pca {
            pca.project(vector, to: buffer, kernels)
        } else {
            buffer.update(from: vector, count: dimension)
        }
    }
}
