internal import Glibc

/// State behind a mutex with a condition variable: threads wait until the state is as they need it.
///
/// `Synchronization.Mutex` has no condition variable, and on Linux ThreadSanitizer does not see its futex and reports what
/// it guards as races; this owns the raw pthread pair, which it knows.
package final class Monitor<State>: @unchecked Sendable {
    // `@unchecked`: `state` is touched only between lock and unlock of `mutex`.
    private var state: State
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init(_ state: sending State) {
        self.state = state
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Runs `body` under the lock, then wakes all waiters, so that they look at the state again.
    package func withLockNotifyingAll<R, E: Error>(_ body: (inout State) throws(E) -> sending R) throws(E) -> sending R
    {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Runs `body` under the lock and wakes nobody: it must not change what waiters wait for.
    package func withLock<R, E: Error>(_ body: (inout State) throws(E) -> sending R) throws(E) -> sending R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Blocks until `body` returns a value, calling it again each time the state was updated.
    ///
    /// - Parameters:
    ///   - deadline: give up at this time; wait for ever when nil.
    ///   - body: runs under the lock; nil means "not yet".
    /// - Returns: the value, or nil at the deadline. Wakes other waiters when `body` returned a value.
    package func wait<R>(until deadline: Instant? = nil, _ body: (inout State) -> sending R?) -> sending R? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let value = body(&state) {
                pthread_cond_broadcast(condition)
                return value
            }
            if let deadline {
                var time = deadline.timespec
                if pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT {
                    let value = body(&state)
                    if value != nil { pthread_cond_broadcast(condition) }
                    return value
                }
            } else {
                pthread_cond_wait(condition, mutex)
            }
        }
    }
}
