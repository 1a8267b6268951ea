internal import CIndexKernels
internal import Storage

/// How vectors become bytes: their components along the directions of a projection, or their own without one, as
/// value = step * (code - zero), codes 0...255 (README, "Codes").
struct VectorCodec: Sendable {
    /// Components of a vector.
    let dimension: Int
    let projection: Projection?
    /// 0 for non-negative values, 128 otherwise.
    let zero: Int32
    let step: Float
    /// How far the score of a near vector may lie above what codes say: a bound that nearly all neighbours of a sample keep.
    let reach: Float
    /// CRC-32C of the stored form: rows of codes name the codec that made them.
    let tag: UInt32

    /// Values that are encoded.
    var componentCount: Int { projection?.count ?? dimension }

    /// Bytes of a code row: the components, padded to whole cache lines.
    var stride: Int { (componentCount + 63) / 64 * 64 }

    init(dimension: Int, projection: Projection? = nil, zero: Int32, step: Float, reach: Float? = nil) {
        self.dimension = dimension
        self.projection = projection
        self.zero = zero
        self.step = step
        // Rounding errors are uniform in [-step/2, step/2] and independent; six standard deviations for a unit query.
        self.reach = reach ?? 6 * step * 0.28867513
        tag = CodecRow.tag(projection, zero: zero, step: step, reach: self.reach)
    }

    /// Whether replacing this codec by `other` is worth encoding everything again, both without a projection.
    func differs(from other: VectorCodec) -> Bool {
        zero != other.zero || abs(step - other.step) > 0.1 * min(step, other.step)
    }

    /// Values as code and decoder see them: the vector's components along the projection, or its own.
    func components(of vector: UnsafePointer<Float>, _ room: UnsafeMutablePointer<Float>, _ kernels: DispatchTable) {
        if let projection {
            projection.project(vector, to: room, kernels)
        } else {
            room.update(from: vector, count: dimension)
        }
    }
}
