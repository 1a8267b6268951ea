internal import Inference

/// A network made ready: transformed weights, the order of passes, and every buffer they need, planned once.
///
/// Passes at the start that are fast on single images run image by image between two small buffers; the others run over the
/// whole batch between two large ones.
final class ExecutionPlan: Sendable {
    /// Where the last maps of a batch lie.
    let output: MapShape
    let threadCount: Int
    private let first: FirstConvolution
    /// Run for each image.
    private let imageSteps: [any Step]
    /// Run for the batch.
    private let batchSteps: [any Step]
    private let imageBuffers: [FloatBuffer]
    private let batchBuffers: [FloatBuffer]
    private let scratch: FloatBuffer
    private let team: ThreadTeam
    /// Bytes of buffers without the weights.
    let bufferByteCount: Int

    init(_ network: Network, maximumBatch: Int, team: ThreadTeam, kernels: Kernels) throws(InferenceError) {
        self.team = team
        threadCount = team.count
        guard case .convolution(0, 3, let firstChannels)? = network.layers.first else {
            throw .unsupportedNetwork(
                file: network.name,
                detail: "it does not begin with a convolution of three channels"
            )
        }
        first = try FirstConvolution(network, outputChannels: firstChannels, kernels)
        let steps = try Self.steps(network, after: first.output, team, kernels)
        let imageCount = steps.prefix { $0.isFastOnSingleImages }.count
        imageSteps = Array(steps[..<imageCount])
        batchSteps = Array(steps[imageCount...])
        output = steps.last?.output ?? first.output

        // The last map of the image passes goes to the batch's first buffer, the others alternate between two.
        let imageMaps = ([first.output] + imageSteps.map(\.output)).dropLast()
        let batchMaps = [imageSteps.last?.output ?? first.output] + batchSteps.map(\.output)
        imageBuffers = try Self.buffers(imageMaps.map(\.count))
        batchBuffers = try Self.buffers(batchMaps.map { $0.count * maximumBatch })
        let scratchCounts =
            [first.scratchCount(threadCount: team.count)]
            + imageSteps.map { $0.scratchCount(imageCount: 1, threadCount: team.count) }
            + batchSteps.map { $0.scratchCount(imageCount: maximumBatch, threadCount: team.count) }
        scratch = try FloatBuffer(count: scratchCounts.max() ?? 0)
        bufferByteCount = 4 * (imageBuffers + batchBuffers + [scratch]).reduce(0) { $0 + $1.count }
    }

    /// Two buffers, each as large as the largest of every second map.
    private static func buffers(_ counts: [Int]) throws(InferenceError) -> [FloatBuffer] {
        var buffers: [FloatBuffer] = []
        for parity in 0..<2 {
            let sizes = stride(from: parity, to: counts.count, by: 2).map { counts[$0] }
            buffers.append(try FloatBuffer(count: sizes.max() ?? 0))
        }
        return buffers
    }

    private static func steps(
        _ network: Network,
        after first: MapShape,
        _ team: ThreadTeam,
        _ kernels: Kernels
    ) throws(InferenceError) -> [any Step] {
        var steps: [any Step] = []
        var shape = first
        var rest = network.layers.dropFirst()
        while let layer = rest.popFirst() {
            switch layer {
            case .convolution(let index, let inputChannels, let outputChannels):
                let isPooled = rest.first == .maxPool
                if isPooled { rest.removeFirst() }
                let step = try WinogradConvolution(
                    network,
                    index: index,
                    input: shape,
                    inputChannels: inputChannels,
                    outputChannels: outputChannels,
                    isPooled: isPooled,
                    kernels,
                    team
                )
                steps.append(step)
            case .maxPool:
                steps.append(PoolStep(input: shape, kernels: kernels))
            }
            shape = steps.last?.output ?? shape
        }
        return steps
    }

    /// Computes the last maps of a batch.
    ///
    /// - Parameters:
    ///   - pixels: `count` images, one after the other.
    ///   - count: in `1...maximumBatch`.
    /// - Returns: the maps, one after the other, valid until the next call.
    func run(_ pixels: UnsafePointer<UInt8>, count: Int) -> BufferSlice {
        let imageByteCount = first.output.height * first.output.width * 3
        let batchCount = (imageSteps.last?.output ?? first.output).count
        for image in 0..<count {
            let result = BufferSlice(batchBuffers[0], image * batchCount)
            var current = imageSteps.isEmpty ? result : BufferSlice(imageBuffers[0])
            first.run(PixelSlice(base: pixels + image * imageByteCount), into: current, scratch: scratch, team)
            for (index, step) in imageSteps.enumerated() {
                let isLast = index == imageSteps.count - 1
                let target = isLast ? result : BufferSlice(imageBuffers[(index + 1) % 2])
                step.run(current, imageCount: 1, into: target, scratch: scratch, team)
                current = target
            }
        }
        var current = BufferSlice(batchBuffers[0])
        for (index, step) in batchSteps.enumerated() {
            let target = BufferSlice(batchBuffers[(index + 1) % 2])
            step.run(current, imageCount: count, into: target, scratch: scratch, team)
            current = target
        }
        return current
    }
}
