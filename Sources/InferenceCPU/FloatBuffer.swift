internal import Glibc
internal import Inference

/// A page-aligned block of fp32 values, zero at first; pages cost memory only once touched.
///
/// Shared by the threads of a team: whoever hands parts of it to several threads makes sure that they do not overlap.
final class FloatBuffer: @unchecked Sendable {
    // `@unchecked`: the address never changes; the rule above is kept by the steps, which give each task its own range.
    let base: UnsafeMutablePointer<Float>
    let count: Int

    /// Maps `count` values.
    ///
    /// - Throws: `InferenceError.outOfMemory`.
    init(count: Int) throws(InferenceError) {
        self.count = max(1, count)
        let byteCount = 4 * self.count
        guard
            let address = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            address != MAP_FAILED
        else { throw .outOfMemory(device: "cpu", byteCount: byteCount) }
        // Weights and planes are walked with long strides: large pages save most address translations. Advice only.
        madvise(address, byteCount, MADV_HUGEPAGE)
        base = address.bindMemory(to: Float.self, capacity: self.count)
    }

    deinit { munmap(base, 4 * count) }
}

/// A place in a buffer.
struct BufferSlice: Sendable {
    let buffer: FloatBuffer
    let offset: Int

    init(_ buffer: FloatBuffer, _ offset: Int = 0) {
        self.buffer = buffer
        self.offset = offset
    }

    var base: UnsafeMutablePointer<Float> { buffer.base + offset }

    func advanced(by count: Int) -> BufferSlice { BufferSlice(buffer, offset + count) }
}

/// Channels-last map of one image; channels padded to what the kernels take.
struct MapShape: Hashable, Sendable {
    var height: Int
    var width: Int
    /// A multiple of 16.
    var channels: Int

    var count: Int { height * width * channels }
}

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
