import Foundation
import TestSupport
import Testing

@testable import Client

/// What a user sees of odd replies: each is sent by a scripted daemon, byte for byte.
struct DaemonClientTests {
    private func reply(_ bytes: [UInt8]) throws -> HTTPReply {
        let daemon = try FakeDaemon { _ in bytes }
        return try DaemonClient(sockets: [daemon.path]).exchange(HTTPRequest(method: "GET", path: "/"))
    }

    private func reply(_ text: String) throws -> HTTPReply { try reply(Array(text.utf8)) }

    @Test("Chunks are joined, extensions and trailers passed over")
    func chunks() throws {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nDigest: z\r\n\r\n"
        #expect(try reply(text).body == Array("abc0123456789".utf8))
    }

    @Test("Interim replies are passed over")
    func interim() throws {
        let final = "HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nhello"
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + final
        #expect(try reply(text) == HTTPReply(status: 202, body: Array("hello".utf8)))
    }

    @Test("204 has no body and needs no length")
    func noContent() throws {
        #expect(try reply("HTTP/1.1 204 No Content\r\n\r\n") == HTTPReply(status: 204, body: []))
    }

    @Test(
        "A reply that is not HTTP/1.1 with an end that can be told is malformed",
        arguments: [
            "SSH-2.0-OpenSSH\r\n\r\n", "hello\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
            "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 70_000) + "\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n" + String(repeating: "X: x\r\n", count: 12_000) + "Content-Length: 0\r\n\r\n",
        ]
    )
    func malformed(text: String) {
        let error = #expect(throws: ClientError.self) { try reply(text) }
        #expect(error?.kind == "malformed-reply", "\(text.prefix(60)): \(error?.detail ?? "")")
        #expect(error?.exitCode == .failed)
    }

    @Test(
        "A reply that ends early is a failure that names the socket",
        arguments: [
            "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        ]
    )
    func early(text: String) {
        let error = #expect(throws: ClientError.self) { try reply(text) }
        #expect(error?.exitCode == .failed)
        #expect(error?.detail.contains("broke the connection") == true, "\(error?.detail ?? "")")
    }

    @Test("A whole reply may be large, not endless; a stream may be both")
    func large() throws {
        let head = Array("HTTP/1.1 200 OK\r\nContent-Length: \(DaemonClient.maximumBodyByteCount + 1)\r\n\r\n".utf8)
        let bytes = head + [UInt8](repeating: 7, count: DaemonClient.maximumBodyByteCount + 1)
        let error = #expect(throws: ClientError.self) { try reply(bytes) }
        #expect(error?.detail.contains("larger than 100 MB") == true)
        let daemon = try FakeDaemon { _ in bytes }
        var count = 0
        try DaemonClient(sockets: [daemon.path]).stream(HTTPRequest(method: "GET", path: "/")) { count += $0.count }
        #expect(count == DaemonClient.maximumBodyByteCount + 1)
    }

    @Test("A daemon that says nothing is given up after the request's time")
    func silence() throws {
        let isOver = DispatchSemaphore(value: 0)
        let daemon = try FakeDaemon { _ in
            isOver.wait()
            return []
        }
        let client = DaemonClient(sockets: [daemon.path])
        let error = #expect(throws: ClientError.self) {
            try client.exchange(HTTPRequest(method: "GET", path: "/", timeout: 1))
        }
        isOver.signal()
        #expect(error?.kind == "timeout")
        #expect(error?.detail == "the daemon at \(daemon.path) did not answer in time")
    }

    @Test("What takes the pieces of a stream may end it with an error of its own")
    func receiver() throws {
        struct Enough: Error {}
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(200, "hello") }
        #expect(throws: Enough.self) {
            try DaemonClient(sockets: [daemon.path]).stream(HTTPRequest(method: "GET", path: "/")) { _ in throw Enough()
            }
        }
    }

    @Test("A full backlog is waited for as long as a connection may take")
    func backlog() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/s"
        let listener = try FakeDaemon.listen(on: path, backlog: 0)
        defer { close(listener) }
        // The first fills the backlog, since nobody accepts.
        let first = try FakeDaemon.connect(to: path)
        defer { close(first) }
        let client = DaemonClient(sockets: [path], connectTimeout: 1)
        let error = #expect(throws: ClientError.self) { try client.send(HTTPRequest(method: "GET", path: "/")) }
        #expect(error?.detail == "the daemon at \(path) accepts no connection")
    }

    @Test("Requests encode what a path or query may not hold, and always say how long their body is")
    func request() throws {
        var request = HTTPRequest(method: "POST", path: "/v1/models/\(HTTPRequest.encode("a/b ä"))/../use")
        request.query = [("q", "1 & 2")]
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(204, "") }
        let client = DaemonClient(sockets: [daemon.path])
        try client.send(request)
        request.method = "GET"
        try client.send(request)
        let (post, get) = (daemon.requests[0], daemon.requests[1])
        #expect(post.line == "POST /v1/models/a%2Fb%20%C3%A4/../use?q=1%20%26%202 HTTP/1.1")
        #expect(post.fields["content-length"] == "0")
        #expect(post.fields["expect"] == nil)
        #expect(get.fields["content-length"] == nil)
        #expect(get.fields["host"] == "likeness")
        #expect(get.fields["accept"] == "application/json")
    }
}
