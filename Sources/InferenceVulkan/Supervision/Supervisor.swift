internal import DeviceReports
internal import Inference
internal import Platform

/// The supervisor of a device: it opens the device, retires it when it fails, and recovers it, on a thread of its own, so that nobody
/// who computes waits.
///
/// The engine has one user at a time: the supervisor's thread while it opens the engine and tears it down, the batch thread between.
/// While the batch thread has nothing to do, the supervisor's thread measures kernels (`IdleTuner`), on a device object of their own.
final class Supervisor: @unchecked Sendable {
    // `@unchecked`: `thread` is set once, before another thread sees this object; `tuner` is the supervisor's thread's; the rest
    // is under `state`.

    struct State {
        var health = DeviceHealth()
        var engine: Engine?
        /// Engines that are out of service and still to be torn down.
        var retired: [RetiredDevice] = []
        var backoff: BackoffPolicy
        /// The best tier that may be used.
        var ceiling = Tier.cooperative2
        /// When to open; nil while it serves or is closed.
        var attempt: Instant?
        /// Of the first attempt, when it failed.
        var firstFailure: InferenceError?
        var lostAt: Instant?
        var isStopping = false
        /// Of the last trial in another process.
        var report: GraphicsReport?
        /// Tiers that failed in it, with the reason.
        var failedTiers: [Tier: String] = [:]
        /// Uses of an engine: those that go on, and all so far.
        var useCount = 0
        var useNumber = 0
        var idleSince = Instant.now
        var tuningStatus: TuningStatus?
    }

    private let network: Network
    let options: VulkanOptions
    let state: Monitor<State>
    let tuner: IdleTuner
    private var thread: WorkerThread?
    static let log = Log("vulkan")

    init(_ network: Network, _ options: VulkanOptions) {
        self.network = network
        self.options = options
        tuner = IdleTuner(network, options)
        var state = State(backoff: BackoffPolicy(options.recovery))
        state.attempt = .now
        self.state = Monitor(state)
    }

    func start() throws(SystemError) {
        // Shader compilers recurse deeply.
        thread = try WorkerThread(name: "vulkan", stackByteCount: 8 << 20) { [self] in run() }
    }

    /// Ends the thread and tears the device down. Nobody may compute any more; later calls do nothing.
    func stop() {
        let isFirst = state.withLockNotifyingAll { state in
            defer { state.isStopping = true }
            return !state.isStopping
        }
        guard isFirst else { return }
        thread?.join()
        state.withLockNotifyingAll { state in
            state.engine = nil
            state.retired = []
        }
    }

    var health: DeviceHealth { state.withLock { $0.health } }
    var report: GraphicsReport? { state.withLock { $0.report } }
    var isServing: Bool { state.withLock { $0.engine != nil } }

    func waitUntilReady(seconds: Double?) throws(InferenceError) -> Bool {
        let answer = state.wait(until: seconds.map { .now + $0 }) { state -> Result<Bool, InferenceError>? in
            if state.engine != nil { return .success(true) }
            return state.firstFailure.map { .failure($0) }
        }
        return try (answer ?? .success(false)).get()
    }

    // MARK: The batch thread

    /// The engine, for the batch thread alone, and until it calls `endUse`.
    ///
    /// - Throws: `.deviceLost` while there is none.
    func beginUse() throws(InferenceError) -> Engine {
        let box = state.withLock { state in
            if state.engine != nil {
                state.useCount += 1
                state.useNumber += 1
            }
            return Box(engine: state.engine, health: state.health)
        }
        guard let engine = box.engine else {
            throw .deviceLost(device: box.health.device, detail: box.health.reason)
        }
        return engine
    }

    func endUse() {
        state.withLock { state in
            state.useCount -= 1
            state.idleSince = .now
        }
    }

    struct Box: @unchecked Sendable {
        // `@unchecked`: see `Supervisor` for who may use the engine.
        let engine: Engine?
        let health: DeviceHealth
    }

    func noteNonFinite(_ count: Int) {
        if count > 0 { state.withLock { $0.health.nonFiniteCount += count } }
    }

    func noteOutOfMemory(_ error: InferenceError) {
        state.withLock { $0.health.outOfMemoryCount += 1 }
        Self.log.warning("\(error); the batches are halved")
    }

    /// Takes the engine out of service, unless a query of the same batch has done so already.
    ///
    /// - Returns: what the caller throws.
    func noteLoss(of engine: Engine, _ error: InferenceError) -> InferenceError {
        let lost = Box(engine: engine, health: DeviceHealth())
        let isNew = state.withLockNotifyingAll { state -> Bool in
            guard let current = state.engine, current === lost.engine else { return false }
            state.retired.append(RetiredDevice(current))
            state.engine = nil
            let decision: BackoffPolicy.Decision
            if case .outOfMemory = error {
                state.health.outOfMemoryCount += 1
                decision = state.backoff.noteFailure(at: .now)
            } else {
                state.health.lossCount += 1
                if Hang.isMeant(by: error) { state.health.hangCount += 1 }
                decision = state.backoff.noteLoss(at: .now)
            }
            state.lostAt = .now
            follow(decision, &state, error)
            return true
        }
        if isNew { Self.log.error(health.reason) }
        if case .deviceLost = error { return error }
        return .deviceLost(device: engine.device.name, detail: "\(error)")
    }

