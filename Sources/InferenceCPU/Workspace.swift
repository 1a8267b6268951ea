internal import Inference

/// Every buffer that batches up to a size need, planned once.
final class Workspace: Sendable {
    let maximumBatch: Int
    let imageBuffers: [FloatBuffer]
    let batchBuffers: [FloatBuffer]
    let scratch: FloatBuffer

    /// - Parameters:
    ///   - maximumBatch: images a batch may hold.
    ///   - imageMapCounts: values of the maps that pass between two buffers in turn, for one image.
    ///   - batchMapCounts: the same for a whole batch.
    ///   - scratchCount: values that any pass needs besides.
    /// - Throws: `.outOfMemory`.
    init(
        maximumBatch: Int,
        imageMapCounts: [Int],
        batchMapCounts: [Int],
        scratchCount: Int
    ) throws(InferenceError) {
        self.maximumBatch = maximumBatch
        imageBuffers = try Self.buffers(imageMapCounts)
        batchBuffers = try Self.buffers(batchMapCounts)
        scratch = try FloatBuffer(count: scratchCount)
    }

    var byteCount: Int { 4 * (imageBuffers + batchBuffers + [scratch]).reduce(0) { $0 + $1.count } }

    /// Two buffers, each as large as the largest of every second map.
    private static func buffers(_ counts: [Int]) throws(InferenceError) -> [FloatBuffer] {
        var buffers: [FloatBuffer] = []
        for parity in 0..<2 {
            let sizes = stride(from: parity, to: counts.count, by: 2).map { counts[$0] }
            buffers.append(try FloatBuffer(count: sizes.max() ?? 0))
        }
        return buffers
    }
}
