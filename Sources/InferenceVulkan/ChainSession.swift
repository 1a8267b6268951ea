internal import CVulkan
internal import Inference

/// A network on a device: weights uploaded, pipelines compiled, buffers in place; takes one batch at a time.
final class ChainSession {
    /// Images a batch may hold at most.
    let maximumImageCount: Int

    private let device: Device
    private let chain: Chain
    private let preprocessing: Preprocessing
    private let submissionSeconds: Double
    private let layout: KernelLayout
    private let buffers: [ChainPlace: Buffer]
    private let upload: Buffer
    private let readback: Buffer
    private let parameters: Buffer
    private let pipelines: [Pipeline]
    private let descriptors: DescriptorPool
    private let commandPool: CommandPool
    private let fence: Fence
    /// One for each count of images that came so far.
    private var recorded: [Int: VkCommandBuffer] = [:]

    /// Devices take allocations of this size at least (maxMemoryAllocationSize of Vulkan 1.1), so no buffer is larger.
    private static let allocationByteLimit = 1 << 30
    /// How long a hanging submission delays the end of a session.
    private static let graceSeconds = 2.0
    /// Of the free memory: the rest is for the driver and for other processes.
    private static let memoryShare = 0.6

    /// - Throws: `.unsupportedNetwork`, `.outOfMemory`, `.deviceUnavailable`, `.deviceLost`.
    init(
        _ device: Device,
        _ network: Network,
        tier: Tier,
        options: ChainOptions = ChainOptions(),
        maximumBatch: Int,
        submissionSeconds: Double
    ) throws(InferenceError) {
        let limits = device.limits
        let chain = try Chain(network, tier: tier, target: device.chainTarget, options: options)
        let window = min(Int(limits.maxStorageBufferRange), Self.allocationByteLimit)
        let memory = Int(Double(device.physical.memoryBudget) * Self.memoryShare)
        let groupLimits = elements(limits.maxComputeWorkGroupCount, of: UInt32.self).map(Int.init)
        let fitting = chain.maximumImageCount(
            windowByteCount: window,
            groupLimits: groupLimits,
            memoryByteCount: memory
        )
        guard fitting > 0, chain.parameterByteCount <= Self.allocationByteLimit else {
            let needs = chain.parameterByteCount + chain.byteCounts.values.reduce(0, +)
            throw .outOfMemory(device: device.name, byteCount: needs)
        }
        let count = min(maximumBatch, fitting)

        layout = try device.makeKernelLayout()
        commandPool = try device.makeCommandPool()
        fence = try device.makeFence()
        var buffers: [ChainPlace: Buffer] = [:]
        for (place, bytes) in chain.byteCounts(imageCount: count) {
            buffers[place] = try device.makeBuffer(byteCount: bytes, place: .device)
        }
        upload = try device.makeBuffer(byteCount: chain.byteCounts[.pixels, default: 0] * count, place: .upload)
        readback = try device.makeBuffer(byteCount: chain.byteCounts[.rows, default: 0] * count, place: .readback)
        parameters = try device.makeBuffer(byteCount: chain.parameterByteCount, place: .device)

        pipelines = try Self.compile(chain.kernels, device, layout)

        let parameterBuffer = parameters
        let bindings = chain.kernels.map { step -> [BufferRange?] in
            func whole(_ place: ChainPlace) -> BufferRange? {
                buffers[place].map { BufferRange(buffer: $0, byteCount: $0.byteCount) }
            }
            let weights = step.parameters.map {
                BufferRange(buffer: parameterBuffer, offset: $0.offset, byteCount: $0.byteCount)
            }
            return [step.source.flatMap(whole), weights, whole(step.target)]
        }
        descriptors = try device.makeDescriptorPool(layout: layout, bindings: bindings)

        self.buffers = buffers
        self.device = device
        self.chain = chain
        self.submissionSeconds = submissionSeconds
        preprocessing = network.preprocessing
        maximumImageCount = count
        try uploadParameters(of: network)
    }