    private func follow(_ decision: BackoffPolicy.Decision, _ state: inout State, _ error: InferenceError) {
        state.health.state = .recovering
        switch decision {
        case .close:
            state.health.state = .closed
            state.health.reason = "\(error); lost too often, not tried again before a restart"
            state.attempt = nil
        case .retryLower(let delay):
            if let tier = Tier(rawValue: state.health.tier)?.below { state.ceiling = tier }
            fallthrough
        case .retry(let delay):
            state.health.reason = "\(error); tried again after \(Self.text(delay)) s"
            state.attempt = .now + delay
        }
        state.health.tier = ""
    }

    private static func text(_ seconds: Double) -> String { "\((seconds * 100).rounded() / 100)" }

    // MARK: The supervisor's thread

    private enum Task {
        case open
        case tearDown([RetiredDevice])
        case tune
        case stop
    }

    private func run() {
        var isWaiting: Instant?
        while true {
            let task = state.wait(until: isWaiting) { state -> Task? in
                if state.isStopping { return .stop }
                if !state.retired.isEmpty {
                    let retired = state.retired
                    state.retired = []
                    return .tearDown(retired)
                }
                if let due = tuningDue(state), due <= .now { return .tune }
                guard let attempt = state.attempt else { return nil }
                if attempt <= .now {
                    state.attempt = nil
                    return .open
                }
                return attempt == isWaiting ? nil : .some(.tearDown([]))
            }
            switch task {
            case .stop: return
            case .open: open()
            case .tearDown(let retired): for engine in retired { engine.tearDown() }
            case .tune: tune()
            case nil: break
            }
            isWaiting = state.withLock { $0.attempt ?? tuningDue($0) }
        }
    }

    /// An engine that is out of service. Its teardown waits for what hangs on the device, so it must happen here and not on the batch
    /// thread.
    final class RetiredDevice: @unchecked Sendable {
        // `@unchecked`: handed from the batch thread to the supervisor's through `state`.
        private var engine: Engine?

        init(_ engine: Engine) { self.engine = engine }

        /// Waits until the batch thread has let go of it: that is on its way out of a call.
        func tearDown() {
            while engine != nil, !isKnownUniquelyReferenced(&engine) { sleep(seconds: 0.001) }
            engine = nil
        }
    }

    private func open() {
        let start = Instant.now
        do throws(InferenceError) {
            let ceiling = state.withLock { $0.ceiling }
            var request = Engine.Request(network: network, options: options, ceiling: ceiling)
            request.failedTiers = try probe()
            let opened = Box(engine: try Engine(request), health: DeviceHealth())
            serve(opened, since: start)
        } catch {
            noteFailure(error)
        }
    }

    /// What the trial in another process says; also when it takes too long or dies.
    ///
    /// - Returns: tiers to leave out, with the reason.
    /// - Throws: `.deviceUnavailable`, and `.deviceLost` when the driver crashes or does not answer.
    private func probe() throws(InferenceError) -> [Tier: String] {
        guard let probe = options.probe else { return [:] }
        let trial = try probe.run { state.withLock { $0.isStopping } }
        state.withLock { state in
            state.report = trial.report
            state.failedTiers = trial.failedTiers
        }
        return trial.failedTiers
    }

    /// Puts `opened` into service; an engine that computed so far is retired.
    func serve(_ opened: Box, since start: Instant) {
        guard let engine = opened.engine else { return }
        let tuningStatus = tuner.tuningStatus(of: engine)
        let info = engine.device.physical.info
        let seconds = Instant.now - start
        let facts = (tier: engine.tier.rawValue, tiers: engine.tiers, usedCache: engine.usedCache)
        let isReturn = state.withLockNotifyingAll { state -> Bool in
            let lostAt = state.lostAt
            state.health.device = info.name
            state.health.uuid = info.uuid
            state.health.driver = info.driver
            state.health.tier = facts.tier
            state.health.tiers = facts.tiers
            state.health.usedCache = facts.usedCache
            state.health.openSeconds = seconds
            state.health.state = .serving
            state.health.reason = Self.reason(tuningStatus)
            state.tuningStatus = tuningStatus
            state.idleSince = .now
            if let lostAt {
                state.health.returnCount += 1
                state.health.awaySeconds = .now - lostAt
            }
            state.lostAt = nil
            if let earlier = state.engine { state.retired.append(RetiredDevice(earlier)) }
            state.engine = opened.engine
            state.backoff.noteService(at: .now)
            return lostAt != nil
        }
        Self.log.notice(
            "\(info.name), \(facts.tier), \(isReturn ? "computes again" : "computes"): opened in "
                + "\(Int(seconds * 1000)) ms \(facts.usedCache ? "with" : "without") a pipeline cache, \(tuningStatus)"
        )
    }

    private func noteFailure(_ error: InferenceError) {
        let isStopping = state.withLockNotifyingAll { state -> Bool in
            let isFirst = state.health.state == .opening
            if isFirst { state.firstFailure = error }
            // A trial that a stop has ended says nothing about the device.
            if state.isStopping { return true }
            switch error {
            case .deviceLost:
                state.health.lossCount += 1
                if Hang.isMeant(by: error) { state.health.hangCount += 1 }
                let decision = state.backoff.noteLoss(at: .now)
                follow(decision, &state, error)
            case .outOfMemory:
                state.health.outOfMemoryCount += 1
                let decision = state.backoff.noteFailure(at: .now)
                follow(decision, &state, error)
            case .deviceUnavailable where !isFirst:
                // It was there: the driver may be in the middle of an update, or the card in a reset.
                let decision = state.backoff.noteFailure(at: .now)
                follow(decision, &state, error)
            default:
                // There is no such device, or it cannot do it: a state that lasts.
                state.health.state = .closed
                state.health.reason = "\(error)"
                state.attempt = nil
            }
            return false
        }
        if !isStopping { Self.log.notice(health.reason) }
    }
}
