internal import CKernels
internal import Inference

/// A 3x3 convolution by Winograd's F(4x4, 3x3) with bias, ReLU and, where one follows, the 2x2 pool.
///
/// A tile of 4x4 outputs needs 36 products instead of 144. The input's tiles are transformed to 36 planes
/// `[tiles, input channels]`, each is multiplied by its plane of transformed weights `[input, output channels]`, and the
/// products are transformed back (Lavin and Gray, arXiv 1509.09308, section 4.1).
struct WinogradConvolution: Step {
    /// How the work is cut into tasks.
    private enum Schedule {
        /// A task carries a run of tiles through all three phases in scratch memory of its own: right while all planes
        /// of the weights stay in a core's cache.
        case byTiles
        /// All threads share each phase, and in the middle one a task is one plane: every weight is read once a group.
        case byPlanes
    }

    let input: MapShape
    let output: MapShape
    private let isPooled: Bool
    private let schedule: Schedule
    private let kernels: Kernels
    /// `[36, input channels, output channels]`.
    private let weights: FloatBuffer
    private let bias: FloatBuffer

    /// Tiles a task of the transforms takes.
    private static let tilesPerTransform = 16
    /// Bytes of planes that a group of tiles may fill in each of the two buffers.
    private static let groupByteCount = 24 << 20
    /// Bytes of planes of a task of `.byTiles`, both buffers together.
    private static let taskByteCount = 1 << 20
    /// Floats between two planes' ends and beginnings: keeps the planes from sharing cache sets.
    private static let planeGap = 16

