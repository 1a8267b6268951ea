internal import CKernels
internal import Inference

/// The convolution of the image itself, three channels deep: preprocessing, patches of 27 values, one product.
///
/// Winograd does not pay with three input channels (`im2col` and one product of depth 27 do less work).
struct FirstConvolution: Sendable {
    let output: MapShape
    private let kernels: Kernels
    /// `[27, channels]`, the depth in the order of the patches: row, column, plane.
    private let weights: FloatBuffer
    private let bias: FloatBuffer
    /// `[3, 256]`: the preprocessed value of every byte.
    private let tables: [Float]
    /// Which byte of a pixel each plane reads.
    private let bytes: [Int32]

    private static let depth = 27
    /// Rows of the image a task computes.
    private static let rowsPerTask = 4

    init(_ network: Network, outputChannels: Int, _ kernels: Kernels) throws(InferenceError) {
        self.kernels = kernels
        let settings = network.preprocessing
        let channels = Kernels.padded(outputChannels)
        let weights = try FloatBuffer(count: Self.depth * channels)
        let bias = try FloatBuffer(count: channels)
        network.withWeight(0) { source in
            for channel in 0..<outputChannels {
                for plane in 0..<3 {
                    for tap in 0..<9 {
                        let value = source[(channel * 3 + plane) * 9 + tap]
                        weights.base[(tap * 3 + plane) * channels + channel] = value
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

    /// Values of scratch memory that `run` needs.
    func scratchCount(threadCount: Int) -> Int { threadCount * patchCount }

    private var patchCount: Int { Self.rowsPerTask * output.width * Self.depth }

    /// Computes one image's map.
    func run(_ pixels: PixelSlice, into target: BufferSlice, scratch: FloatBuffer, _ team: ThreadTeam) {
        let taskCount = (output.height + Self.rowsPerTask - 1) / Self.rowsPerTask
        team.run(taskCount: taskCount) { worker, task in
            let firstRow = task * Self.rowsPerTask
            let rowCount = min(Self.rowsPerTask, output.height - firstRow)
            let patches = scratch.base + worker * patchCount
            CKernels_first_patches(
                pixels.base,
                Int32(output.width),
                Int32(firstRow),
                Int32(rowCount),
                tables,
                bytes,
                patches
            )
            let rows = target.base + firstRow * output.width * output.channels
            let pixelCount = rowCount * output.width
            Kernels.multiply(patches, weights.base, m: pixelCount, n: output.channels, k: Self.depth, into: rows)
            kernels.table.bias_relu(rows, pixelCount, Int32(output.channels), bias.base)
        }
    }
}

/// One image of a batch: `side * side * 3` bytes that the caller of `run` keeps alive until it returns.
struct PixelSlice: @unchecked Sendable {
    // `@unchecked`: only read, and only while the batch runs.
    let base: UnsafePointer<UInt8>
}
