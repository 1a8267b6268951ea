import Foundation
import Platform
import Server
import TestSupport
import Wire

/// A real server on a Unix socket and a TCP port of its own, before a fake daemon.
final class TestServer {
    static let token = String(repeating: "a1", count: 32)

    let daemon: FakeDaemon
    let server: HTTPServer
    let socketPath: String
    let port: UInt16
    private let directory: TemporaryDirectory

    init(
        daemon: FakeDaemon? = nil,
        peer: PeerCredentials? = PeerCredentials(userID: 0, groupID: 0, processID: 1),
        administrators: Set<UInt32> = [],
        limits change: (inout ServerLimits) -> Void = { _ in }
    ) throws {
        let daemon = try daemon ?? FakeDaemon()
        directory = try TemporaryDirectory()
        socketPath = "\(directory.path)/s/likeness.sock"
        var configuration = ServerConfiguration()
        configuration.peerCredentials = { _ in peer }
        configuration.administrators = administrators
        configuration.limits.reaperSeconds = 0.02
        change(&configuration.limits)
        guard let token = AccessToken(Self.token) else { throw RawClient.Failure(description: "token") }
        server = try HTTPServer(
            addresses: [.unix(path: socketPath), .tcp(host: "127.0.0.1", port: 0, token: token)],
            control: daemon,
            configuration: configuration
        )
        self.daemon = daemon
        port = server.ports[0]
    }

    deinit { server.stop(within: 1) }

    func unix() throws -> RawClient { try RawClient(unix: socketPath) }
    func tcp() throws -> RawClient { try RawClient(port: port) }
    var host: String { "127.0.0.1:\(port)" }

    static let authorization = "Authorization: Bearer \(token)"

    /// One request on a connection of its own.
    func send(_ method: String, _ target: String, fields: [String] = [], body: [UInt8]? = nil) throws -> RawClient.Reply
    {
        try unix().send(method, target, fields: fields, body: body)
    }

    /// The same over TCP with the token.
    func sendTCP(_ method: String, _ target: String, fields: [String] = [], body: [UInt8]? = nil) throws
        -> RawClient.Reply
    {
        try tcp().send(method, target, fields: fields + [Self.authorization], host: host, body: body)
    }
}
