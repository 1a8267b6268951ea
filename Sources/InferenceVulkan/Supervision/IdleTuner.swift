internal import DeviceReports
internal import Inference
internal import Platform

/// The idle-time autotuner: it measures the kernels of a device that nobody uses, once for each `TuningFile.Key`. Belongs to the
/// supervisor's thread.
///
/// It has a device object of its own, so the engine's queues stay the batch thread's. The device itself serves both: whoever
/// computes meanwhile waits for the one submission of a measurement that is in flight, and the measurement ends. What was
/// measured of whole kernels by then is kept for the next idle time.
final class IdleTuner {
    enum Outcome {
        case interrupted
        /// With an engine that uses it; nil where there is no room for two.
        case tuned(Engine?, openedSince: Instant, gain: String)
    }

    private let network: Network
    private let options: VulkanOptions
    private var measured: [TuningFile.Key: [String: [Tuning.Measurement]]] = [:]
    private var failures: [TuningFile.Key: String] = [:]

    /// Batches that are measured; the choice for others follows from these.
    private static let imageCounts = [1, 8, 32]

    init(_ network: Network, _ options: VulkanOptions) {
        self.network = network
        self.options = options
    }

    func tuningStatus(of engine: Engine) -> TuningStatus {
        let key = TuningFile.Key(engine.device, tier: engine.tier)
        if let failure = failures[key] { return .refused(failure) }
        if let tuning = engine.tuning, !tuning.isEmpty { return .tuned }
        guard let folder = options.cacheFolder, options.tuningIdleSeconds != nil, options.kernels.preferredKernel == nil
        else { return .refused("not asked for") }
        if engine.tuning != nil {
            let path = TuningFile(folder: folder, key: key).path
            return .refused("an earlier measurement did not end; it is tried again when \(path) is gone")
        }
        if engine.device.physical.info.isSoftware, !options.tunesSoftware { return .refused("a software device") }
        return network.convolutionShapes.isEmpty ? .refused("there is nothing to choose") : .pending
    }

    /// Measures what is missing, keeps the choice, and opens an engine that uses it.
    ///
    /// - Parameters:
    ///   - engine: that serves meanwhile; only facts of it are read.
    ///   - failedTiers: tiers that failed in the trial of the driver.
    ///   - ceiling: the best tier that may be used.
    ///   - yielding: when to yield.
    /// - Returns: the engine, with what was gained, or that it had to yield.
    /// - Throws: `.deviceUnavailable`, `.unsupportedNetwork`, `.outOfMemory`, `.deviceLost`; it is not tried again then.
    func tune(
        _ engine: Engine,
        failedTiers: [Tier: String],
        ceiling: Tier,
        yielding: YieldPolicy
    ) throws(InferenceError) -> Outcome {
        let key = TuningFile.Key(engine.device, tier: engine.tier)
        do throws(InferenceError) {
            guard let folder = options.cacheFolder else { return .interrupted }
            let file = TuningFile(folder: folder, key: key)
            // Kernels that no trial has tried may crash the driver, and the daemon with it: then this stays, and the next
            // daemon does not do the same.
            try file.keep(Tuning())
            var isKept = false
            defer { if !isKept { file.remove() } }

            var own = options
            own.device = engine.device.physical.info.uuid
            own.tier = engine.tier
            guard let (tuning, gain) = try measure(own, key, capacity: engine.capacity, yielding),
                yielding.mayContinue()
            else {
                return .interrupted
            }
            own.tier = options.tier
            own.kernels.tuning = tuning
            let start = Instant.now
            var request = Engine.Request(network: network, options: own, ceiling: ceiling)
            request.failedTiers = failedTiers
            let opened = try openBeside(engine, request)
            if let opened, opened.tier != engine.tier {
                let reason = opened.tiers.first { $0.name == engine.tier.rawValue }?.reason ?? ""
                throw .deviceUnavailable(detail: "the fastest kernels cannot be used: \(reason)")
            }
            try file.keep(tuning)
            isKept = true
            measured[key] = nil
            return .tuned(opened, openedSince: start, gain: gain)
        } catch {
            measured[key] = nil
            failures[key] = "\(error)"
            throw error
        }
    }

    /// Nil when it had to yield.
    private func measure(
        _ options: VulkanOptions,
        _ key: TuningFile.Key,
        capacity: Int,
        _ yielding: YieldPolicy
    ) throws(InferenceError) -> (Tuning, gain: String)? {
        let tuner = try Autotuner(opening: network, options, yielding: yielding)
        defer { tuner.cache.save() }
        let imageCounts = Self.imageCounts.filter { $0 <= capacity }
        guard try tuner.measure(imageCounts: imageCounts, into: &measured[key, default: [:]]) else { return nil }
        let measurements = (measured[key] ?? [:]).values.flatMap(\.self)
        let tuning = Tuning(measurements)
        guard !tuning.isEmpty else { throw .deviceUnavailable(detail: "no kernel passes the self-test") }
        var tuned = options.kernels
        tuned.tuning = tuning
        let gains = imageCounts.compactMap { count -> String? in
            guard let before = tuner.milliseconds(options.kernels, imageCount: count, measurements),
                let after = tuner.milliseconds(tuned, imageCount: count, measurements)
            else { return nil }
            return "\(count): \(Self.text(after)) instead of \(Self.text(before)) ms"
        }
        return (tuning, "convolutions of batches of \(gains.joined(separator: ", "))")
    }

    /// Nil where the memory does not suffice for two engines of the same size.
    private func openBeside(_ engine: Engine, _ request: Engine.Request) throws(InferenceError) -> Engine? {
        do throws(InferenceError) {
            let opened = try Engine(request)
            return opened.capacity < engine.capacity ? nil : opened
        } catch {
            guard case .outOfMemory = error else { throw error }
            return nil
        }
    }

    private static func text(_ milliseconds: Double) -> String { "\((milliseconds * 1000).rounded() / 1000)" }
}

/// What is known of an engine's tuning.
enum TuningStatus: Equatable, CustomStringConvertible {
    case tuned
    case pending
    case refused(String)

    var description: String {
        switch self {
        case .tuned: "tuned"
        case .pending: "not tuned yet"
        case .refused(let reason): "not tuned: \(reason)"
        }
    }
}

/// The yield policy of a measurement: how it makes room for those who compute.
struct YieldPolicy {
    /// Whether to go on; asked before each submission.
    let mayContinue: () -> Bool
    /// Returns when nobody computes right now.
    let waitUntilFree: () -> Void
    /// Seconds that a submission may take, as far as that is known before; nil: any.
    let submissionLimit: Double?

    /// For a measurement that has the device to itself.
    static var never: YieldPolicy { YieldPolicy(mayContinue: { true }, waitUntilFree: {}, submissionLimit: nil) }
}
