import Foundation
import Platform
import Server
import TestSupport
import Testing
import Wire

/// Replies that are made while they are sent.
struct MaintenanceTests {
    /// A chunked body (RFC 9112 section 7.1) put together; nil when its last chunk is missing.
    private func unchunked(_ bytes: [UInt8]) -> [UInt8]? {
        var body: [UInt8] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\r")) {
            guard let count = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16) else { return nil }
            if count == 0 { return body }
            let start = end + 2
            guard start + count + 2 <= rest.endIndex else { return nil }
            body += rest[start..<start + count]
            rest = rest[(start + count + 2)...]
        }
        return nil
    }

    /// All that comes until the server closes.
    private func raw(_ server: TestServer, _ method: String, _ target: String) throws -> (head: String, body: [UInt8]) {
        let client = try server.unix()
        _ = client.write("\(method) \(target) HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        let bytes = client.readAll()
        let head = try #require(bytes.firstRange(of: Array("\r\n\r\n".utf8)))
        return (String(decoding: bytes[..<head.lowerBound], as: UTF8.self), Array(bytes[head.upperBound...]))
    }

    @Test func `a collection comes in chunks, whole`() throws {
        let server = try TestServer()
        let reply = try raw(server, "GET", "/v1/backup/collection?name=\(FakeDaemon.collection)&compact=true")
        #expect(reply.head.hasPrefix("HTTP/1.1 200"))
        #expect(reply.head.lowercased().contains("transfer-encoding: chunked"))
        #expect(unchunked(reply.body) == (0..<FakeDaemon.pieceCount).flatMap { FakeDaemon.piece($0) })
        #expect(server.daemon.seen.withLockNotifyingAll { $0.uses } == ["compact"])
    }

    @Test func `one that breaks off misses its last chunk`() throws {
        let server = try TestServer()
        let reply = try raw(server, "GET", "/v1/backup/collection?name=\(FakeDaemon.brokenCollection)")
        #expect(reply.body.count >= 300_000)
        #expect(unchunked(reply.body) == nil)
    }

    @Test func `a reader that stops reading is cut, and others are served meanwhile`() throws {
        let server = try TestServer { $0.streamSeconds = 0.3 }
        let client = try server.unix()
        _ = client.write("GET /v1/backup/collection?name=\(FakeDaemon.collection) HTTP/1.1\r\nHost: d\r\n\r\n")
        #expect(try server.send("GET", "/v1/backup").status == 200)
        #expect(eventually { server.server.connectionCount == 0 })
        #expect(unchunked(client.readAll()) == nil)
    }

    @Test func `the plan and its files are an administrator's, and only those files are opened`() throws {
        let server = try TestServer()
        let plan = try JSONDecoder().decode(BackupPlan.self, from: Data(try server.send("GET", "/v1/backup").body))
        #expect(plan.collections.map(\.name) == [FakeDaemon.collection])
        let file = try server.send("GET", "/v1/backup/file?name=roots")
        #expect(file.body == Array("/photos\0".utf8))
        #expect(try server.send("GET", "/v1/backup/file?name=token").status == 404)
        #expect(try server.send("GET", "/v1/backup/file").status == 400)
        let stranger = try TestServer(peer: PeerCredentials(userID: 12_345, groupID: 1, processID: 1))
        for (method, target) in [
            ("GET", "/v1/backup"), ("GET", "/v1/backup/file?name=roots"), ("POST", "/v1/verify"),
            ("POST", "/v1/rebuild"),
            ("GET", "/v1/backup/collection?name=\(FakeDaemon.collection)"),
        ] {
            #expect(try stranger.send(method, target).status == 403)
        }
    }

    @Test func `a job answers line by line`() throws {
        let server = try TestServer()
        let reply = try raw(server, "POST", "/v1/verify")
        #expect(reply.head.lowercased().contains("application/x-ndjson"))
        let lines = try #require(unchunked(reply.body)).split(separator: UInt8(ascii: "\n"))
        let decoded = try lines.map { try JSONDecoder().decode(JobLine.self, from: Data($0)) }
        #expect(decoded.count == 3)
        #expect(decoded.last?.result?.findings == 1)
    }

    @Test func `one result sums up the collections`() throws {
        let lines = try #require(unchunked(raw(TestServer(), "POST", "/v1/rebuild").body)).split(
            separator: UInt8(ascii: "\n")
        )
        #expect(lines.count == 1)
        let result = try JSONDecoder().decode(JobLine.self, from: Data(try #require(lines.first))).result
        #expect(result?.records == 5 && result?.dropped == 1)
    }
}
