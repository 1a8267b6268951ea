import Platform
import Server
import TestSupport
import Testing
import Wire

/// Sizes, counts and deadlines.
struct LimitTests {
    @Test func `a body that says it is too long gets 413 before it is sent`() throws {
        let server = try TestServer(limits: { $0.searchBodyByteCount = 1000 })
        let client = try server.unix()
        client.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 20000000\r\nExpect: 100-continue\r\n\r\n")
        let reply = try client.reply()
        #expect(reply.status == 413)
        #expect(reply.kind == "too-large")
        #expect(client.isClosed())
    }

    @Test func `a long body sent without asking gets 413 too`() throws {
        let server = try TestServer(limits: { $0.searchBodyByteCount = 1000 })
        let client = try server.unix()
        client.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 2000000\r\n\r\n")
        client.write([UInt8](repeating: 7, count: 2_000_000))
        #expect(try client.reply().status == 413)
    }

    @Test func `a client that asks first is told to go on`() throws {
        let server = try TestServer()
        let client = try server.unix()
        client.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        #expect(try client.reply().status == 100)
        client.write("abc")
        #expect(try client.reply().status == 200)
    }

    private func chunk(_ byteCount: Int) -> [UInt8] {
        Array("\(String(byteCount, radix: 16))\r\n".utf8) + [UInt8](repeating: 7, count: byteCount) + Array("\r\n".utf8)
    }

    @Test func `chunks above the limit are read to their end and get 413, and the connection goes on`() throws {
        let server = try TestServer(limits: { $0.searchBodyByteCount = 1000 })
        let client = try server.unix()
        client.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<10 { client.write(chunk(5000)) }
        client.write("0\r\n\r\n")
        #expect(try client.reply().status == 413)
        #expect(try client.send("GET", "/healthz").status == 200)
    }

    @Test func `chunks above the second limit are cut with 413`() throws {
        let server = try TestServer(limits: {
            $0.searchBodyByteCount = 1000
            $0.drainedByteCount = 10_000
        })
        let client = try server.unix()
        client.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n")
        while client.write(chunk(5000)) {}
        let reply = try client.reply()
        #expect(reply.status == 413)
        #expect(reply.kind == "too-large")
        #expect(client.isClosed())
    }

    @Test func `bodies in chunks arrive whole`() throws {
        let server = try TestServer()
        let client = try server.unix()
        client.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<400 { client.write(chunk(5000)) }
        client.write("0\r\n\r\n")
        #expect(try client.reply().status == 200)
        #expect(server.daemon.seen.withLockNotifyingAll { $0.embedded.first?.count } == 2_000_000)
    }

    @Test func `bodies of all requests together have a limit`() throws {
        let server = try TestServer(limits: { $0.bodyMemoryByteCount = 1000 })
        let first = try server.unix()
        first.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 900\r\nExpect: 100-continue\r\n\r\n")
        #expect(try first.reply().status == 100)
        let second = try server.send("POST", "/v1/search", body: [UInt8](repeating: 1, count: 200))
        #expect(second.status == 503)
        #expect(second["retry-after"] == "1")
        first.write([UInt8](repeating: 1, count: 900))
        #expect(try first.reply().status == 200)
        #expect(try server.send("POST", "/v1/search", body: [UInt8](repeating: 1, count: 900)).status == 200)
    }

    @Test func `a header that drips is cut with 408, however lively it is`() throws {
        let server = try TestServer(limits: { $0.headerSeconds = 0.3 })
        let client = try server.unix()
        client.write("GET /healthz HTTP/1.1\r\nX-Slow: ")
        // It drips until it is cut: a deadline that each byte put off would never pass.
        #expect(eventually { !client.write("a") })
        #expect(try client.reply().status == 408)
        #expect(client.isClosed())
    }

    @Test func `a body that drips is cut with 408 and leaves nothing behind`() throws {
        let server = try TestServer(limits: { $0.bodySeconds = 0.3 })
        let client = try server.unix()
        client.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 100000\r\n\r\n")
        // It drips until it is cut, far from the end that it announced.
        var sent = 0
        let isCut = eventually {
            sent += 1
            return !client.write([7])
        }
        #expect(isCut)
        #expect(sent < 100_000)
        let reply = try client.reply()
        #expect(reply.status == 408)
        #expect(reply.kind == "timeout")
        #expect(reply["x-request-id"] == reply.json["instance"] as? String)
        #expect(server.daemon.seen.withLockNotifyingAll { $0.embedded.isEmpty })
    }

