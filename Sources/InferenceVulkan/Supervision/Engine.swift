internal import DeviceReports
internal import Inference

/// An open device that passed the self-test in a tier, with the network resident on it. Belongs to one thread at a time.
final class Engine {
    let device: Device
    let tier: Tier
    /// What became of every tier, best first.
    let tiers: [DeviceHealth.Tier]
    let usedCache: Bool
    /// Images that went through in one piece when it was opened.
    let capacity: Int

    private let network: Network
    private let cache: PipelineCache
    private let timeouts: SubmissionTimeouts
    private let options: KernelOptions
    private var session: ComputeSession
    /// For images that overflow; made when the first does.
    private var lowerSession: ComputeSession?

    /// What to open and how.
    struct Request {
        let network: Network
        let options: VulkanOptions
        /// The best tier that may be used.
        var ceiling: Tier
        /// Tiers that failed in the trial of the driver, with the reason.
        var failedTiers: [Tier: String] = [:]
    }

    /// Opens the device, takes the best tier that passes the self-test, and makes the network resident.
    ///
    /// - Throws: `.deviceUnavailable`, `.unsupportedNetwork`, `.outOfMemory`, `.deviceLost`.
    init(_ request: Request) throws(InferenceError) {
        let options = request.options
        let instance = try Instance(validation: options.validation)
        let physical = try VulkanProbe.choose(
            from: try instance.physicalDevices(),
            designation: options.device,
            allowsSoftware: options.allowsSoftware
        )
        device = try Device(physical, faults: options.faults)
        cache = try device.makePipelineCache(folder: options.cacheFolder)
        timeouts = SubmissionTimeouts(isSoftware: physical.info.isSoftware, fixed: options.submissionSeconds)
        let choice = try TierChoice(device, request, timeouts: timeouts, cache: cache)
        tier = choice.tier
        tiers = choice.tiers
        network = request.network
        self.options = choice.options
        usedCache = cache.isWarm
        session = try Self.makeSession(device, network, tier, choice.options, options.maximumBatch, timeouts, cache)
        capacity = session.capacity
        cache.save()
    }

    /// What its kernels were chosen by; nil: by rule.
    var tuning: Tuning? { options.tuning }

    /// A session; where the memory does not suffice, one of half the size, once.
    private static func makeSession(
        _ device: Device,
        _ network: Network,
        _ tier: Tier,
        _ options: KernelOptions,
        _ maximumBatch: Int,
        _ timeouts: SubmissionTimeouts,
        _ cache: PipelineCache
    ) throws(InferenceError) -> ComputeSession {
        func make(_ count: Int) throws(InferenceError) -> ComputeSession {
            try ComputeSession(
                device,
                network,
                tier: tier,
                options: options,
                maximumBatch: count,
                timeouts: timeouts,
                cache: cache
            )
        }
        do throws(InferenceError) { return try make(maximumBatch) } catch {
            guard case .outOfMemory = error, maximumBatch > 1 else { throw error }
            return try make(maximumBatch / 2)
        }
    }

    /// Begins anew with batches of half the size, after the device ran out of memory in the middle of one.
    ///
    /// - Throws: `.outOfMemory` when there is nothing left to halve, and what a session throws.
    func halve() throws(InferenceError) {
        let half = session.capacity / 2
        guard half > 0 else { throw .outOfMemory(device: device.name, byteCount: 0) }
        lowerSession = nil
        session = try ComputeSession(
            device,
            network,
            tier: tier,
            options: options,
            maximumBatch: half,
            timeouts: timeouts,
            cache: cache
        )
    }

    /// Computes a batch; `rows` as in `ConvolutionBackend.run`.
    ///
    /// - Returns: images whose rows are not finite.
    func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        pause: (() -> Void)?
    ) throws(InferenceError) -> [Int] {
        var nonFinite: [Int] = []
        try session.run(pixels, count: count, pause: pause) { images, results, pitch in
            for image in images {
                let isFinite =
                    copy(results, pitch, image - images.lowerBound, heads, into: &rows, at: image)
                if !isFinite { nonFinite.append(image) }
            }
        }
        return nonFinite
    }

    /// Computes one image, also while a batch pauses.
    ///
    /// - Returns: whether its rows are finite.
    func runOne(
        _ pixels: RawSpan,
        heads: [Head],
        into rows: inout MutableSpan<Float>
    ) throws(InferenceError) -> Bool {
        var isFinite = false
        try session.runOne(pixels) { _, results, pitch in
            isFinite = copy(results, pitch, 0, heads, into: &rows, at: 0)
        }
        return isFinite
    }

    /// Computes one image again one tier lower, where its numbers have more room.
    ///
    /// - Parameters:
    ///   - pixels: the image.
    ///   - heads: which summaries.
    ///   - rows: of the whole batch.
    ///   - image: which of the rows it gets.
    /// - Returns: whether these are finite; false also when there is no lower tier.
    /// - Throws: `.deviceLost`, `.outOfMemory`.
    func runLower(
        _ pixels: RawSpan,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        image: Int
    ) throws(InferenceError) -> Bool {
        guard let lower = tier.next, let session = try? lowerSession(lower) else { return false }
        var isFinite = false
        try session.runOne(pixels) { _, results, pitch in
            isFinite = copy(results, pitch, 0, heads, into: &rows, at: image)
        }
        return isFinite
    }

    private func lowerSession(_ lower: Tier) throws(InferenceError) -> ComputeSession {
        if let lowerSession { return lowerSession }
        try SelfTest.verify(device, for: network, tier: lower, options: options, timeouts: timeouts, cache: cache)
        let session = try Self.makeSession(device, network, lower, options, 1, timeouts, cache)
        lowerSession = session
        return session
    }

    /// Copies the heads of one image.
    private func copy(
        _ results: UnsafeBufferPointer<Float>,
        _ pitch: Int,
        _ source: Int,
        _ heads: [Head],
        into rows: inout MutableSpan<Float>,
        at image: Int
    ) -> Bool {
        let channels = network.outputChannels
        var target = image * heads.count * channels
        var isFinite = device.functions.faults?.next(.readVector) != .nonFinite
        for head in heads {
            let first = (source * ComputeGraph.heads.count + head.summaryRow) * pitch
            for channel in 0..<channels {
                let value = results[first + channel]
                isFinite = isFinite && value.isFinite
                rows[target + channel] = value
            }
            target += channels
        }
        return isFinite
    }
}
