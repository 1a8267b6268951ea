internal import CVulkan
internal import Inference

/// A compute graph made resident on a device: weights uploaded, pipelines compiled, buffers in place. Belongs to one thread at a time.
///
/// Batches go through three frames in flight, so that the upload of one piece runs beside the kernels of another while the host reads
/// the rows of a third. The maps between the steps exist once, because kernels of one queue run one after the other anyway;
/// single images that come between have maps of their own.
final class ComputeSession {
    /// Images of one piece at most, a power of two.
    let capacity: Int
    let graph: ComputeGraph
    let device: Device

    let layout: KernelLayout
    let pipelines: [Pipeline]
    let imageByteCount: Int
    let frames: [FrameInFlight]
    /// For one image while a batch pauses.
    let queryFrame: FrameInFlight
    let uploads: Timeline
    let work: Timeline
    let uploadPool: CommandPool
    let computePool: CommandPool
    var plan: SubmissionPlan
    /// Images that came between pieces of batches.
    var queryCount = 0
    /// Submissions that are not known to have ended, oldest first.
    var inFlight: [SubmissionInFlight] = []
    let timeouts: SubmissionTimeouts
    var firstSubmissions: FirstSubmissions

    /// Keeps the maps, which only descriptors name.
    private let memory: SessionMemory
    private static let frameCount = 3
    /// Of the free memory: the rest is for the driver and for other processes.
    private static let memoryShare = 0.6

    /// - Throws: `.unsupportedNetwork`, `.outOfMemory`, `.deviceUnavailable`, `.deviceLost`.
    init(
        _ device: Device,
        _ network: Network,
        tier: Tier,
        options: KernelOptions,
        maximumBatch: Int,
        timeouts: SubmissionTimeouts,
        cache: PipelineCache
    ) throws(InferenceError) {
        let graph = try ComputeGraph(network, tier: tier, target: device.graphTarget, options: options)
        let capacity = try Self.capacity(of: graph, device, maximumBatch: maximumBatch)

        layout = try device.makeKernelLayout()
        uploads = try device.makeTimeline()
        work = try device.makeTimeline()
        uploadPool = try device.makeCommandPool(for: device.uploadQueue)
        computePool = try device.makeCommandPool(for: device.computeQueue)

        memory = try SessionMemory(device, graph, capacity: capacity, frameCount: Self.frameCount)
        frames = try memory.makeFrames(device, graph, layout)
        queryFrame = try memory.makeQueryFrame(device, graph, layout)

        let shapes = graph.kernels.map { PipelineShape(kernel: $0.kernel, constants: $0.constants) }
        let compiled = try device.makePipelines(shapes, layout: layout, cache: cache)
        pipelines = shapes.compactMap { compiled[$0] }

        imageByteCount = network.preprocessing.side * network.preprocessing.side * 3
        plan = SubmissionPlan(stepCount: graph.steps.count, capacity: capacity)
        self.device = device
        self.graph = graph
        self.capacity = capacity
        self.timeouts = timeouts
        firstSubmissions = FirstSubmissions(of: graph)
        try uploadParameters(of: network)
    }

    deinit {
        // Before anything is destroyed: are the queues still at work on it?
        uploads.waitIdle(seconds: timeouts.teardown)
        work.waitIdle(seconds: timeouts.teardown)
        // A driver that emulates timelines (Mesa's software ones) lets go of a submission's semaphores only after their last
        // value was reached.
        if !device.isAbandoned { _ = device.functions.deviceWaitIdle(device.handle) }
    }

    /// The largest bucket that fits the device's limits and free memory.
    private static func capacity(
        of graph: ComputeGraph,
        _ device: Device,
        maximumBatch: Int
    ) throws(InferenceError) -> Int {
        let limits = device.limits
        let window = min(Int(clamping: limits.maxStorageBufferRange), MemoryBlock.byteLimit)
        let memory = Int(Double(device.physical.memoryBudget) * memoryShare)
        let groupLimits = elements(limits.maxComputeWorkGroupCount, of: UInt32.self).map(Int.init)
        let image = graph.byteCounts.values.reduce(0, +)
        // A batch has scratch, and so has the single image between.
        let fixed = graph.parameterByteCount + image + 2 * graph.scratchByteCounts.values.reduce(0, +)
        // Every frame has pixels and rows of its own.
        let perFrame = graph.byteCounts[.pixels, default: 0] + graph.byteCounts[.rows, default: 0]
        let fitting = min(
            graph.maximumImageCount(windowByteCount: window, groupLimits: groupLimits, memoryByteCount: memory),
            (memory - fixed) / (image + (frameCount - 1) * perFrame)
        )
        guard fitting > 0, graph.parameterByteCount <= MemoryBlock.byteLimit else {
            throw .outOfMemory(device: device.name, byteCount: fixed + image)
        }
        var capacity = 1
        while capacity < maximumBatch, 2 * capacity <= fitting { capacity *= 2 }
        return capacity
    }

    /// Packs and uploads one convolution after the other through one staging buffer.
    private func uploadParameters(of network: Network) throws(InferenceError) {
        let layouts = graph.parameters
        let byteCount = layouts.map(\.byteCount).max() ?? 4
        guard let staging = try device.makeBuffers([.init(byteCount: byteCount, place: .upload)]).first else { return }
        let pool = try device.makeCommandPool(for: device.computeQueue)
        // Both end with this function, so what was submitted must have ended before.
        defer { withExtendedLifetime((staging, pool)) { work.waitIdle(seconds: timeouts.teardown) } }
        for layout in layouts {
            let target = staging.mapped
            network.withWeight(layout.convolution) { weights in
                network.withBias(layout.convolution) { bias in layout.pack(weights: weights, bias: bias, into: target) }
            }
            let commands = try pool.record { recorder in
                recorder.copy(
                    from: staging,
                    to: memory.parameters,
                    byteCount: layout.byteCount,
                    targetOffset: layout.offset
                )
            }
            let value = try work.submit(commands, to: device.computeQueue.handle)
            try work.wait(for: value, seconds: timeouts.firstSeconds)
        }
    }
}
