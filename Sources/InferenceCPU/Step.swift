internal import CConvolution

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

/// A 2x2 pool on its own, where it could not be part of the convolution before it.
struct PoolStep: Step {
    let input: MapShape
    let kernels: Kernels

    var name: String { "pool" }
    var output: MapShape { MapShape(height: input.height / 2, width: input.width / 2, channels: input.channels) }
    var isFastOnSingleImages: Bool { true }
    var productOperationCount: Int { 0 }

    private static let rowsPerTask = 8

    func scratchCount(imageCount: Int, threadCount: Int) -> Int { 0 }

    func run(_ source: BufferSlice, imageCount: Int, into target: BufferSlice, _ context: StepContext) {
        let output = output
        let tasksPerImage = (output.height + Self.rowsPerTask - 1) / Self.rowsPerTask
        context.team.run(taskCount: imageCount * tasksPerImage) { [clock = context.clock] _, task in
            let (image, part) = task.quotientAndRemainder(dividingBy: tasksPerImage)
            let firstRow = part * Self.rowsPerTask
            PhaseClock.time(clock, .other) {
                kernels.table.max_pool_f32(
                    source.base + image * input.count,
                    Int32(input.width),
                    Int32(input.channels),
                    Int32(firstRow),
                    Int32(min(Self.rowsPerTask, output.height - firstRow)),
                    target.base + image * output.count
                )
            }
        }
    }
}