    /// A pipeline for each step; equal shapes share one.
    private static func compile(
        _ steps: [ChainKernel],
        _ device: Device,
        _ layout: KernelLayout
    ) throws(InferenceError) -> [Pipeline] {
        struct Shape: Hashable {
            let kernel: Kernel
            let constants: [UInt32]
        }
        var compiled: [Shape: Pipeline] = [:]
        var pipelines: [Pipeline] = []
        for step in steps {
            let shape = Shape(kernel: step.kernel, constants: step.constants)
            if let known = compiled[shape] {
                pipelines.append(known)
                continue
            }
            let pipeline = try device.makePipeline(step.kernel, constants: step.constants, layout: layout)
            compiled[shape] = pipeline
            pipelines.append(pipeline)
        }
        return pipelines
    }

    deinit {
        // Before anything is destroyed: is the queue still at work on it?
        fence.settle(seconds: Self.graceSeconds)
    }

    /// Runs a batch and lends the result.
    ///
    /// - Parameters:
    ///   - pixels: `[count, side, side, 3]` uint8.
    ///   - count: images, in `1...maximumImageCount`.
    ///   - body: gets `[count, Chain.heads, rowPitch]` fp32 and `rowPitch`.
    /// - Throws: `.deviceLost`, `.outOfMemory`.
    func run(
        _ pixels: RawSpan,
        count: Int,
        _ body: (UnsafeBufferPointer<Float>, _ rowPitch: Int) -> Void
    ) throws(InferenceError) {
        precondition((1...maximumImageCount).contains(count), "\(count) images of at most \(maximumImageCount)")
        let commands: VkCommandBuffer
        if let known = recorded[count] {
            commands = known
        } else {
            commands = try record(count)
            recorded[count] = commands
        }
        pixels.withUnsafeBytes { upload.mapped.copyMemory(from: $0) }
        try fence.run(commands, seconds: submissionSeconds)
        // SAFETY: the memory is mapped as long as `self` lives, the device has finished writing (the fence), and nothing
        // is submitted during the call, because a session belongs to one thread.
        let rows = readback.mapped.bindMemory(to: Float.self)
        body(UnsafeBufferPointer(rows), chain.rowPitch)
    }

    /// Upload, every step, readback: one submission.
    private func record(_ count: Int) throws(InferenceError) -> VkCommandBuffer {
        return try commandPool.record { recorder in
            guard let pixels = buffers[.pixels], let rows = buffers[.rows] else { return }
            let pixelByteCount = (count * preprocessing.side * preprocessing.side * 3).rounded(upTo: 4)
            recorder.copy(from: upload, to: pixels, byteCount: pixelByteCount)
            recorder.barrier(.copy, .kernel)
            for step in chain.steps.indices {
                for dispatch in chain.dispatches(step: step, imageCount: count) {
                    recorder.dispatch(
                        pipelines[dispatch.kernel],
                        layout,
                        descriptors.sets[dispatch.kernel],
                        push: dispatch.push,
                        groups: dispatch.groups
                    )
                    recorder.barrier(.kernel, step == chain.steps.count - 1 ? .copy : .kernel)
                }
            }
            recorder.copy(from: rows, to: readback, byteCount: count * Chain.heads.count * chain.rowPitch * 4)
            recorder.barrier(.copy, .host)
        }
    }

    /// Packs and uploads one convolution after the other through one staging buffer.
    private func uploadParameters(of network: Network) throws(InferenceError) {
        let layouts = chain.parameters
        let staging = try device.makeBuffer(byteCount: layouts.map(\.byteCount).max() ?? 4, place: .upload)
        let pool = try device.makeCommandPool()
        // Both end with this function, so a submission that hangs is settled before.
        defer { withExtendedLifetime((staging, pool)) { fence.settle(seconds: Self.graceSeconds) } }
        for layout in layouts {
            let target = staging.mapped
            network.withWeight(layout.convolution) { weights in
                network.withBias(layout.convolution) { bias in layout.pack(weights: weights, bias: bias, into: target) }
            }
            let commands = try pool.record { recorder in
                recorder.copy(
                    from: staging,
                    to: parameters,
                    byteCount: layout.byteCount,
                    targetOffset: layout.offset
                )
            }
            try fence.run(commands, seconds: submissionSeconds)
        }
    }
}
