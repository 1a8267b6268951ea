internal import Inference

/// All memory of a session, made at once so that it takes few allocations, and handed out to the frames.
struct SessionMemory {
    let parameters: Buffer
    private let capacity: Int
    private let frameCount: Int
    /// Of a batch, and of the single image between: every binding but pixels and rows.
    private let maps: [BufferBinding: Buffer]
    private let queryMaps: [BufferBinding: Buffer]
    /// Upload, pixels, rows, readback of each frame, the query's last.
    private let perFrame: [[Buffer]]

    init(_ device: Device, _ graph: ComputeGraph, capacity: Int, frameCount: Int) throws(InferenceError) {
        let bindings = graph.byteCounts(imageCount: 1).keys.filter { $0 != .pixels && $0 != .rows }
        let pixels = graph.byteCounts[.pixels, default: 0]
        let rows = graph.byteCounts[.rows, default: 0]
        var requests = [Buffer.Request(byteCount: graph.parameterByteCount, place: .device)]
        for count in [capacity, 1] {
            let byteCounts = graph.byteCounts(imageCount: count)
            requests += bindings.map { .init(byteCount: byteCounts[$0, default: 0], place: .device) }
        }
        for count in Array(repeating: capacity, count: frameCount) + [1] {
            requests += [
                .init(byteCount: pixels * count, place: .upload), .init(byteCount: pixels * count, place: .uploaded),
                .init(byteCount: rows * count, place: .device), .init(byteCount: rows * count, place: .readback),
            ]
        }
        let buffers = try device.makeBuffers(requests)
        parameters = buffers[0]
        var next = buffers.dropFirst()
        func take(_ count: Int) -> [Buffer] {
            defer { next = next.dropFirst(count) }
            return Array(next.prefix(count))
        }
        maps = Dictionary(uniqueKeysWithValues: zip(bindings, take(bindings.count)))
        queryMaps = Dictionary(uniqueKeysWithValues: zip(bindings, take(bindings.count)))
        perFrame = (0...frameCount).map { _ in take(4) }
        self.capacity = capacity
        self.frameCount = frameCount
    }

    func makeFrames(_ device: Device, _ graph: ComputeGraph, _ layout: KernelLayout) throws(InferenceError)
        -> [FrameInFlight]
    {
        var frames: [FrameInFlight] = []
        for index in 0..<frameCount { frames.append(try makeFrame(perFrame[index], maps, device, graph, layout)) }
        return frames
    }

    func makeQueryFrame(_ device: Device, _ graph: ComputeGraph, _ layout: KernelLayout) throws(InferenceError)
        -> FrameInFlight
    {
        try makeFrame(perFrame[frameCount], queryMaps, device, graph, layout)
    }

    private func makeFrame(
        _ buffers: [Buffer],
        _ maps: [BufferBinding: Buffer],
        _ device: Device,
        _ graph: ComputeGraph,
        _ layout: KernelLayout
    ) throws(InferenceError) -> FrameInFlight {
        let (upload, pixels, rows, readback) = (buffers[0], buffers[1], buffers[2], buffers[3])
        // Buckets run images that nobody asked for; they shall at least be the same in every run.
        _ = upload.mapped.initializeMemory(as: UInt8.self, repeating: 0)
        func range(_ binding: BufferBinding) -> BufferRange? {
            let buffer: Buffer? =
                switch binding {
                case .pixels: pixels
                case .rows: rows
                default: maps[binding]
                }
            return buffer.map { BufferRange(buffer: $0, byteCount: $0.byteCount) }
        }
        let bindings = graph.kernels.map { kernel -> [BufferRange?] in
            let weights = kernel.parameters.map {
                BufferRange(buffer: parameters, offset: $0.offset, byteCount: $0.byteCount)
            }
            return [kernel.source.flatMap(range), weights, range(kernel.target)]
        }
        return FrameInFlight(
            upload: upload,
            readback: readback,
            pixels: pixels,
            rows: rows,
            descriptors: try device.makeDescriptorPool(layout: layout, bindings: bindings)
        )
    }
}
