internal import Glibc
internal import Platform

/// Talks to the service manager that started the daemon, if one did (sd_notify and sd_listen_fds protocols, by hand:
/// one datagram and three variables need no library).
struct ServiceManager: Sendable {
    private let notifySocket: String?
    /// Between two watchdog pings, half of what the manager allows; nil: no watchdog.
    let watchdogInterval: Double?

    init(environment: [String: String]) {
        notifySocket = environment["NOTIFY_SOCKET"]
        let own = environment["WATCHDOG_PID"].map { $0 == String(getpid()) } ?? true
        let microseconds = own ? environment["WATCHDOG_USEC"].flatMap(UInt64.init) ?? 0 : 0
        watchdogInterval = microseconds > 0 ? Double(microseconds) / 2e6 : nil
    }

    /// Sends lines such as `READY=1`; silently nothing without a manager.
    func notify(_ lines: String...) {
        guard let path = notifySocket, let first = path.utf8.first else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        // A leading @ stands for the abstract namespace's zero byte.
        if first == UInt8(ascii: "@") { bytes[0] = 0 }
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < capacity else { return }
        // SAFETY: at most `capacity` bytes of the tuple are written; it lives until the end of the call.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { _ = close(descriptor) }
        let message = Array(lines.joined(separator: "\n").utf8)
        // SAFETY: `sendto` reads the message and the address during the call only.
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe message.withUnsafeBytes {
                    unsafe sendto(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL), generic, length)
                }
            }
        }
    }

    /// Listening sockets that the manager opened, by the name in their unit: `api`, `http`.
    ///
    /// They are never closed: a restart in place finds them again.
    static func inheritedSockets(environment: [String: String]) -> [String: Int32] {
        guard environment["LISTEN_PID"] == String(getpid()),
            let count = environment["LISTEN_FDS"].flatMap(Int.init), count > 0
        else { return [:] }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        var sockets: [String: Int32] = [:]
        for index in 0..<min(count, 16) {
            // The protocol's first descriptor is 3.
            let descriptor = Int32(3 + index)
            let isTCP = family(of: descriptor) != AF_UNIX
            let name = index < names.count ? String(names[index]) : ""
            // systemd-socket-activate names nothing: tell by the address family.
            sockets[["api", "http"].contains(name) ? name : (isTCP ? "http" : "api")] = descriptor
        }
        return sockets
    }

    static func family(of descriptor: Int32) -> Int32 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // SAFETY: the kernel writes at most `length` bytes of the storage.
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        return code == 0 ? Int32(address.ss_family) : -1
    }
}
