package import Inference
internal import Platform

/// The autotuner: it measures every kernel that could compute a network's convolutions on a device.
///
/// Each kernel gets a session in which it computes whatever it can, so one run of the network measures it in every shape. A kernel
/// that does not pass the self-test is left out.
struct Autotuner {
    let device: Device
    let network: Network
    let tier: Tier
    let options: KernelOptions
    let timeouts: SubmissionTimeouts
    let cache: PipelineCache
    private let yielding: YieldPolicy

    /// What of a device's time one measurement may take: the repetitions of a step in one submission.
    private static let submissionSeconds = 0.005
    private static let roundCount = 3

    /// Opens a device object of its own, whose queues nobody else submits to.
    ///
    /// - Parameters:
    ///   - network: whose shapes are measured.
    ///   - options: as for opening; `tier` must be named.
    ///   - yielding: when to yield.
    /// - Throws: `.deviceUnavailable`, `.outOfMemory`, `.deviceLost`.
    init(opening network: Network, _ options: VulkanOptions, yielding: YieldPolicy = .never) throws(InferenceError) {
        guard let tier = options.tier else { throw .deviceUnavailable(detail: "which tier is to be measured?") }
        let physical = try VulkanProbe.choose(
            from: try Instance(validation: options.validation).physicalDevices(),
            designation: options.device,
            allowsSoftware: options.allowsSoftware
        )
        if let obstacle = physical.obstacle(to: options.kernels.emulatesMatrixUnits ? .fp16 : tier) {
            throw .deviceUnavailable(detail: "\(physical.info) has no tier \(tier.rawValue): \(obstacle)")
        }
        device = try Device(physical, faults: options.faults)
        cache = try device.makePipelineCache(folder: options.cacheFolder)
        timeouts = SubmissionTimeouts(isSoftware: physical.info.isSoftware, fixed: options.submissionSeconds)
        self.network = network
        self.tier = tier
        self.options = options.kernels
        self.yielding = yielding
    }

    private var set: KernelSet { KernelSet(tier, device.graphTarget, emulatesMatrixUnits: options.emulatesMatrixUnits) }

    /// Every kernel that can compute a convolution of the network.
    var kernelNames: [String] {
        var names: [String] = []
        for kernel in network.convolutionShapes.flatMap(set.candidates(for:)) where !names.contains(kernel.name) {
            names.append(kernel.name)
        }
        return names
    }

    /// Measures batches of `imageCounts` images, as far as they fit the device.
    ///
    /// - Parameters:
    ///   - imageCounts: sizes of batches, rising.
    ///   - known: by kernel what was measured before; what is measured comes in, kernel by kernel.
    /// - Returns: whether all is known; false when it had to yield.
    /// - Throws: `.deviceLost`, and `.outOfMemory` when not even one image fits.
    func measure(
        imageCounts: [Int],
        into known: inout [String: [Tuning.Measurement]]
    ) throws(InferenceError) -> Bool {
        for kernel in kernelNames where known[kernel] == nil {
            guard let measurements = try measure(kernel, imageCounts) else { return false }
            known[kernel] = measurements
        }
        return true
    }

    /// What all convolutions of a batch take together.
    ///
    /// - Parameters:
    ///   - options: how kernels are chosen.
    ///   - imageCount: a size of batch that was measured.
    ///   - measurements: of every kernel.
    /// - Returns: milliseconds; nil where a kernel that would be chosen was not measured.
    func milliseconds(
        _ options: KernelOptions,
        imageCount: Int,
        _ measurements: [Tuning.Measurement]
    ) -> Double? {
        var sum = 0.0
        for shape in network.convolutionShapes {
            let choice = set.choices(for: shape, options).last { $0.fromImages <= imageCount }
            let own = measurements.first {
                $0.shape == shape && $0.kernel == choice?.kernel.name && $0.imageCount == imageCount
            }
            guard let own else { return nil }
            sum += own.milliseconds
        }
        return sum
    }

