import Testing

@testable import Client

struct HTTPReplyTests {
    private static let whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a:  2 \r\n\r\nhello"

    private func read(_ text: String, pieceByteCount: Int = Int.max) throws -> HTTPReply? {
        var reader = HTTPReplyReader()
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieceByteCount))
            rest = rest.dropFirst(piece.count)
            if let reply = try reader.take(piece) { return reply }
        }
        return nil
    }

    @Test("A reply is read the same in pieces of any size", arguments: [1, 2, 3, 7, 1000])
    func pieces(byteCount: Int) throws {
        let reply = try #require(try read(Self.whole, pieceByteCount: byteCount))
        #expect(
            reply == HTTPReply(status: 200, fields: ["content-length": "5", "x-a": "1, 2"], body: Array("hello".utf8))
        )
    }

    @Test("Chunks are joined, extensions and trailers passed over", arguments: [1, 5, 1000])
    func chunks(byteCount: Int) throws {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nDigest: z\r\n\r\n"
        #expect(try read(text, pieceByteCount: byteCount)?.body == Array("abc0123456789".utf8))
    }

    @Test("Interim replies are passed over, unless the caller waits for one")
    func interim() throws {
        let text = "HTTP/1.1 100 Continue\r\n\r\n" + Self.whole
        #expect(try read(text)?.status == 200)
        var reader = HTTPReplyReader(stopsAtContinue: true)
        #expect(try reader.take(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))?.status == 100)
    }

    @Test("204 has no body and needs no length")
    func noContent() throws {
        #expect(try read("HTTP/1.1 204 No Content\r\n\r\n")?.body == [])
    }

    @Test(
        "What servers should not send is refused",
        arguments: [
            "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 999 OK\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 104857601\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n123456789\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        ]
    )
    func malformed(text: String) {
        let error = #expect(throws: ClientError.self) { try read(text) }
        #expect(error?.kind == "malformed-reply")
    }

    @Test("A header without end, and an end in the middle, are refused")
    func endless() throws {
        #expect(throws: ClientError.self) {
            try read("HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: HTTPReplyReader.maximumHeaderByteCount))
        }
        var reader = HTTPReplyReader()
        #expect(try reader.take(Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel".utf8)) == nil)
        #expect(throws: ClientError.self) { try reader.take([]) }
    }

    @Test("Requests encode what a path or query may not hold")
    func requestHead() {
        var request = HTTPRequest(method: "POST", path: "/v1/models/\(HTTPRequest.encode("a/b ä"))/use")
        request.query = [("q", "1 & 2")]
        let head = String(decoding: request.head(bodyByteCount: nil), as: UTF8.self)
        #expect(head.hasPrefix("POST /v1/models/a%2Fb%20%C3%A4/use?q=1%20%26%202 HTTP/1.1\r\nHost: likeness\r\n"))
        #expect(head.hasSuffix("Content-Length: 0\r\n\r\n"))
    }
}
