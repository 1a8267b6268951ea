internal import CConvolution
internal import Inference

/// The convolution of the image itself, three channels deep: bytes to numbers, products of depth 27, bias and ReLU, in one pass.
///
/// Winograd does not pay with three input channels: its transforms cost more than the products they save.
struct FirstConvolution: Sendable {
    let output: MapShape
    private let kernels: Kernels
    /// A right factor of depth 27 in the order row, column, plane.
    private let weights: FloatBuffer
    private let bias: FloatBuffer
    /// `[3, 256]`: the preprocessed value of every byte.
    private let tables: [Float]
    /// Which byte of a pixel each plane reads.
    private let bytes: [Int32]

    private static let depth = 27
    /// Rows of the image a task computes; two more are converted for them.
    private static let rowsPerTask = 8

    init(_ network: Network, outputChannels: Int, _ kernels: Kernels) throws(InferenceError) {
        self.kernels = kernels
        let settings = network.preprocessing
        let channels = Kernels.padded(outputChannels)
        let weights = try FloatBuffer(count: Self.depth * channels)
        let bias = try FloatBuffer(count: channels)
        let panel = Int(kernels.table.first_panel)
        network.withWeight(0) { source in
            for channel in 0..<outputChannels {
                let (first, column) = (channel / panel * panel, channel % panel)
                let width = min(panel, channels - first)
                for plane in 0..<3 {
                    for tap in 0..<9 {
                        let value = source[(channel * 3 + plane) * 9 + tap]
                        weights.base[first * Self.depth + (tap * 3 + plane) * width + column] = value
                    }
                }
            }
        }
        network.withBias(0) { source in
            for channel in 0..<outputChannels { bias.base[channel] = source[channel] }
        }
        self.weights = weights
        self.bias = bias
        output = MapShape(height: settings.side, width: settings.side, channels: channels)
        tables = (0..<3).flatMap { plane in
            (0..<256).map { (Float($0) - settings.mean[plane]) * settings.scale[plane] }
        }
        bytes = settings.channelOrder == .rgb ? [0, 1, 2] : [2, 1, 0]
    }

    var productOperationCount: Int { 2 * Self.depth * output.count }

    /// Values of scratch memory that `run` needs.
    func scratchCount(threadCount: Int) -> Int { threadCount * convertedCount }

    /// A multiple of 16, so that each thread's part begins a cache line.
    private var convertedCount: Int { Kernels.padded((Self.rowsPerTask + 2) * (output.width + 2) * 3) }

    /// Computes one image's map.
    func run(_ pixels: PixelSlice, into target: BufferSlice, _ context: StepContext) {
        let taskCount = (output.height + Self.rowsPerTask - 1) / Self.rowsPerTask
        context.team.run(taskCount: taskCount) { [scratch = context.scratch, clock = context.clock] worker, task in
            let firstRow = task * Self.rowsPerTask
            let rowCount = min(Self.rowsPerTask, output.height - firstRow)
            let rows = scratch.base + worker * convertedCount
            PhaseClock.time(clock, .other) {
                CConvolution_preprocess_u8_f32(
                    pixels.base,
                    Int32(output.width),
                    Int32(firstRow),
                    Int32(rowCount),
                    tables,
                    bytes,
                    rows
                )
            }
            PhaseClock.time(clock, .product) {
                kernels.table.first_convolution_f32(
                    rows,
                    Int32(output.width),
                    Int32(rowCount),
                    weights.base,
                    bias.base,
                    Int32(output.channels),
                    target.base + firstRow * output.width * output.channels
                )
            }
        }
    }
}

/// One image of a batch: `side * side * 3` bytes that the caller of `run` keeps alive until it returns.
struct PixelSlice: @unchecked Sendable {
    // `@unchecked`: only read.
    let base: UnsafePointer<UInt8>
}
