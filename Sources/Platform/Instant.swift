internal import Glibc

/// A moment on the monotonic clock, for deadlines and durations; it has no date.
package struct Instant: Comparable, Hashable, Sendable {
    /// Since an arbitrary start, the same for all of one boot.
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static var now: Instant {
        var time = Glibc.timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    package static func + (a: Instant, seconds: Double) -> Instant {
        Instant(nanoseconds: a.nanoseconds + Int64(seconds * 1e9))
    }

    /// Seconds from `b` to `a`.
    package static func - (a: Instant, b: Instant) -> Double { Double(a.nanoseconds - b.nanoseconds) / 1e9 }

    var timespec: Glibc.timespec {
        Glibc.timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}

/// Nanoseconds since 1970-01-01 UTC on the system clock.
package func wallClockNanoseconds() -> Int64 {
    var time = Glibc.timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Sleeps on the monotonic clock; the calling thread must be one that may block.
package func sleep(seconds: Double) {
    usleep(UInt32(max(0, min(seconds, 4000)) * 1e6))
}
