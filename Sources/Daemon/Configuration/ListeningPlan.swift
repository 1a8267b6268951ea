internal import Glibc
internal import Platform
internal import Server

/// Where the daemon listens: what the settings say, on sockets of the service manager where it passed any.
struct ListeningPlan {
    let addresses: [ListenAddress]
    /// How a browser on this machine names the page's host, and its secret; nil where no page is served.
    private let page: (host: String, token: AccessToken)?

    /// - Throws: `ConfigurationError`; `SystemError` when a passed socket cannot be copied.
    init(_ configuration: Configuration, environment: [String: String], stateDirectory: String) throws {
        let inherited = ServiceManager.inheritedSockets(environment: environment)
        // The server closes what it is given; the originals stay for a restart in place.
        func copy(_ name: String) throws -> Int32? {
            try inherited[name].map { original in
                try retrying("copy the service manager's socket") { fcntl(original, F_DUPFD_CLOEXEC, 10) }
            }
        }
        let unix = ListenAddress.unix(path: configuration.socketPath, inherited: try copy("api"))
        let tcp: (host: String, port: UInt16)? =
            if let text = configuration.http {
                try Self.hostAndPort(text)
            } else if let passed = inherited["http"] {
                // Who switches the page's socket unit on wants the page. Its own address is the one that counts.
                (ServiceManager.family(of: passed) == AF_INET6 ? "::1" : "127.0.0.1", 0)
            } else {
                nil
            }
        guard let tcp else {
            addresses = [unix]
            page = nil
            return
        }
        let token = try PageToken.load(stateDirectory: stateDirectory, environment: environment)
        addresses = [unix, .tcp(host: tcp.host, port: tcp.port, inherited: try copy("http"), token: token)]
        page = (tcp.host.contains(":") ? "[\(tcp.host)]" : tcp.host, token)
    }

    /// The page's address with its token, for the port that the server really listens on.
    func pageLink(port: UInt16?) -> String? {
        guard let page, let port else { return nil }
        return "http://\(page.host):\(port)/#token=\(page.token.text)"
    }

    private static func hostAndPort(_ text: String) throws(ConfigurationError) -> (host: String, port: UInt16) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw ConfigurationError("http: '\(text)' is not HOST:PORT, such as 127.0.0.1:8473")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return (String(host), port)
    }
}
