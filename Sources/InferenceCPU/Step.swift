/// One pass over maps: a convolution with its ReLU and perhaps the pool behind it, or a pool alone.
protocol Step: Sendable {
    var output: MapShape { get }

    /// Whether the pass is as fast on one image as on a batch. Such passes at a network's start run image by image, which
    /// keeps their large maps in the cache and their buffers small.
    var isFastOnSingleImages: Bool { get }

    /// Values of scratch memory that `run` needs for batches of up to `imageCount`.
    func scratchCount(imageCount: Int, threadCount: Int) -> Int

    /// Computes `imageCount` maps, one after the other in both buffers.
    func run(_ source: BufferSlice, imageCount: Int, into target: BufferSlice, scratch: FloatBuffer, _ team: ThreadTeam)
}
