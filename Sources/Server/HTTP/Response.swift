internal import CServer
internal import Foundation
internal import Glibc
internal import Platform
internal import Wire

/// A reply, ready to send.
struct Response: Sendable {
    /// A file's bytes, streamed from the descriptor that was checked when it was opened.
    final class File: Sendable {
        let descriptor: OwnedDescriptor
        let byteCount: Int

        init(_ descriptor: consuming OwnedDescriptor, byteCount: Int) {
            self.descriptor = descriptor
            self.byteCount = byteCount
        }
    }

    enum Body: Sendable {
        case bytes([UInt8])
        case file(File)
        /// In chunks, as they come.
        case stream(ResponseStream)
    }

    var status = 200
    /// Names with values, without those that every reply carries.
    var fields: [(name: String, value: String)] = []
    var body = Body.bytes([])
    /// Nothing more is read from this connection.
    var closesConnection = false

    static let noContent = Response(status: 204)

    init(status: Int = 200) { self.status = status }

    init(status: Int = 200, bytes: [UInt8], contentType: String) {
        self.status = status
        fields = [("Content-Type", contentType)]
        body = .bytes(bytes)
    }

    init(status: Int = 200, json value: some Encodable) throws(Problem) {
        self.init(status: status, bytes: try JSON.encode(value), contentType: "application/json")
    }

    init(stream: ResponseStream, contentType: String) {
        fields = [("Content-Type", contentType)]
        body = .stream(stream)
    }

    init(_ problem: Problem) {
        let bytes = (try? JSON.encode(problem)) ?? Array("{}".utf8)
        self.init(status: problem.status, bytes: bytes, contentType: "application/problem+json")
        if !problem.instance.isEmpty { fields.append(("X-Request-Id", problem.instance)) }
        if let seconds = problem.retryAfter { fields.append(("Retry-After", String(seconds))) }
        if problem.status == 401 { fields.append(("WWW-Authenticate", "Bearer")) }
    }

    /// On every reply: nothing is guessed, framed, stored or loaded from elsewhere.
    static let securityFields: [(name: String, value: String)] = [
        ("Cache-Control", "no-store"),
        (
            "Content-Security-Policy",
            "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'"
        ),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
    ]

    /// The whole reply as it goes over the wire, for where the library cannot send one; the connection ends after it.
    var rawBytes: [UInt8] {
        guard case .bytes(let bytes) = body else { return [] }
        let reason = String(cString: CServer_reason(UInt32(status)))
        var head = "HTTP/1.1 \(status) \(reason)\r\nConnection: close\r\nContent-Length: \(bytes.count)\r\n"
        for field in fields + Self.securityFields { head += "\(field.name): \(field.value)\r\n" }
        return Array((head + "\r\n").utf8) + bytes
    }

    /// Hands the reply to the library.
    ///
    /// - Returns: false when it does not take it; the connection has to be dropped then.
    func queue(on request: OpaquePointer) -> Bool {
        var lines = fields + Self.securityFields
        if closesConnection { lines.append(("Connection", "close")) }
        let strings: [UnsafeMutablePointer<CChar>?] = lines.flatMap { [strdup($0.name), strdup($0.value)] }
        defer { strings.forEach { free($0) } }
        let pointers = strings.compactMap { $0.map { UnsafePointer<CChar>($0) } }
        guard pointers.count == strings.count else { return false }
        switch body {
        case .bytes(let bytes):
            return bytes.withUnsafeBytes {
                let body = CServer_body(
                    bytes: $0.baseAddress,
                    byte_count: UInt64($0.count),
                    descriptor: -1,
                    stream: nil
                )
                return CServer_reply(request, UInt32(status), pointers, pointers.count, body) == 1
            }
        case .file(let file):
            // The library closes its descriptor with its response, so it gets one of its own.
            let copy = fcntl(file.descriptor.rawValue, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { return false }
            let body = CServer_body(bytes: nil, byte_count: UInt64(file.byteCount), descriptor: copy, stream: nil)
            return CServer_reply(request, UInt32(status), pointers, pointers.count, body) == 1
        case .stream(let stream):
            return stream.withCallbacks { callbacks in
                let body = CServer_body(bytes: nil, byte_count: 0, descriptor: -1, stream: callbacks)
                return CServer_reply(request, UInt32(status), pointers, pointers.count, body) == 1
            }
        }
    }
}
