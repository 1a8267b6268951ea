internal import CConvolution
internal import Inference

/// A 3x3 convolution by Winograd's F(4x4, 3x3) with bias, ReLU and, where one follows, the 2x2 pool.
///
/// A tile of 4x4 outputs needs 36 products instead of 144. The input's tiles are transformed to 36 left factors
/// `[tiles, input channels]`, each is multiplied by its plane of transformed weights `[input, output channels]`, and the
/// products are transformed back (Lavin and Gray, arXiv 1509.09308, section 4.1).
///
/// A task computes some output channels of some tiles and keeps its factors and products in a core's own cache: it takes
/// the input channels a few at a time and adds up. Tasks that use the same weights follow each other, so that the cores
/// find them in the cache they share. See `WinogradBlocking` for the sizes.
struct WinogradConvolution: Step {
    let name: String
    let input: MapShape
    let output: MapShape
    private let isPooled: Bool
    private let blocking: WinogradBlocking
    private let kernels: Kernels
    /// For every part of the output channels, for every part of the input channels: 36 right factors.
    private let weights: FloatBuffer
    private let bias: FloatBuffer

    /// Transforms the weights of a 3x3 convolution of stride 1.
    init(
        _ network: Network,
        _ layer: Layer.Convolution,
        name: String,
        input: MapShape,
        isPooled: Bool,
        _ kernels: Kernels,
        _ team: ThreadTeam
    ) throws(InferenceError) {
        let columns = Kernels.padded(layer.outputChannels)
        let divisor = isPooled ? 2 : 1
        self.name = name
        self.input = input
        self.isPooled = isPooled
        self.kernels = kernels
        output = MapShape(height: input.height / divisor, width: input.width / divisor, channels: columns)
        blocking = WinogradBlocking(
            inputChannels: input.channels,
            outputChannels: columns,
            isBLAS: kernels.table.gemm_f32 == nil
        )
        weights = try FloatBuffer(count: Kernels.planeCount * input.channels * columns)
        let bias = try FloatBuffer(count: columns)
        self.bias = bias
        network.withBias(layer.index) { source in
            for channel in 0..<layer.outputChannels { bias.base[channel] = source[channel] }
        }
        network.withWeight(layer.index) { source in
            source.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                transformWeights(SharedWeights(base: base), layer.inputChannels, layer.outputChannels, team)
            }
        }
    }

    /// Fills `weights`; a task is one input channel.
    private func transformWeights(
        _ source: SharedWeights,
        _ inputChannels: Int,
        _ outputChannels: Int,
        _ team: ThreadTeam
    ) {
        team.run(taskCount: inputChannels) { [self] _, channel in
            let depthPart = blocking.depthParts[channel / blocking.depthParts[0].count]
            for part in blocking.columnParts {
                let panelColumns = kernels.panelColumns(of: part.count)
                for panel in stride(from: part.lowerBound, to: min(part.upperBound, outputChannels), by: panelColumns) {
                    // The last panel is narrower, and its last columns may be padding.
                    let width = min(panelColumns, part.upperBound - panel)
                    CConvolution_winograd_weights_f32(
                        source.base + (panel * inputChannels + channel) * 9,
                        inputChannels * 9,
                        Int32(min(width, outputChannels - panel)),
                        rightFactor(0, depthPart, part) + (panel - part.lowerBound) * depthPart.count
                            + (channel - depthPart.lowerBound) * width,
                        depthPart.count * part.count
                    )
                }
            }
        }
    }

    /// Where the right factor of a plane and of parts of the channels begins.
    private func rightFactor(
        _ plane: Int,
        _ depthPart: Range<Int>,
        _ columnPart: Range<Int>
    ) -> UnsafeMutablePointer<Float> {
        let beforePart = columnPart.lowerBound * input.channels + depthPart.lowerBound * columnPart.count
        return weights.base + Kernels.planeCount * beforePart + plane * depthPart.count * columnPart.count
    }

    var isFastOnSingleImages: Bool { blocking.columnParts.count == 1 }

    var productOperationCount: Int { 2 * tilesPerImage * Kernels.planeCount * input.channels * output.channels }

    private var tilesPerImage: Int { ((input.height + 3) / 4) * ((input.width + 3) / 4) }

    func scratchCount(imageCount: Int, threadCount: Int) -> Int {
        threadCount * planes(of: min(blocking.tileLimit, imageCount * tilesPerImage)).count
    }

    /// How the planes of a block of tiles lie in scratch memory.
    private struct Planes {
        /// Values from one plane's left factor to the next, and from one product to the next.
        let leftStride: Int
        let productStride: Int

        var productOffset: Int { Kernels.planeCount * leftStride }
        var count: Int { Kernels.planeCount * (leftStride + productStride) }
    }

    /// Floats between two planes' ends and beginnings: keeps the planes from sharing cache sets.
    private static let planeGap = 16

    private func planes(of tileCount: Int) -> Planes {
        Planes(
            leftStride: kernels.leftCount(rows: tileCount, depth: blocking.depthParts[0].count) + Self.planeGap,
            productStride: tileCount * blocking.columnParts[0].count + Self.planeGap
        )
    }

    /// Tasks a thread gets between two pauses: enough that no thread waits long for the last ones.
    private static let tasksPerThread = 8

    func run(_ source: BufferSlice, imageCount: Int, into target: BufferSlice, _ context: StepContext) {
        let tileCount = imageCount * tilesPerImage
        let block = blocking.tileCount(of: tileCount)
        let blockCount = (tileCount + block - 1) / block
        let planes = planes(of: block)
        let partCount = blocking.columnParts.count
        // Column by column part, so that the tasks at work share weights.
        let partsAtOnce = max(1, Self.tasksPerThread * context.team.count / blockCount)
        for firstPart in stride(from: 0, to: partCount, by: partsAtOnce) {
            let parts = min(partsAtOnce, partCount - firstPart)
            context.team.run(taskCount: parts * blockCount) {
                [scratch = context.scratch, clock = context.clock] worker, task in
                let (part, index) = task.quotientAndRemainder(dividingBy: blockCount)
                let columnPart = blocking.columnParts[firstPart + part]
                let tiles = (index * block)..<min(tileCount, (index + 1) * block)
                let left = BufferSlice(scratch, worker * planes.count)
                let products = left.advanced(by: planes.productOffset)
                for depthPart in blocking.depthParts {
                    PhaseClock.time(clock, .inputTransform) {
                        transformInput(source, tiles, depthPart, into: left, planes)
                    }
                    PhaseClock.time(clock, .product) {
                        multiply(tiles.count, depthPart, columnPart, left, products, planes)
                    }
                }
                PhaseClock.time(clock, .outputTransform) {
                    transformOutput(products, planes, tiles, columnPart, into: target)
                }
            }
            context.pause?()
        }
    }

    private func transformInput(
        _ source: BufferSlice,
        _ tiles: Range<Int>,
        _ depthPart: Range<Int>,
        into left: BufferSlice,
        _ planes: Planes
    ) {
        kernels.table.winograd_input_f32(
            source.base,
            run(of: tiles, input.channels, depthPart),
            left.base,
            planes.leftStride
        )
    }

    private func multiply(
        _ tileCount: Int,
        _ depthPart: Range<Int>,
        _ columnPart: Range<Int>,
        _ left: BufferSlice,
        _ products: BufferSlice,
        _ planes: Planes
    ) {
        for plane in 0..<Kernels.planeCount {
            kernels.multiply(
                left.base + plane * planes.leftStride,
                rightFactor(plane, depthPart, columnPart),
                rows: tileCount,
                depth: depthPart.count,
                columns: columnPart.count,
                accumulate: depthPart.lowerBound > 0,
                into: products.base + plane * planes.productStride
            )
        }
    }

    private func transformOutput(
        _ products: BufferSlice,
        _ planes: Planes,
        _ tiles: Range<Int>,
        _ columnPart: Range<Int>,
        into target: BufferSlice
    ) {
        kernels.table.winograd_output_f32(
            products.base,
            planes.productStride,
            bias.base,
            run(of: tiles, output.channels, columnPart),
            isPooled ? 1 : 0,
            target.base
        )
    }

    private func run(of tiles: Range<Int>, _ channels: Int, _ part: Range<Int>) -> CConvolution_tiles {
        CConvolution_tiles(
            height: Int32(input.height),
            width: Int32(input.width),
            channels: Int32(channels),
            first_tile: Int32(tiles.lowerBound),
            tile_count: Int32(tiles.count),
            first_channel: Int32(part.lowerBound),
            channel_count: Int32(part.count)
        )
    }
}

/// A network's weights while they are transformed.
private struct SharedWeights: @unchecked Sendable {
    // `@unchecked`: only read, within the scope of `Network.withWeight`.
    let base: UnsafePointer<Float>
}
