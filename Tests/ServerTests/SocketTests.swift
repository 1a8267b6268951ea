import Foundation
import Glibc
import Platform
import Server
import TestSupport
import Testing

/// Making, finding and leaving the sockets.
struct SocketTests {
    private func listen(_ address: ListenAddress) throws -> HTTPServer {
        try HTTPServer(addresses: [address], control: FakeDaemon())
    }

    /// A Unix socket that has the path and does not listen.
    private func boundSocket(_ path: String) -> Int32 {
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafeBytes(of: address) {
            bind(made, $0.assumingMemoryBound(to: sockaddr.self).baseAddress!, socklen_t($0.count))
        }
        #expect(bound == 0)
        return made
    }

    @Test func `the socket is for owner and group, and goes with the server`() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/made/likeness.sock"
        let server = try listen(.unix(path: path))
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o660)
        server.stop(within: 1)
        withExtendedLifetime(server) {}
    }

    @Test func `a socket that nobody answers on is replaced`() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/likeness.sock"
        close(boundSocket(path))
        let server = try listen(.unix(path: path))
        #expect(try RawClient(unix: path).send("GET", "/healthz").status == 200 || geteuid() == 65534)
        server.stop(within: 1)
    }

    @Test func `a second daemon does not take the socket of the first`() throws {
        let first = try TestServer()
        #expect(throws: ServerError.anotherDaemon(path: first.socketPath)) {
            try self.listen(.unix(path: first.socketPath))
        }
        #expect(try first.send("GET", "/healthz").status == 200)
    }

    @Test func `a file in the way stays`() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/file"
        try Data("keep".utf8).write(to: URL(filePath: path))
        #expect(throws: ServerError.notASocket(path: path)) { try self.listen(.unix(path: path)) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "keep")
    }

    @Test func `a path that the kernel cannot hold is refused in words`() throws {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        #expect(throws: ServerError.pathTooLong(path: path, byteCount: 125, limit: 107)) {
            try self.listen(.unix(path: path))
        }
    }

    @Test(arguments: ["0.0.0.0", "::", "192.168.0.1", "example.org", ""])
    func `the page is served on loopback only`(host: String) throws {
        let token = try #require(AccessToken(TestServer.token))
        #expect(throws: ServerError.notLoopback(host: host)) {
            try self.listen(.tcp(host: host, port: 0, token: token))
        }
    }

    @Test func `an inherited socket is used, and its file stays`() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/api.sock"
        let made = boundSocket(path)
        #expect(Glibc.listen(made, 8) == 0)
        do {
            let server = try listen(.unix(path: path, inherited: made))
            #expect(try RawClient(unix: path).send("GET", "/healthz").status == 200)
            server.stop(within: 1)
        }
        #expect(access(path, F_OK) == 0)
    }

    @Test func `a descriptor that does not listen is refused`() throws {
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #expect(throws: ServerError.unsuitableDescriptor(descriptor: number, expected: "a listening Unix socket")) {
            try self.listen(.unix(path: "/run/x", inherited: number))
        }
    }

    @Test func `a token is 256 bits`() {
        #expect(AccessToken("short") == nil)
        #expect(AccessToken(String(repeating: "a b", count: 20)) == nil)
        #expect(AccessToken.random().text.count == 64)
        #expect(AccessToken.random().text != AccessToken.random().text)
    }

    @Test func `stopping lets a request at work finish and turns the rest away`() throws {
        let gate = Monitor(false)
        let daemon = try FakeDaemon(onEmbed: { _ in _ = gate.wait { $0 ? true : nil } })
        let server = try TestServer(daemon: daemon)
        let working = try server.unix()
        let idle = try server.unix()
        #expect(try idle.send("GET", "/healthz").status == 200)
        working.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\n\r\na")
        #expect(eventually { daemon.seen.withLockNotifyingAll { !$0.embedded.isEmpty } })
        let stopping = try WorkerThread(name: "stopping") { [server = server.server] in server.stop(within: 60) }
        // The idle connection is closed while the request is still at work.
        #expect(idle.isClosed())
        gate.withLockNotifyingAll { $0 = true }
        let reply = try working.reply()
        #expect(reply.status == 200)
        #expect(reply["connection"]?.lowercased() == "close")
        stopping.join()
    }

    @Test func `stopping does not wait for a client that never ends`() throws {
        // No deadline of the body ends this client: only stopping does.
        let server = try TestServer(limits: { $0.bodySeconds = 3600 })
        let client = try server.unix()
        client.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
        #expect(try client.reply().status == 100)
        server.server.stop(within: 0.1)
        #expect(client.isClosed())
    }
}
