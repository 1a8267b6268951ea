internal import Inference

/// A network made ready: transformed weights and the order of passes.
///
/// Passes at the start that are fast on single images run image by image between two small buffers; the others run over the
/// whole batch between two large ones. The buffers are a `Workspace`'s, so that one plan serves several.
final class ExecutionPlan: Sendable {
    /// Where the last maps of a batch lie.
    let output: MapShape
    let team: ThreadTeam
    private let first: FirstConvolution
    /// Run for each image.
    private let imageSteps: [any Step]
    /// Run for the batch.
    private let batchSteps: [any Step]

    init(_ network: Network, team: ThreadTeam, kernels: Kernels) throws(InferenceError) {
        self.team = team
        try network.check(for: CPUBackend.name, computes: Self.computes)
        guard case .convolution(let layer)? = network.layers.first, layer.index == 0, layer.inputChannels == 3 else {
            throw .unsupportedNetwork(
                name: network.name,
                detail: "it does not begin with a convolution of three channels"
            )
        }
        first = try FirstConvolution(network, outputChannels: layer.outputChannels, kernels)
        let steps = try Self.steps(network, after: first.output, team, kernels)
        let imageCount = steps.prefix { $0.isFastOnSingleImages }.count
        imageSteps = Array(steps[..<imageCount])
        batchSteps = Array(steps[imageCount...])
        output = steps.last?.output ?? first.output
    }

    /// Whether there is a pass for a layer.
    private static func computes(_ layer: Layer) -> Bool {
        switch layer {
        case .convolution(let it): (it.kernelSize, it.stride, it.padding, it.activation) == (3, 1, 1, .relu)
        case .pool(let it): it == .max2x2
        }
    }

    private static func steps(
        _ network: Network,
        after first: MapShape,
        _ team: ThreadTeam,
        _ kernels: Kernels
    ) throws(InferenceError) -> [any Step] {
        var steps: [any Step] = []
        var shape = first
        var (stage, number) = (1, 1)
        var rest = network.layers.dropFirst()
        while let layer = rest.popFirst() {
            switch layer {
            case .convolution(let convolution):
                let isPooled = rest.first == .pool(.max2x2)
                number += 1
                let step = try WinogradConvolution(
                    network,
                    convolution,
                    name: "conv\(stage)_\(number)",
                    input: shape,
                    isPooled: isPooled,
                    kernels,
                    team
                )
                steps.append(step)
                if isPooled {
                    rest.removeFirst()
                    (stage, number) = (stage + 1, 0)
                }
            case .pool:
                steps.append(PoolStep(input: shape, kernels: kernels))
                (stage, number) = (stage + 1, 0)
            }
            shape = steps.last?.output ?? shape
        }
        return steps
    }

    // MARK: Memory

    /// The buffers of batches of up to `maximumBatch` images.
    func workspace(maximumBatch: Int) throws(InferenceError) -> Workspace {
        // The last map of the image passes goes to the batch's first buffer, the others alternate between two.
        let imageMaps = ([first.output] + imageSteps.map(\.output)).dropLast()
        let batchMaps = [imageSteps.last?.output ?? first.output] + batchSteps.map(\.output)
        let scratchCounts =
            [first.scratchCount(threadCount: team.count)]
            + imageSteps.map { $0.scratchCount(imageCount: 1, threadCount: team.count) }
            + batchSteps.map { $0.scratchCount(imageCount: maximumBatch, threadCount: team.count) }
        return try Workspace(
            maximumBatch: maximumBatch,
            imageMapCounts: imageMaps.map(\.count),
            batchMapCounts: batchMaps.map { $0.count * maximumBatch },
            scratchCount: scratchCounts.max() ?? 0
        )
    }

    // MARK: Work

    /// Computes the last maps of a batch.
    ///
    /// - Parameters:
    ///   - pixels: `count` images, one after the other.
    ///   - count: at most the workspace's `maximumBatch`.
    ///   - workspace: not in use by another run.
    ///   - pause: called between blocks of work.
    ///   - timing: told the time of every pass, where wanted.
    /// - Returns: the maps, one after the other, valid until the workspace's next use.
    func run(
        _ pixels: UnsafePointer<UInt8>,
        count: Int,
        in workspace: Workspace,
        pause: (() -> Void)? = nil,
        timing: StepTiming? = nil
    ) -> BufferSlice {
        let context = StepContext(team: team, scratch: workspace.scratch, pause: pause, clock: timing?.clock)
        let imageByteCount = first.output.height * first.output.width * 3
        let batchCount = (imageSteps.last?.output ?? first.output).count
        for image in 0..<count {
            let result = BufferSlice(workspace.batchBuffers[0], image * batchCount)
            var current = imageSteps.isEmpty ? result : BufferSlice(workspace.imageBuffers[0])
            StepTiming.time(timing, "conv1_1", first.productOperationCount) {
                first.run(PixelSlice(base: pixels + image * imageByteCount), into: current, context)
            }
            for (index, step) in imageSteps.enumerated() {
                let isLast = index == imageSteps.count - 1
                let target = isLast ? result : BufferSlice(workspace.imageBuffers[(index + 1) % 2])
                StepTiming.time(timing, step.name, step.productOperationCount) {
                    step.run(current, imageCount: 1, into: target, context)
                }
                current = target
            }
        }
        var current = BufferSlice(workspace.batchBuffers[0])
        for (index, step) in batchSteps.enumerated() {
            let target = BufferSlice(workspace.batchBuffers[(index + 1) % 2])
            StepTiming.time(timing, step.name, count * step.productOperationCount) {
                step.run(current, imageCount: count, into: target, context)
            }
            current = target
        }
        return current
    }
}
