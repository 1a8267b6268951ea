/// One pass over maps: a convolution with its ReLU and perhaps the pool behind it, or a pool alone.
protocol Step: Sendable {
    /// For people, such as `conv1_2`.
    var name: String { get }
    var output: MapShape { get }

    /// Whether the pass is as fast on one image as on a batch. Such passes at a network's start run image by image, which
    /// keeps their large maps in the cache and their buffers small.
    var isFastOnSingleImages: Bool { get }

    /// Multiplications and additions of an image that its products take, each counted.
    var productOperationCount: Int { get }

    /// Values of scratch memory that `run` needs for batches of up to `imageCount`.
    func scratchCount(imageCount: Int, threadCount: Int) -> Int

    /// Computes `imageCount` maps, one after the other in both buffers.
    func run(_ source: BufferSlice, imageCount: Int, into target: BufferSlice, _ context: StepContext)
}

/// What a step works with besides its maps.
struct StepContext {
    let team: ThreadTeam
    let scratch: FloatBuffer
    /// Called between blocks of work, when no thread of the team is busy; nil when nothing may come between.
    let pause: (() -> Void)?
    /// Nil unless the phases are timed.
    let clock: PhaseClock?
}
