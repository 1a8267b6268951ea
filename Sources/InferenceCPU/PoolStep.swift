internal import CConvolution

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
