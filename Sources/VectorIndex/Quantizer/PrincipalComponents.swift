internal import CIndexKernels
internal import Storage

/// Principal components (PCA): orthonormal directions, and the projection of vectors on them.
///
/// Vectors of pooled features spread along few directions: with 128 principal components of 512, the ten
/// nearest of 100,000 lie among the twenty nearest by these alone (README, "Principal components").
final class PrincipalComponents: @unchecked Sendable {
    // `@unchecked`: written by `init` alone.
    /// Components of a vector.
    let dimension: Int
    /// How many principal components, a multiple of 64, at most `dimension`.
    let count: Int
    /// `[count / 64][dimension][64]`: element i of principal component 64 b + j at [b][i][j]; 64-byte aligned.
    let blocks: UnsafeMutablePointer<Float>

    /// `component(k)` gives principal component k: `dimension` numbers.
    init(dimension: Int, count: Int, component: (Int) -> [Float]) {
        self.dimension = dimension
        self.count = count
        blocks = Self.allocate(dimension * count)
        for number in 0..<count {
            for (index, value) in component(number).enumerated() {
                blocks[(number / 64 * dimension + index) * 64 + number % 64] = value
            }
        }
    }

    /// From the numbers of `blocks`, as a row of the store has them; nil when one of them cannot belong to a unit
    /// vector.
    init?(dimension: Int, count: Int, row: RawSpan) {
        guard count > 0, count % 64 == 0, count <= dimension, row.byteCount == 4 * dimension * count else { return nil }
        self.dimension = dimension
        self.count = count
        blocks = Self.allocate(dimension * count)
        for index in 0..<dimension * count {
            let value = Float(bitPattern: row.integer(at: 4 * index) ?? .max)
            guard abs(value) <= 1.001 else { return nil }
            blocks[index] = value
        }
    }

    deinit { blocks.deallocate() }

    /// Memory for `count` numbers, aligned to cache lines; to be deallocated.
    static func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 64).bindMemory(
            to: Float.self,
            capacity: count
        )
    }

    /// Components of `vector` along the component: `count` numbers to `components`, which is 64-byte aligned.
    func project(_ vector: UnsafePointer<Float>, to components: UnsafeMutablePointer<Float>, _ kernels: DispatchTable) {
        kernels.table.pointee.project_f32(vector, dimension, blocks, count / 64, components)
    }

    /// The vector that has these components and none besides.
    func expand(_ components: [Float]) -> [Float] {
        (0..<dimension).map { index in
            var sum: Float = 0
            for (number, component) in components.enumerated() {
                sum += component * blocks[(number / 64 * dimension + index) * 64 + number % 64]
            }
            return sum
        }
    }
}
