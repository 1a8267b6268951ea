internal import Catalog
internal import Platform

/// The agenda, shared by the threads: each waits here for its kind of work.
final class AgendaBoard: Sendable {
    private let monitor: Monitor<Agenda>
    let configuration: IngestionConfiguration
    private static let errandCapacity = 1024

    init(configuration: IngestionConfiguration) {
        self.configuration = configuration
        monitor = Monitor(Agenda(configuration: configuration))
    }

    /// Changes the agenda and wakes whoever waits for that. `body` must be short.
    func update<R: Sendable>(_ body: (inout Agenda) -> R) -> R { monitor.update { body(&$0) } }

    func read<R: Sendable>(_ body: (borrowing Agenda) -> R) -> R { monitor.read { body($0) } }

    var isStopping: Bool { read { $0.isStopping } }

    /// The scanner's next task; nil: stop.
    func nextTask() -> ScannerTask? {
        enum Step: Sendable { case task(ScannerTask), sooner, stop }
        while true {
            let deadline = update { agenda -> Instant? in
                agenda.isScannerBusy = false
                return agenda.nextDue(after: Instant.now)
            }
            let step = monitor.wait(until: deadline) { agenda -> Step? in
                let now = Instant.now
                if agenda.isStopping { return .stop }
                if let task = agenda.takeTask(at: now) { return .task(task) }
                // Something came in that is due before this wait ends.
                guard let next = agenda.nextDue(after: now), deadline.map({ next < $0 }) ?? true else { return nil }
                return .sooner
            }
            switch step {
            case .task(let task): return task
            case .stop: return nil
            case .sooner, nil: continue
            }
        }
    }

    /// A reader's next file; nil: stop.
    func nextRead() -> ReadJob? {
        enum Step: Sendable { case read(ReadJob), sooner, stop }
        while true {
            let deadline = read { $0.pauseEnd(after: Instant.now) }
            let step = monitor.wait(until: deadline) { agenda -> Step? in
                let now = Instant.now
                if agenda.isStopping { return .stop }
                if let job = agenda.takeRead(at: now) { return .read(job) }
                // A pause began while this wait had no end.
                return deadline == nil && agenda.pauseEnd(after: now) != nil ? .sooner : nil
            }
            switch step {
            case .read(let job): return job
            case .stop: return nil
            case .sooner, nil: continue
            }
        }
    }

    /// Waits for room for a change that is no flight.
    ///
    /// - Returns: false when stopping.
    func beginErrand() -> Bool {
        monitor.wait { agenda -> Bool? in
            if agenda.isStopping { return false }
            guard agenda.errandCount < Self.errandCapacity else { return nil }
            agenda.errandCount += 1
            return true
        } ?? false
    }

    /// Waits until nothing is to do.
    ///
    /// - Returns: false at the deadline, or when stopping.
    func waitUntilIdle(until deadline: Instant) -> Bool {
        monitor.wait(until: deadline) { agenda -> Bool? in
            if agenda.isStopping { return false }
            return agenda.isIdle ? true : nil
        } ?? false
    }

    /// Sleeps, unless stopping.
    func pause(seconds: Double) {
        _ = monitor.wait(until: Instant.now + seconds) { $0.isStopping ? true : nil }
    }
}
