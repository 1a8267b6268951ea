internal import Inference
internal import Platform

/// A kernel and the constants it is specialised with.
struct PipelineShape: Hashable {
    let kernel: Kernel
    let constants: [UInt32]
}

extension Device {
    /// Compiles every shape of `shapes` once, on as many threads as there are cores.
    ///
    /// - Throws: the first failure, after all threads have ended.
    func makePipelines(
        _ shapes: [PipelineShape],
        layout: KernelLayout,
        cache: PipelineCache
    ) throws(InferenceError) -> [PipelineShape: Pipeline] {
        var seen: Set<PipelineShape> = []
        let distinct = shapes.filter { seen.insert($0).inserted }
        let work = Work(device: self, layout: layout, cache: cache, shapes: distinct)
        var helpers: [WorkerThread] = []
        for number in 1..<max(1, min(distinct.count, WorkerThread.availableCoreCount)) {
            // A thread that the system refuses leaves its share to the others. Compilers recurse deeply.
            if let helper = try? WorkerThread(name: "vk-compile-\(number)", stackByteCount: 8 << 20, work.run) {
                helpers.append(helper)
            }
        }
        work.run()
        for helper in helpers { helper.join() }
        return try work.finish()
    }
}

/// The shapes that threads take one by one.
private final class Work: @unchecked Sendable {
    // `@unchecked`: the Vulkan objects are used by several threads at once only in vkCreateShaderModule and
    // vkCreateComputePipelines, which allow it (the cache synchronises itself); the rest is under `state`.
    private struct State {
        var next = 0
        var failure: InferenceError?
    }

    private let device: Device
    private let layout: KernelLayout
    private let cache: PipelineCache
    private let shapes: [PipelineShape]
    private let state = Monitor(State())
    private let made = Monitor<[Int: Made]>([:])

    private struct Made: @unchecked Sendable { let pipeline: Pipeline }

    init(device: Device, layout: KernelLayout, cache: PipelineCache, shapes: [PipelineShape]) {
        self.device = device
        self.layout = layout
        self.cache = cache
        self.shapes = shapes
    }

    @Sendable func run() {
        while true {
            let taken = state.withLock { state -> Int? in
                guard state.failure == nil, state.next < shapes.count else { return nil }
                defer { state.next += 1 }
                return state.next
            }
            guard let taken else { return }
            do throws(InferenceError) {
                let shape = shapes[taken]
                let pipeline =
                    try device.makePipeline(shape.kernel, constants: shape.constants, layout: layout, cache: cache)
                let made = Made(pipeline: pipeline)
                self.made.withLock { $0[taken] = made }
            } catch {
                let failure = error
                state.withLock { if $0.failure == nil { $0.failure = failure } }
            }
        }
    }

    func finish() throws(InferenceError) -> [PipelineShape: Pipeline] {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        let made = self.made.withLock { $0 }
        return Dictionary(uniqueKeysWithValues: made.map { (shapes[$0.key], $0.value.pipeline) })
    }
}
