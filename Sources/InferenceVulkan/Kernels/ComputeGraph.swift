internal import Inference

/// The compute graph of a network: which kernels run with which shapes, one after the other, and how many bytes they need. It holds no
/// device handle.
struct ComputeGraph {
    let tier: Tier
    /// Every kernel in every place of the graph: a pipeline and a set of descriptors each.
    let kernels: [GraphKernel]
    /// What happens one after the other.
    let steps: [GraphStep]
    /// Bytes an image takes in each binding but scratch.
    let byteCounts: [BufferBinding: Int]
    /// Bytes of scratch, whatever the count of images.
    let scratchByteCounts: [BufferBinding: Int]
    /// All weights and biases.
    let parameters: [ParameterLayout]
    /// Bytes of all of `parameters`, with the gaps between them.
    let parameterByteCount: Int
    /// Elements between two heads of an image in `.rows`.
    let rowPitch: Int
    private let push: BatchConstants

    /// Summaries the device makes of every image: they cost next to nothing, and a recorded batch serves any request.
    static let heads = Head.allCases

    /// - Parameters:
    ///   - network: any graph that begins with a convolution of three planes.
    ///   - tier: which kernels compute it.
    ///   - target: the device's limits.
    ///   - options: how kernels are chosen.
    /// - Throws: `.unsupportedLayer`, `.unsupportedNetwork`.
    init(
        _ network: Network,
        tier: Tier,
        target: GraphTarget,
        options: KernelOptions = KernelOptions()
    ) throws(InferenceError) {
        try network.check(for: "vulkan", computes: Self.computes)
        var builder = ComputeGraphBuilder(network, tier, target, options)
        var layers = network.layers[...]
        while let layer = layers.popFirst() {
            switch layer {
            case .convolution(let it):
                let pools = layers.first == .pool(.max2x2)
                if pools { layers.removeFirst() }
                try builder.addConvolution(it.index, it.inputChannels, it.outputChannels, pools: pools)
            case .pool:
                try builder.addMaxPool()
            }
        }
        try builder.addHeads()
        self.tier = tier
        kernels = builder.kernels
        steps = builder.steps
        byteCounts = builder.byteCounts
        scratchByteCounts = builder.scratchByteCounts
        parameters = builder.parameters
        parameterByteCount = builder.parameterByteCount
        rowPitch = builder.paddedChannels

        let (mean, scale) = (network.preprocessing.mean, network.preprocessing.scale)
        let factor = Float.powerOfTwo(-builder.inputExponent)
        push = BatchConstants(
            imageCount: 0,
            mean: (mean[0], mean[1], mean[2]),
            scale: (scale[0] * factor, scale[1] * factor, scale[2] * factor)
        )
    }

    /// Whether there are kernels for a layer.
    private static func computes(_ layer: Layer) -> Bool {
        switch layer {
        case .convolution(let it): (it.kernelSize, it.stride, it.padding, it.activation) == (3, 1, 1, .relu)
        case .pool(let it): it == .max2x2
        }
    }

    /// The dispatches of step `index` for a batch, in order; each waits for the one before it.
    func dispatches(step index: Int, imageCount: Int) -> [GraphDispatch] {
        let implementation = steps[index].implementation(imageCount: imageCount)
        var dispatches: [GraphDispatch] = []
        for first in stride(from: 0, to: imageCount, by: implementation.partImageCount ?? imageCount) {
            var push = push
            let count = min(imageCount - first, implementation.partImageCount ?? imageCount)
            push.imageCount = UInt32(count)
            push.firstImage = UInt32(first)
            for kernel in implementation.kernels {
                let groups = kernels[kernel].groups.map { $0.groups(imageCount: count) }
                dispatches.append(GraphDispatch(kernel: kernel, push: push, groups: groups))
            }
        }
        return dispatches
    }

    /// Bytes of every binding for batches of up to `imageCount` images.
    func byteCounts(imageCount: Int) -> [BufferBinding: Int] {
        byteCounts.mapValues { $0 * imageCount }.merging(scratchByteCounts) { $1 }
    }

    /// Images the graph can take at once.
    ///
    /// - Parameters:
    ///   - windowByteCount: the longest range a binding may have.
    ///   - groupLimits: the most workgroups along x, y and z.
    ///   - memoryByteCount: bytes that weights and activations may take together.
    /// - Returns: 0 when not even one image fits.
    func maximumImageCount(windowByteCount: Int, groupLimits: [Int], memoryByteCount: Int) -> Int {
        let scratch = scratchByteCounts.values.reduce(0, +)
        var count = (memoryByteCount - parameterByteCount - scratch) / byteCounts.values.reduce(0, +)
        for bytes in byteCounts.values { count = min(count, windowByteCount / bytes) }
        if parameters.contains(where: { $0.byteCount > windowByteCount }) { return 0 }
        for implementation in steps.flatMap(\.implementations) where implementation.partImageCount == nil {
            for (size, limit) in kernels[implementation.kernels].flatMap({ zip($0.groups, groupLimits) }) {
                count = min(count, size.maximumImageCount(limit: limit))
            }
        }
        return max(0, count)
    }
}

extension Head {
    /// Its row among an image's summaries, as the kernels `head_reduce` and `head_rmac_f32` write them.
    var summaryRow: Int {
        switch self {
        case .max: 0
        case .mean: 1
        case .gem3: 2
        case .rmac: 3
        }
    }
}