    /// Transforms the weights of convolution `index`.
    init(
        _ network: Network,
        index: Int,
        input: MapShape,
        inputChannels: Int,
        outputChannels: Int,
        isPooled: Bool,
        _ kernels: Kernels,
        _ team: ThreadTeam
    ) throws(InferenceError) {
        let padded = Kernels.padded(outputChannels)
        let divisor = isPooled ? 2 : 1
        self.input = input
        self.isPooled = isPooled
        self.kernels = kernels
        output = MapShape(height: input.height / divisor, width: input.width / divisor, channels: padded)
        schedule = input.channels * padded <= 128 * 128 ? .byTiles : .byPlanes
        let weights = try FloatBuffer(count: Kernels.planeCount * input.channels * padded)
        let bias = try FloatBuffer(count: padded)
        self.weights = weights
        self.bias = bias
        network.withBias(index) { source in
            for channel in 0..<outputChannels { bias.base[channel] = source[channel] }
        }
        network.withWeight(index) { source in
            source.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress else { return }
                let origin = SharedWeights(base: base)
                let planes = BufferSlice(weights)
                let rowCount = input.channels
                team.run(taskCount: inputChannels) { _, channel in
                    CKernels_winograd_weights(
                        origin.base + channel * 9,
                        inputChannels * 9,
                        Int32(outputChannels),
                        planes.base + channel * padded,
                        rowCount * padded
                    )
                }
            }
        }
    }

    var isFastOnSingleImages: Bool { schedule == .byTiles }

    private var tilesPerImage: Int { ((input.height + 3) / 4) * ((input.width + 3) / 4) }

    /// Tiles a task, or a group, holds at most.
    private func blockTileCount(imageCount: Int) -> Int {
        let perTile = 4 * Kernels.planeCount
        let limit =
            switch schedule {
            case .byTiles: Self.taskByteCount / (perTile * (input.channels + output.channels))
            case .byPlanes: Self.groupByteCount / (perTile * max(input.channels, output.channels))
            }
        return max(1, min(limit, imageCount * tilesPerImage))
    }

    func scratchCount(imageCount: Int, threadCount: Int) -> Int {
        let tiles = blockTileCount(imageCount: imageCount)
        let count = planesCount(tiles, input.channels) + planesCount(tiles, output.channels)
        return schedule == .byTiles ? threadCount * count : count
    }

    private func planeStride(_ tileCount: Int, _ channels: Int) -> Int { tileCount * channels + Self.planeGap }

    private func planesCount(_ tileCount: Int, _ channels: Int) -> Int {
        Kernels.planeCount * planeStride(tileCount, channels)
    }

    func run(
        _ source: BufferSlice,
        imageCount: Int,
        into target: BufferSlice,
        scratch: FloatBuffer,
        _ team: ThreadTeam
    ) {
        let tileCount = imageCount * tilesPerImage
        let block = blockTileCount(imageCount: imageCount)
        let transformedCount = planesCount(block, input.channels)
        switch schedule {
        case .byTiles:
            let perWorker = transformedCount + planesCount(block, output.channels)
            team.run(taskCount: (tileCount + block - 1) / block) { worker, task in
                let tiles = (task * block)..<min(tileCount, (task + 1) * block)
                let transformed = BufferSlice(scratch, worker * perWorker)
                let products = transformed.advanced(by: transformedCount)
                transformInput(source, tiles, into: transformed, block)
                for plane in 0..<Kernels.planeCount { multiply(plane, tiles.count, transformed, products, block) }
                transformOutput(products, tiles, into: target, block)
            }
        case .byPlanes:
            let transformed = BufferSlice(scratch)
            let products = transformed.advanced(by: transformedCount)
            for first in stride(from: 0, to: tileCount, by: block) {
                let group = first..<min(tileCount, first + block)
                eachPart(of: group, team) { tiles in
                    let place = transformed.advanced(by: (tiles.lowerBound - first) * input.channels)
                    transformInput(source, tiles, into: place, block)
                }
                team.run(taskCount: Kernels.planeCount) { _, plane in
                    multiply(plane, group.count, transformed, products, block)
                }
                eachPart(of: group, team) { tiles in
                    let place = products.advanced(by: (tiles.lowerBound - first) * output.channels)
                    transformOutput(place, tiles, into: target, block)
                }
            }
        }
    }

    /// Runs `body` for short runs of a group's tiles on all threads.
    private func eachPart(of group: Range<Int>, _ team: ThreadTeam, _ body: @escaping @Sendable (Range<Int>) -> Void) {
        let size = Self.tilesPerTransform
        team.run(taskCount: (group.count + size - 1) / size) { _, task in
            let start = group.lowerBound + task * size
            body(start..<min(group.upperBound, start + size))
        }
    }

    private func transformInput(_ source: BufferSlice, _ tiles: Range<Int>, into planes: BufferSlice, _ block: Int) {
        kernels.table.winograd_input(
            source.base,
            run(of: tiles, channels: input.channels),
            planes.base,
            planeStride(block, input.channels)
        )
    }

    private func multiply(
        _ plane: Int,
        _ tileCount: Int,
        _ transformed: BufferSlice,
        _ products: BufferSlice,
        _ block: Int
    ) {
        Kernels.multiply(
            transformed.base + plane * planeStride(block, input.channels),
            weights.base + plane * input.channels * output.channels,
            m: tileCount,
            n: output.channels,
            k: input.channels,
            into: products.base + plane * planeStride(block, output.channels)
        )
    }

    private func transformOutput(_ planes: BufferSlice, _ tiles: Range<Int>, into target: BufferSlice, _ block: Int) {
        kernels.table.winograd_output(
            planes.base,
            planeStride(block, output.channels),
            bias.base,
            run(of: tiles, channels: output.channels),
            isPooled ? 1 : 0,
            target.base
        )
    }

    private func run(of tiles: Range<Int>, channels: Int) -> CKernels_tiles {
        CKernels_tiles(
            height: Int32(input.height),
            width: Int32(input.width),
            channels: Int32(channels),
            first_tile: Int32(tiles.lowerBound),
            tile_count: Int32(tiles.count)
        )
    }
}

/// A network's weights while they are transformed.
private struct SharedWeights: @unchecked Sendable {
    // `@unchecked`: only read, within the scope of `Network.withWeight`.
    let base: UnsafePointer<Float>
}
