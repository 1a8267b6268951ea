internal import Platform

/// Tells waiting threads and observers that the change feed has grown. `Monitor` wakes the threads; observers are called by the
/// thread that commits, one commit after the other.
final class ChangeSignal: Sendable {
    private struct State {
        var last: UInt64 = 0
        var isClosed = false
        var observers: [UInt64: @Sendable (UInt64) -> Void] = [:]
        var lastObserver: UInt64 = 0
    }

    private let state = Monitor(State())

    /// The newest entry, as of the last commit.
    var last: UInt64 { state.withLock { $0.last } }

    /// After a commit: `sequence` is the newest entry that is durable.
    func note(_ sequence: UInt64) {
        let observers = state.withLockNotifyingAll { state -> [@Sendable (UInt64) -> Void] in
            // A store that was opened again after a panic may have lost the last commit: waiters look at it anew as well.
            guard sequence != state.last else { return [] }
            state.last = sequence
            return Array(state.observers.values)
        }
        // Outside of the lock: an observer may register or release others.
        for observer in observers { observer(sequence) }
    }

    /// Wakes everybody for good.
    func close() {
        let (last, observers) = state.withLockNotifyingAll { state in
            state.isClosed = true
            defer { state.observers = [:] }
            return (state.last, Array(state.observers.values))
        }
        for observer in observers { observer(last) }
    }

    func wait(after sequence: UInt64, until deadline: Instant) -> UInt64? {
        let found = state.wait(until: deadline) { state -> UInt64?? in
            if state.isClosed { return .some(nil) }
            // Below it: the collection came out of a backup, and the next page is a gap.
            return state.last != sequence ? .some(state.last) : nil
        }
        return found ?? last
    }

    func observe(_ body: @escaping @Sendable (UInt64) -> Void) -> ChangeObservation {
        let number = state.withLockNotifyingAll { state in
            state.lastObserver += 1
            if !state.isClosed { state.observers[state.lastObserver] = body }
            return state.lastObserver
        }
        return ChangeObservation(self, number)
    }

    fileprivate func remove(_ number: UInt64) {
        // The closure is let go outside of the lock: it may hold the last reference to somebody who takes it.
        let removed = state.withLockNotifyingAll { $0.observers.removeValue(forKey: number) }
        withExtendedLifetime(removed) {}
    }
}

/// Keeps an observer of the change feed registered as long as somebody holds it.
package final class ChangeObservation: Sendable {
    private let signal: ChangeSignal
    private let number: UInt64

    init(_ signal: ChangeSignal, _ number: UInt64) {
        self.signal = signal
        self.number = number
    }

    deinit { signal.remove(number) }
}