    /// Nil when it had to yield.
    private func measure(_ kernel: String, _ imageCounts: [Int]) throws(InferenceError) -> [Tuning.Measurement]? {
        guard yielding.mayContinue() else { return nil }
        var options = options
        options.preferredKernel = kernel
        do throws(InferenceError) {
            try SelfTest.verify(
                device,
                tier: tier,
                options: options,
                timeouts: timeouts,
                cache: cache,
                pause: yielding.waitUntilFree
            )
            guard yielding.mayContinue() else { return nil }
        } catch {
            if case .deviceUnavailable = error { return [] }
            throw error
        }
        let session = try ComputeSession(
            device,
            network,
            tier: tier,
            options: options,
            maximumBatch: imageCounts.max() ?? 1,
            timeouts: timeouts,
            cache: cache
        )
        var measurements: [Tuning.Measurement] = []
        for imageCount in imageCounts where imageCount <= session.capacity {
            // Maps of a real picture, so that no product is spared.
            var bits: UInt64 = 1
            let pixels = (0..<imageCount * session.imageByteCount).map { _ -> UInt8 in
                bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: bits >> 56)
            }
            guard yielding.mayContinue() else { return nil }
            try session.run(pixels.span.bytes, count: imageCount, pause: yielding.waitUntilFree) { _, _, _ in }
            var seen: Set<ConvolutionShape> = []
            for step in session.graph.steps.indices {
                let implementation = session.graph.steps[step].implementation(imageCount: imageCount)
                let names = session.graph.kernels[implementation.kernels].map(\.kernel.name)
                guard let shape = session.graph.steps[step].shape, names.contains(kernel), seen.insert(shape).inserted
                else { continue }
                // A step that is too long for its bucket never runs in it.
                if let limit = yielding.submissionLimit,
                    let fewer = measurements.last(where: { $0.shape == shape }),
                    fewer.milliseconds / 1000 * Double(imageCount) > limit * Double(fewer.imageCount)
                {
                    continue
                }
                guard let seconds = try seconds(of: step, imageCount, session) else { return nil }
                measurements.append(
                    Tuning.Measurement(
                        shape: shape,
                        kernel: kernel,
                        imageCount: imageCount,
                        milliseconds: seconds * 1000
                    )
                )
            }
        }
        return measurements
    }

    /// The least of some rounds, each long enough that submitting it does not count; nil when it had to yield.
    private func seconds(of step: Int, _ imageCount: Int, _ session: ComputeSession) throws(InferenceError) -> Double? {
        guard yielding.mayContinue() else { return nil }
        let once = try session.seconds(step: step, imageCount: imageCount, repetitions: 1)
        let repetitions = Int(min(max(Self.submissionSeconds / max(once, 1e-6), 1), 100))
        var least = Double.infinity
        for _ in 0..<Self.roundCount {
            guard yielding.mayContinue() else { return nil }
            least = min(least, try session.seconds(step: step, imageCount: imageCount, repetitions: repetitions))
        }
        return least
    }
}

extension ComputeSession {
    /// Runs one step `repetitions` times in one submission, on what earlier runs left in the maps.
    ///
    /// - Returns: seconds of one repetition, from the submission to its end.
    fileprivate func seconds(step: Int, imageCount: Int, repetitions: Int) throws(InferenceError) -> Double {
        let pool = try device.makeCommandPool(for: device.computeQueue)
        defer { withExtendedLifetime(pool) { work.waitIdle(seconds: timeouts.teardown) } }
        let commands = try pool.record { recorder in
            recorder.barrier(.kernel, .kernel)
            for _ in 0..<repetitions {
                for dispatch in graph.dispatches(step: step, imageCount: imageCount) {
                    recorder.dispatch(
                        pipelines[dispatch.kernel],
                        layout,
                        frames[0].descriptors.sets[dispatch.kernel],
                        push: dispatch.push,
                        groups: dispatch.groups
                    )
                    recorder.barrier(.kernel, .kernel)
                }
            }
        }
        let began = Instant.now
        let value = try work.submit(commands, to: device.computeQueue.handle)
        try work.wait(for: value, seconds: timeouts.firstSeconds)
        return (Instant.now - began) / Double(repetitions)
    }
}

extension VulkanBackend {
    /// Measures every kernel of a tier on a device and keeps what is best for `network` in the cache folder, where sessions
    /// opened later find it.
    ///
    /// - Parameters:
    ///   - network: whose shapes are measured.
    ///   - options: as for opening; `tier` must be named.
    ///   - imageCounts: the sizes of batches to measure.
    /// - Returns: every measurement.
    /// - Throws: `.deviceUnavailable`, `.unsupportedNetwork`, `.outOfMemory`, `.deviceLost`.
    package static func tune(
        _ network: Network,
        options: VulkanOptions,
        imageCounts: [Int]
    ) throws(InferenceError) -> [Tuning.Measurement] {
        let tuner = try Autotuner(opening: network, options)
        var known: [String: [Tuning.Measurement]] = [:]
        _ = try tuner.measure(imageCounts: imageCounts, into: &known)
        let measurements = tuner.kernelNames.flatMap { known[$0] ?? [] }
        if let folder = options.cacheFolder {
            try TuningFile(folder: folder, key: .init(tuner.device, tier: tuner.tier)).keep(Tuning(measurements))
            tuner.cache.save()
        }
        return measurements
    }
}
