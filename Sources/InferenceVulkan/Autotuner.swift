package import Inference
internal import Platform

/// Measures every kernel that could compute a network's convolutions on a device.
///
/// A session for each kernel, in which it computes whatever it can: so one run of the network measures it in every shape. A kernel
/// that does not reproduce the fixture is left out.
struct Autotuner {
    let device: Device
    let network: Network
    let tier: Tier
    let options: ChainOptions
    let patience: ChainSession.Patience
    let cache: PipelineCache

    /// What of a device's time one measurement may take: the repetitions of a step in one submission.
    private static let submissionSeconds = 0.005
    private static let roundCount = 3

    /// Measures batches of `imageCounts` images, as far as they fit the device.
    ///
    /// - Throws: `.deviceLost`, and `.outOfMemory` when not even one image fits.
    func measurements(imageCounts: [Int]) throws(InferenceError) -> [Tuning.Measurement] {
        let set = KernelSet(tier, device.chainTarget, emulatesMatrixUnits: options.emulatesMatrixUnits)
        var kernels: [String] = []
        for kernel in network.convolutionShapes.flatMap(set.candidates(for:)) where !kernels.contains(kernel.name) {
            kernels.append(kernel.name)
        }
        var measurements: [Tuning.Measurement] = []
        for kernel in kernels { measurements += try measure(kernel, imageCounts) }
        return measurements
    }

    private func measure(_ kernel: String, _ imageCounts: [Int]) throws(InferenceError) -> [Tuning.Measurement] {
        var options = options
        options.preferredKernel = kernel
        do throws(InferenceError) {
            try TrustFixture.verify(device, tier: tier, options: options, patience: patience, cache: cache)
        } catch {
            if case .deviceUnavailable = error { return [] }
            throw error
        }
        let session = try ChainSession(
            device,
            network,
            tier: tier,
            options: options,
            maximumBatch: imageCounts.max() ?? 1,
            patience: patience,
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
            try session.run(pixels.span.bytes, count: imageCount) { _, _, _ in }
            var seen: Set<ConvolutionShape> = []
            for step in session.chain.steps.indices {
                let way = session.chain.steps[step].way(imageCount: imageCount)
                let names = session.chain.kernels[way.kernels].map(\.kernel.name)
                guard let shape = session.chain.steps[step].shape, names.contains(kernel), seen.insert(shape).inserted
                else { continue }
                let seconds = try seconds(of: step, imageCount, session)
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

    /// The least of some rounds, each long enough that submitting it does not count.
    private func seconds(of step: Int, _ imageCount: Int, _ session: ChainSession) throws(InferenceError) -> Double {
        let once = try session.seconds(step: step, imageCount: imageCount, repetitions: 1)
        let repetitions = Int(min(max(Self.submissionSeconds / max(once, 1e-6), 1), 100))
        var least = Double.infinity
        for _ in 0..<Self.roundCount {
            least = min(least, try session.seconds(step: step, imageCount: imageCount, repetitions: repetitions))
        }
        return least
    }
}

extension ChainSession {
    /// Runs one step `repetitions` times in one submission, on what earlier runs left in the maps.
    ///
    /// - Returns: seconds of one repetition, from the submission to its end.
    fileprivate func seconds(step: Int, imageCount: Int, repetitions: Int) throws(InferenceError) -> Double {
        let pool = try device.makeCommandPool(for: device.computeQueue)
        defer { withExtendedLifetime(pool) { work.settle(seconds: Self.graceSeconds) } }
        let commands = try pool.record { recorder in
            recorder.barrier(.kernel, .kernel)
            for _ in 0..<repetitions {
                for dispatch in chain.dispatches(step: step, imageCount: imageCount) {
                    recorder.dispatch(
                        pipelines[dispatch.kernel],
                        layout,
                        slots[0].descriptors.sets[dispatch.kernel],
                        push: dispatch.push,
                        groups: dispatch.groups
                    )
                    recorder.barrier(.kernel, .kernel)
                }
            }
        }
        let began = Instant.now
        let value = try work.submit(commands, to: device.computeQueue.handle)
        try work.wait(for: value, seconds: patienceSeconds + Patience.first)
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
        guard let tier = options.tier else { throw .deviceUnavailable(detail: "which tier is to be measured?") }
        let physical = try VulkanProbe.choose(
            from: try Instance(validation: options.validation).physicalDevices(),
            designation: options.device,
            allowsSoftware: options.allowsSoftware
        )
        if let obstacle = physical.obstacle(to: options.chain.emulatesMatrixUnits ? .fp16 : tier) {
            throw .deviceUnavailable(detail: "\(physical.info) has no tier \(tier.rawValue): \(obstacle)")
        }
        let device = try Device(physical, faults: options.faults)
        let cache = try device.makePipelineCache(folder: options.cacheFolder)
        let tuner = Autotuner(
            device: device,
            network: network,
            tier: tier,
            options: options.chain,
            patience: ChainSession.Patience(fixed: options.submissionSeconds ?? (physical.info.isSoftware ? 600 : nil)),
            cache: cache
        )
        let measurements = try tuner.measurements(imageCounts: imageCounts)
        if let folder = options.cacheFolder {
            let file = TuningFile(folder: folder, key: .init(device, tier: tier))
            do { try file.write(Tuning(measurements)) } catch {
                throw .deviceUnavailable(detail: "the tuning cannot be kept in \(folder): \(error)")
            }
            cache.save()
        }
        return measurements
    }
}
