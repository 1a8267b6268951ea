internal import Catalog
internal import Platform

/// A bounded work queue shared by the threads: the scheduler state behind one lock, where each thread waits for its kind of work.
final class WorkQueue: Sendable {
    private let monitor: Monitor<SchedulerState>
    let configuration: IngestionConfiguration

    init(configuration: IngestionConfiguration) {
        self.configuration = configuration
        monitor = Monitor(SchedulerState(configuration: configuration))
    }

    /// Changes the scheduler state and wakes whoever waits for that. `body` must be short.
    func update<R: Sendable>(_ body: (inout SchedulerState) -> R) -> R { monitor.withLockNotifyingAll { body(&$0) } }

    /// Changes something that no thread waits for, and wakes nobody.
    func note<R: Sendable>(_ body: (inout SchedulerState) -> R) -> R { monitor.withLock { body(&$0) } }

    func read<R: Sendable>(_ body: (borrowing SchedulerState) -> R) -> R { monitor.withLock { body($0) } }

    /// Ends a pause for the device, if there is one; without one nobody is woken.
    func resumeDevice() {
        if read({ $0.isDevicePaused }) { update { $0.deviceResumed() } }
    }

    var isStopping: Bool { read { $0.isStopping } }

    /// The scanner's next task; nil: stop.
    func nextTask() -> ScanTask? {
        enum Step: Sendable { case task(ScanTask), sooner, stop }
        while true {
            // A look at the roots that finds nothing wakes nobody.
            let hasEnded = read { $0.isScannerBusy }
            if hasEnded { update { $0.scannerTaskEnded() } }
            let deadline = read { $0.nextDue(after: Instant.now) }
            let step = monitor.wait(until: deadline) { scheduler -> Step? in
                let now = Instant.now
                if scheduler.isStopping { return .stop }
                if let task = scheduler.takeTask(at: now) { return .task(task) }
                // Something came in that is due before this wait ends.
                guard let next = scheduler.nextDue(after: now), deadline.map({ next < $0 }) ?? true else { return nil }
                return .sooner
            }
            switch step {
            case .task(let task): return task
            case .stop: return nil
            case .sooner, nil: continue
            }
        }
    }

    /// A reader's next visit to a file; nil: stop.
    func nextVisit() -> FileVisit? {
        enum Step: Sendable { case visit(FileVisit), sooner, stop }
        while true {
            let deadline = read { $0.pauseEnd(after: Instant.now) }
            let step = monitor.wait(until: deadline) { scheduler -> Step? in
                let now = Instant.now
                if scheduler.isStopping { return .stop }
                if let visit = scheduler.takeVisit(at: now) { return .visit(visit) }
                // A pause began while this wait had no end.
                return deadline == nil && scheduler.pauseEnd(after: now) != nil ? .sooner : nil
            }
            switch step {
            case .visit(let visit): return visit
            case .stop: return nil
            case .sooner, nil: continue
            }
        }
    }

    /// Waits for room for a change to a file that belongs to no in-flight job.
    ///
    /// - Returns: false when stopping.
    func beginSideTask(_ key: FileKey) -> Bool {
        monitor.wait { scheduler -> Bool? in
            if scheduler.isStopping { return false }
            return scheduler.beginSideTask(key) ? true : nil
        } ?? false
    }

    /// Waits until nothing is to do.
    ///
    /// - Returns: false at the deadline, or when stopping.
    func waitUntilIdle(until deadline: Instant) -> Bool {
        monitor.wait(until: deadline) { scheduler -> Bool? in
            if scheduler.isStopping { return false }
            return scheduler.isIdle ? true : nil
        } ?? false
    }

    /// Sleeps, unless stopping.
    func pause(seconds: Double) {
        _ = monitor.wait(until: Instant.now + seconds) { $0.isStopping ? true : nil }
    }
}
