internal import Glibc
internal import Platform

/// The signals that the main thread waits for. All other threads inherit a mask that blocks them.
struct Signals: ~Copyable {
    enum Event: Equatable {
        /// SIGTERM, SIGINT or SIGQUIT.
        case stop
        /// SIGHUP: look at all roots again.
        case rescan
        /// Asked for by the daemon itself: start over with the stored settings.
        case restart
        /// Nothing within the time.
        case timeout
    }

    private var set = sigset_t()

    /// Blocks the signals; call before the first thread starts.
    init() {
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1] { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        // A peer that hangs up is an error of write(2), and so is a limit on the size of files: not the end of the
        // daemon.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Waits for the next one.
    mutating func next(timeout seconds: Double) -> Event {
        let nanoseconds = Int(max(0, seconds) * 1e9)
        var time = timespec(tv_sec: nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
        switch unsafe sigtimedwait(&set, nil, &time) {
        case SIGTERM, SIGINT, SIGQUIT: return .stop
        case SIGHUP: return .rescan
        case SIGUSR1: return .restart
        default: return .timeout
        }
    }

    /// Makes `next` return `.restart` on the main thread; callable from any thread.
    static func requestRestart() { _ = kill(getpid(), SIGUSR1) }
}