    @Test func `a truncated body is no request`() throws {
        let server = try TestServer()
        do {
            let client = try server.unix()
            client.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 1000\r\n\r\nabc")
        }
        #expect(try server.send("GET", "/healthz").status == 200)
        #expect(server.daemon.seen.withLockNotifyingAll { $0.embedded.isEmpty })
    }

    @Test func `an idle connection is closed without a word`() throws {
        let server = try TestServer(limits: { $0.idleSeconds = 0.1 })
        let client = try server.unix()
        #expect(try client.send("GET", "/healthz").status == 200)
        #expect(client.isClosed())
    }

    @Test func `a search that takes too long gets 504`() throws {
        let gate = Monitor(false)
        let daemon = try FakeDaemon(onEmbed: { _ in _ = gate.wait { $0 ? true : nil } })
        let server = try TestServer(daemon: daemon, limits: { $0.querySeconds = 0.15 })
        // The answer comes although the search itself has not ended.
        let answer = Result { try server.send("POST", "/v1/search", body: [1]) }
        gate.withLockNotifyingAll { $0 = true }
        let reply = try answer.get()
        #expect(reply.status == 504)
        #expect(reply.kind == "timeout")
    }

    @Test func `searches at once have a limit`() throws {
        let gate = Monitor(false)
        let daemon = try FakeDaemon(onEmbed: { _ in _ = gate.wait { $0 ? true : nil } })
        let server = try TestServer(daemon: daemon, limits: { $0.searchCount = 1 })
        let first = try server.unix()
        first.write("POST /v1/search HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\n\r\na")
        #expect(eventually { daemon.seen.withLockNotifyingAll { !$0.embedded.isEmpty } })
        let second = try server.send("POST", "/v1/search", body: [1])
        gate.withLockNotifyingAll { $0 = true }
        #expect(second.status == 503)
        #expect(second.kind == "overloaded")
        #expect(second["retry-after"] == "1")
        #expect(try first.reply().status == 200)
    }

    @Test func `200 connections at once: as many as the limit are served, the others are told to come again`() throws {
        let server = try TestServer(limits: { $0.connectionCountPerUser = 1000 })
        let clients = try (0..<200).map { _ in try server.unix() }
        for client in clients { client.write("GET /v1/version HTTP/1.1\r\nHost: d\r\n\r\n") }
        let replies = try clients.map { try $0.reply() }
        #expect(replies.count { $0.status == 200 } == 128)
        let refused = replies.filter { $0.status == 503 }
        #expect(refused.count == 72)
        #expect(refused.allSatisfy { $0["retry-after"] == "1" && $0.kind == "overloaded" })
    }

    @Test func `one user gets a share of the connections; at twice the share they are cut`() throws {
        let server = try TestServer(limits: { $0.connectionCountPerUser = 4 })
        let clients = try (0..<10).map { _ in try server.unix() }
        for client in clients { client.write("GET /healthz HTTP/1.1\r\nHost: d\r\n\r\n") }
        let statuses = try clients.map { try $0.reply().status }
        #expect(statuses == [200, 200, 200, 200, 503, 503, 503, 503, 503, 503])
        #expect(try server.sendTCP("GET", "/v1/version").status == 200)
    }

    @Test func `200 searches at once, one after the other on 20 connections, are all answered`() throws {
        let server = try TestServer()
        let failed = Monitor(0)
        let path = server.socketPath
        let threads = try (0..<20).map { number in
            try WorkerThread(name: "client-\(number)") {
                let good = (try? RawClient(unix: path)).map { client in
                    (0..<10).allSatisfy { _ in
                        (try? client.send("POST", "/v1/search", body: [1, 2, 3]).status) == 200
                    }
                }
                if good != true { failed.withLockNotifyingAll { $0 += 1 } }
            }
        }
        for thread in threads { thread.join() }
        #expect(failed.withLockNotifyingAll { $0 } == 0)
    }

    @Test func `closed connections leave no descriptor open`() throws {
        let server = try TestServer()
        for _ in 0..<20 { _ = try server.send("GET", "/v1/images/1/content") }
        #expect(eventually { server.server.connectionCount == 0 })
    }
}
