/// Who sends a request, as far as the listener can tell.
enum Peer: Sendable, Equatable {
    /// A user of this machine, named by the kernel.
    case user(UInt32)
    /// A Unix socket whose peer the kernel does not know, or knows only as nobody.
    case unknown
    /// A program on this machine that came over TCP.
    case loopback

    /// For log lines.
    var description: String {
        switch self {
        case .user(let id): String(id)
        case .unknown: "unknown"
        case .loopback: "tcp"
        }
    }
}
