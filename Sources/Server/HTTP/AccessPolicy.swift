internal import Glibc
internal import Wire

/// Who may do what on one listener.
enum AccessPolicy: Sendable {
    /// Whoever may connect may read and search; root, the daemon's user and the configured ones may change things.
    case unix(administrators: Set<UInt32>)
    /// Browsers on this machine: exact Host and Origin, a token, and no changes.
    case tcp(hosts: Set<String>, token: AccessToken)

    /// `nobody`, and what the kernel says where it cannot map a user.
    private static let nobodies: Set<UInt32> = [65534, UInt32.max]

    static func unix(configured: Set<UInt32>) -> AccessPolicy {
        .unix(administrators: configured.union([0, geteuid()]).subtracting(nobodies))
    }

    static func tcp(port: UInt16, token: AccessToken) -> AccessPolicy {
        .tcp(hosts: Set(["127.0.0.1", "localhost", "[::1]"].map { "\($0):\(port)" }), token: token)
    }

    /// The peer behind credentials that the kernel gave, or did not give.
    static func peer(userID: UInt32?) -> Peer {
        guard let userID, !nobodies.contains(userID) else { return .unknown }
        return .user(userID)
    }

    /// Checks where the request comes from, before anything else is told about it.
    func checkOrigin(_ head: RequestHead, peer: Peer) throws(Problem) {
        switch self {
        case .unix:
            guard case .user = peer else { throw Problem(.forbidden, "the kernel does not say who connects") }
            // No browser can reach a Unix socket, but something that forwards for one could.
            for name in ["origin", "referer"] where head.value(name) != nil {
                throw Problem(.forbidden, "requests of web pages are not taken on this socket")
            }
        case .tcp(let hosts, _):
            // An exact list defeats DNS rebinding: a page of evil.example that resolves to 127.0.0.1 still names its
            // host.
            guard let host = head.value("host")?.lowercased(), hosts.contains(host) else {
                throw Problem(.forbidden, "this server answers to \(hosts.sorted().joined(separator: ", ")) only")
            }
            if let origin = head.value("origin"), origin.lowercased() != "http://\(host)" {
                throw Problem(.forbidden, "requests of other web sites are not taken")
            }
            if let site = head.value("sec-fetch-site"), site != "same-origin", site != "none" {
                throw Problem(.forbidden, "requests of other web sites are not taken")
            }
        }
    }

    /// Checks the token, where there is one.
    func checkToken(_ head: RequestHead) throws(Problem) {
        guard case .tcp(_, let token) = self else { return }
        guard let field = head.value("authorization") else {
            throw Problem(.unauthorized, "the token is missing; `likeness open` opens the page with it")
        }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer", token.matches(parts[1]) else {
            throw Problem(.unauthorized, "the token is not the right one; `likeness open` opens the page with it")
        }
    }

    /// Checks that the peer may change things.
    func checkAdministrator(_ peer: Peer) throws(Problem) {
        switch (self, peer) {
        case (.unix(let administrators), .user(let id)) where administrators.contains(id): return
        case (.unix, _):
            throw Problem(.forbidden, "only root, the daemon's user and configured users may do this; try with sudo")
        case (.tcp, _):
            throw Problem(.forbidden, "changes are made on the Unix socket only; use the likeness command")
        }
    }

    /// Whether the page is served here.
    var servesPage: Bool {
        if case .tcp = self { true } else { false }
    }
}

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
