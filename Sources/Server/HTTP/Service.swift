internal import Platform
internal import Synchronization
internal import Wire

/// What all requests share.
final class Service: Sendable {
    let control: any DaemonControl
    let limits: ServerLimits
    let metrics: ServerMetrics
    let router: Router
    let bodyMemory: BodyMemory
    let log = Log("server")
    private let stopping = Atomic(false)
    private let searchesAtWork = Monitor(0)

    init(control: any DaemonControl, limits: ServerLimits, metrics: ServerMetrics) {
        self.control = control
        self.limits = limits
        self.metrics = metrics
        router = Router(routes: Routes(control: control, limits: limits, metrics: metrics).table)
        bodyMemory = BodyMemory(byteCount: limits.bodyMemoryByteCount)
    }

    /// Whether new requests are turned away.
    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// Turns new requests away from now on.
    func beginStopping() { stopping.store(true, ordering: .releasing) }

    /// Runs a search unless too many are at work.
    func searching<R>(_ body: () throws(Problem) -> R) throws(Problem) -> R {
        let isAdmitted = searchesAtWork.withLockNotifyingAll { count in
            guard count < limits.searchCount else { return false }
            count += 1
            return true
        }
        guard isAdmitted else {
            throw Problem(.overloaded, "\(limits.searchCount) searches are at work already", retryAfter: 1)
        }
        defer { searchesAtWork.withLockNotifyingAll { $0 -= 1 } }
        return try body()
    }
}
