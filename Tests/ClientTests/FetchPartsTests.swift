import Platform
import Testing

@testable import Client

/// The pieces of a download that need no server.
struct FetchPartsTests {
    @Test(arguments: [
        "https://example.org/w", "HTTPS://example.org:8443/w", "http://127.0.0.1:80/w", "http://localhost/w",
        "http://[::1]:8080/w",
    ])
    func `an address may be`(text: String) throws { #expect(try SourceAddress(text).text == text) }

    @Test(arguments: [
        "http://example.org/w", "http://127.0.0.1.example.org/w", "http://128.0.0.1/w", "http://127.1/w",
        "ftp://localhost/w", "file:///etc/passwd", "https://", "w.safetensors", "https:w", "",
    ])
    func `an address may not be`(text: String) throws {
        let error = try #require(throws: ClientError.self) { try SourceAddress(text) }
        #expect(error.exitCode == .usage)
    }

    @Test func `a password in an address is not its host`() throws {
        #expect(try SourceAddress("https://me:secret@example.org/w").host == "example.org")
    }

    @Test func `the head that counts is the last one`() {
        var head = ReplyHead()
        for line in [
            "HTTP/1.1 302 Found\r\n", "Content-Length: 5\r\n", "Content-Range: bytes 1-2/3\r\n", "\r\n",
            "HTTP/2 206 \r\n", "content-length:\t200\r\n", "Content-Range: bytes 100-299/300\r\n", "X: y\r\n",
            "nonsense\r\n",
        ] { head.take(line) }
        #expect(head.status == 206)
        #expect(head.contentLength == 200)
        #expect(head.rangeStart == 100)
        #expect(head.fullLength == 300)
    }

    @Test(
        arguments: [
            ("bytes */300", nil, 300), ("bytes 5-9/*", 5, nil), ("items 5-9/10", nil, nil), ("bytes 5", nil, nil),
            ("bytes 99999999999999999999-/1", nil, 1), ("", nil, nil),
        ] as [(String, UInt64?, UInt64?)]
    )
    func `a range is read as far as it says`(value: String, start: UInt64?, full: UInt64?) {
        var head = ReplyHead()
        head.take("HTTP/1.1 206 Partial\r\n")
        head.take("Content-Range: \(value)\r\n")
        #expect(head.rangeStart == start)
        #expect(head.fullLength == full)
    }

    @Test func `progress has rate and time left, of the last seconds`() {
        func moment(_ seconds: Double) -> Instant { Instant(nanoseconds: 0) + seconds }
        var meter = TransferMeter(total: 100_000_000, received: 20_000_000, now: moment(0))
        #expect(meter.line == "[####....................] 20 %, 20 MB of 100 MB")
        for second in 1...10 { meter.mark(20_000_000 + UInt64(second) * 1_000_000, now: moment(Double(second))) }
        #expect(meter.line.hasSuffix("30 %, 30 MB of 100 MB, 1.0 MB/s, 1 min 10 s left"))
        for second in 11...17 { meter.mark(30_000_000 + UInt64(second - 10) * 10_000_000, now: moment(Double(second))) }
        #expect(meter.line.hasSuffix("100 %, 100 MB of 100 MB, 10 MB/s, 0 s left"))
        meter.mark(0, now: moment(18))
        #expect(meter.rate == nil)
    }
}
