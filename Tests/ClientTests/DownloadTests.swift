import Foundation
import Glibc
import Platform
import TestSupport
import Testing

@testable import Client

/// One download against a scripted server: what is kept, what is thrown away, what is said.
struct DownloadTests {
    let cache: TemporaryDirectory
    let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }

    init() throws { cache = try TemporaryDirectory() }

    private var path: String { cache.path + "/net.part" }
    private var kept: [UInt8]? { (try? Data(contentsOf: URL(filePath: path))).map { [UInt8]($0) } }

    private func keep(_ bytes: some Sequence<UInt8>) throws { try Data(bytes).write(to: URL(filePath: path)) }

    private func sha256(_ bytes: [UInt8]) -> String { SHA256Digest(of: bytes).description }

    private func download(_ address: String, digits: String? = nil, stallSeconds: Int = 30) throws {
        let terminal = Terminal(hasColor: false, drawsProgress: true) { _, _ in }
        let digest = try #require(FileDigest(.sha256, digits: digits ?? sha256(content)))
        try Download(
            name: "net",
            byteCount: UInt64(content.count),
            digest: digest,
            address: SourceAddress(address),
            stallSeconds: stallSeconds,
            terminal: terminal
        ).run(into: PartialFile(name: "net", folder: cache.path))
    }

    private func failure(_ body: () throws -> Void) throws -> ClientError {
        try #require(throws: ClientError.self) { try body() }
    }

    @Test func `a file comes whole`() throws {
        let server = try FileServer.file(content)
        try download(server.address)
        #expect(kept == content)
        #expect(server.requests.count == 1)
        #expect(!server.requests[0].contains("Range:"))
    }

    @Test func `a part is gone on with`() throws {
        try keep(content[..<100_000])
        let server = try FileServer.file(content)
        try download(server.address)
        #expect(kept == content)
        #expect(server.requests[0].contains("Range: bytes=100000-\r\n"))
    }

    @Test func `a server that knows no ranges sends everything anew`() throws {
        try keep(repeatElement(9, count: 100_000))
        let content = content
        let server = try FileServer { _ in [.text(FileServer.head(200, content.count)), .send(content)] }
        try download(server.address)
        #expect(kept == content)
        #expect(server.requests.count == 1)
    }

    @Test(arguments: [
        FileServer.head(416, 0), FileServer.head(206, 0),
        FileServer.head(206, 0, "Content-Range: bytes 7-299999/300000"),
    ])
    func `a server that cannot go on is asked for the whole`(refusal: String) throws {
        try keep(content[..<100_000])
        let content = content
        let server = try FileServer { head in
            FileServer.rangeStart(head) == nil
                ? [.text(FileServer.head(200, content.count)), .send(content)] : [.text(refusal)]
        }
        try download(server.address)
        #expect(kept == content)
        #expect(server.requests.count == 2)
    }

    @Test func `what is whole already is checked, not fetched`() throws {
        try keep(content)
        let server = try FileServer.file(content)
        try download(server.address)
        #expect(server.requests.isEmpty)
        try keep(content.reversed())
        try download(server.address)
        #expect(kept == content)
        try keep(content + content)
        try download(server.address)
        #expect(kept == content)
        #expect(server.requests.count == 2)
    }

    @Test func `a wrong digest names both and leaves nothing`() throws {
        let server = try FileServer.file(content.reversed())
        let error = try failure { try download(server.address) }
        #expect(error.kind == "wrong-digest")
        #expect(error.exitCode == .failed)
        #expect(error.detail.contains(sha256(content)))
        #expect(error.detail.contains(sha256(content.reversed())))
        #expect(kept == nil)
    }

    @Test func `another size is refused before a byte is taken`() throws {
        let server = try FileServer.file(content + [0])
        let error = try failure { try download(server.address) }
        #expect(error.kind == "wrong-size")
        #expect(kept == [])
        try keep(content[..<1000])
        #expect(try failure { try download(server.address) }.kind == "wrong-size")
        #expect(kept?.count == 1000)
    }

    @Test func `a server that goes on and on is cut off`() throws {
        let endless = [UInt8](repeating: 1, count: 65_536)
        let server = try FileServer { _ in
            [.text("HTTP/1.1 200 OK\r\n\r\n")] + [FileServer.Step](repeating: .send(endless), count: 1000)
        }
        let error = try failure { try download(server.address) }
        #expect(error.kind == "wrong-size")
        #expect(error.detail.contains("more than 300,000 bytes"))
        #expect(kept == nil)
    }

    @Test func `a stalled server is given up, and the next try goes on`() throws {
        let content = content
        let server = try FileServer { head in
            if let start = FileServer.rangeStart(head) {
                let range = "Content-Range: bytes \(start)-299999/300000"
                return [.text(FileServer.head(206, content.count - start, range)), .send(Array(content[start...]))]
            }
            return [.text(FileServer.head(200, content.count)), .send(Array(content[..<50_000])), .pause(60)]
        }
        let error = try failure { try download(server.address, stallSeconds: 3) }
        #expect(error.detail == "127.0.0.1 sent nothing for 3 s")
        #expect(error.fix?.contains("continues") == true)
        #expect(kept?.count == 50_000)
        try download(server.address)
        #expect(kept == content)
    }

    @Test func `a connection that breaks keeps what came`() throws {
        let content = content
        let short = try FileServer { _ in
            [.text(FileServer.head(200, content.count)), .send(Array(content[..<70_000]))]
        }
        #expect(try failure { try download(short.address) }.fix?.contains("continues") == true)
        #expect(kept?.count == 70_000)
        // Without a length, the end of the connection is the end of the body.
        let unsaid = try FileServer { _ in [.text("HTTP/1.1 200 OK\r\n\r\n"), .send(Array(content[..<70_000]))] }
        #expect(try failure { try download(unsaid.address) }.detail.contains("ended early, after 70 kB of 300 kB"))
    }

    @Test func `a redirect leads to https only`() throws {
        let other = try FileServer.file(content)
        let target = other.address
        let server = try FileServer { _ in [.text(FileServer.head(302, 0, "Location: \(target)"))] }
        let error = try failure { try download(server.address) }
        #expect(error.detail.contains("redirects to a place that is not allowed"))
        #expect(other.requests.isEmpty)
        let file = try FileServer { _ in [.text(FileServer.head(301, 0, "Location: file:///etc/passwd"))] }
        #expect(try failure { try download(file.address) }.detail.contains("redirects to a place that is not allowed"))
    }

    @Test(arguments: [404, 403, 500, 206, 204]) func `another status is said`(status: Int) throws {
        let server = try FileServer { _ in [.text(FileServer.head(status, status == 204 ? 0 : 5)), .text("sorry")] }
        let error = try failure { try download(server.address) }
        #expect(error.detail.contains("status \(status)"))
        #expect(kept == [])
    }

    @Test func `nobody there: which host, and how to go on without it`() throws {
        let port = try FileServer.file([]).port
        let error = try failure { try download("http://127.0.0.1:\(port)/w") }
        #expect(error.kind == "unreachable")
        #expect(error.detail.hasPrefix("cannot reach 127.0.0.1: "))
        #expect(error.fix?.contains("likeness model fetch net --from FILE") == true)
        #expect(error.fix?.contains("likeness model import FILE --name net") == true)
    }

    @Test func `what is no HTTP is a broken connection`() throws {
        let server = try FileServer { _ in [.text("220 mail ready\r\n")] }
        #expect(try failure { try download(server.address) }.detail.contains("broke"))
    }

    @Test func `two commands do not write one file, and a full disk is said beforehand`() throws {
        let part = try PartialFile(name: "net", folder: cache.path)
        #expect(try failure { _ = try PartialFile(name: "net", folder: cache.path) }.detail.contains("another command"))
        #expect(try failure { try part.checkRoom(for: 1 << 60) }.detail.contains("are free on the disk"))
        symlink("/etc/passwd", cache.path + "/link.part")
        #expect(throws: ClientError.self) { try PartialFile(name: "link", folder: cache.path) }
    }
}
