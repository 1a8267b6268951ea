import Platform
import Server
import Testing

/// What two readers of a request could understand differently is refused, and the connection ends.
struct FramingTests {
    @Test(arguments: [
        (
            "duplicate length",
            "POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"
        ),
        (
            "length and chunks",
            "POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        ),
        ("other encoding", "POST /v1/search HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: gzip\r\n\r\nabc"),
        ("no host", "GET /healthz HTTP/1.1\r\n\r\n"),
        ("two hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("bad escape", "GET /v1/images/%zz HTTP/1.1\r\nHost: d\r\n\r\n"),
        ("escaped zero", "GET /v1/images/%00 HTTP/1.1\r\nHost: d\r\n\r\n"),
        ("no path", "GET * HTTP/1.1\r\nHost: d\r\n\r\n"),
        ("body where none is taken", "GET /healthz HTTP/1.1\r\nHost: d\r\nContent-Length: 3\r\n\r\nabc"),
    ])
    func `ambiguous or malformed requests get 400 and the connection closes`(name: String, request: String) throws {
        let server = try TestServer()
        let client = try server.unix()
        client.write(request)
        let reply = try client.reply()
        #expect(reply.status == 400, "\(name): \(reply.text)")
        #expect(reply["content-type"] == "application/problem+json", "\(name)")
        #expect(reply.kind == "bad-request", "\(name)")
        #expect(client.isClosed(), "\(name)")
        #expect(server.daemon.seen.withLockNotifyingAll { $0.embedded.isEmpty }, "\(name)")
    }

    @Test(arguments: [
        "\r\n\r\n\r\n", "GET\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n", "GET / HTTP/9.9\r\nHost: d\r\n\r\n",
        "POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: -5\r\n\r\n",
        "POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST /v1/search HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ])
    func `garbage ends its own connection only`(request: String) throws {
        let server = try TestServer(limits: { $0.headerSeconds = 0.2 })
        let client = try server.unix()
        client.write(request)
        if let reply = try? client.reply() { #expect(reply.status >= 400, "\(request.debugDescription)") }
        #expect(try server.send("GET", "/healthz").status == 200)
    }

    @Test func `requests sent in one go are answered in order`() throws {
        let server = try TestServer()
        let client = try server.unix()
        client.write(
            "GET /healthz HTTP/1.1\r\nHost: d\r\n\r\nGET /v1/version HTTP/1.1\r\nHost: d\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: d\r\n\r\n"
        )
        #expect(try client.reply().text == "ok\n")
        #expect(try client.reply().json["name"] as? String == "likenessd")
        #expect(try client.reply().status == 404)
    }

    @Test func `a target in absolute form is its path`() throws {
        #expect(try TestServer().send("GET", "http://d/v1/version").status == 200)
    }

    @Test func `a header above 16 kB gets 431, and one that no buffer holds ends its connection`() throws {
        let server = try TestServer()
        let reply = try server.send("GET", "/healthz", fields: ["X-Long: " + String(repeating: "a", count: 17_000)])
        #expect(reply.status == 431)
        #expect(reply.kind == "too-large")
        let many = try server.send("GET", "/healthz", fields: (0..<70).map { "X-\($0): a" })
        #expect(many.status == 431)
        let huge = try? server.send("GET", "/healthz", fields: ["X-Long: " + String(repeating: "a", count: 200_000)])
        #expect(huge.map { $0.status == 431 || $0.status == 413 || $0.status == 414 } ?? true)
        #expect(try server.send("GET", "/healthz").status == 200)
    }

    @Test func `HEAD is GET without the body`() throws {
        let server = try TestServer()
        let client = try server.unix()
        let head = try client.send("HEAD", "/v1/version")
        let get = try client.send("GET", "/v1/version")
        #expect(head.status == 200)
        #expect(head["content-length"] == get["content-length"])
    }

    @Test(arguments: ["OPTIONS", "PATCH", "BREW", "POST"])
    func `other methods get 405 with what is allowed`(method: String) throws {
        let reply = try TestServer().send(method, "/v1/status", body: [])
        #expect(reply.status == 405)
        #expect(reply["allow"] == "GET, HEAD")
        #expect(reply.kind == "method-not-allowed")
    }

    @Test(arguments: [
        "/v1/images/../../etc/passwd", "/v1/images/..%2f..%2fetc%2fpasswd", "/v1/images/-1", "/v1/images/1e3",
        "/v1/images/%31%2f", "/v1/images/99999999999999999999", "/v1/images/", "//etc/passwd", "/page.css/../x",
    ])
    func `a path of a client is never a path of a file`(target: String) throws {
        let reply = try TestServer().send("GET", target)
        #expect(reply.status == 400 || reply.status == 404, "\(target)")
        #expect(reply["content-type"] == "application/problem+json", "\(target)")
    }

    @Test func `every reply carries an id, and a problem names it`() throws {
        let server = try TestServer()
        let good = try server.send("GET", "/healthz")
        #expect(good["x-request-id"]?.count == 16)
        let bad = try server.send("GET", "/nowhere")
        #expect(bad["x-request-id"] == bad.json["instance"] as? String)
        #expect(bad["x-request-id"] != good["x-request-id"])
        #expect(bad.json["type"] as? String == "urn:likeness:error:not-found")
        for reply in [good, bad] {
            #expect(reply["x-content-type-options"] == "nosniff")
            #expect(reply["x-frame-options"] == "DENY")
            #expect(reply["referrer-policy"] == "no-referrer")
            #expect(reply["cache-control"] == "no-store")
            #expect(reply["content-security-policy"]?.hasPrefix("default-src 'self'; ") == true)
        }
    }
}
