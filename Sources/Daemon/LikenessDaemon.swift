internal import Catalog
internal import Embedding
internal import Foundation
internal import Glibc
internal import Imaging
internal import Inference
internal import Ingestion
internal import Platform
internal import Server

/// The daemon's life cycle: starts the services, consumers before producers, waits for a signal, and stops them in
/// reverse.
package enum LikenessDaemon {
    private static let log = Log("daemon")

    /// Runs until a signal ends it.
    ///
    /// - Parameters:
    ///   - configuration: all settings.
    ///   - environment: the process's variables, for what the service manager passes.
    ///   - arguments: the whole command line, for a restart in place.
    /// - Throws: what kept the daemon from starting, in words for the administrator.
    package static func run(
        _ configuration: Configuration,
        environment: [String: String],
        arguments: [String]
    ) throws {
        Log.setThreshold(configuration.logLevel)
        // After a restart in place the kernel would call it `exe`.
        WorkerThread.nameCurrent("likenessd")
        Heap.keepSmall()
        var signals = Signals()
        let manager = ServiceManager(environment: environment)
        let daemon = try RunningDaemon(configuration, environment: environment)
        manager.notify("READY=1", "STATUS=\(daemon.summary)")
        let isRestart = wait(&signals, manager, daemon)
        manager.notify(isRestart ? "STATUS=Restarting in place" : "STOPPING=1")
        daemon.close()
        guard isRestart else { return log.notice("stopped") }
        try restart(arguments)
    }

    /// Serves until a signal; true when the daemon is to start over.
    private static func wait(_ signals: inout Signals, _ manager: ServiceManager, _ daemon: RunningDaemon) -> Bool {
        var nextStatus = Instant.now + 5
        while true {
            switch signals.next(timeout: min(manager.watchdogInterval ?? 5, 5)) {
            case .stop: return false
            case .restart: return true
            case .rescan: daemon.rescan()
            case .timeout: break
            }
            if manager.watchdogInterval != nil, daemon.isAlive { manager.notify("WATCHDOG=1") }
            if Instant.now >= nextStatus {
                daemon.retryRoots()
                manager.notify("STATUS=\(daemon.summary)")
                nextStatus = .now + 5
            }
        }
    }

    /// Replaces this program by itself: same process, same inherited sockets, settings read anew. The signals stay
    /// blocked: one that comes meanwhile waits for the new program instead of ending it.
    private static func restart(_ arguments: [String]) throws(SystemError) {
        log.notice("restarting in place")
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        // SAFETY: the strings live until the program is replaced, or for good when that fails.
        _ = unsafe execv("/proc/self/exe", &pointers)
        throw SystemError.last("start the program over")
    }
}
