import Foundation
import Glibc
import TestSupport

/// A client that sends exactly the bytes it is told to.
final class RawClient {
    struct Reply {
        var status: Int
        var fields: [(name: String, value: String)]
        var body: [UInt8]

        subscript(name: String) -> String? { fields.first { $0.name == name.lowercased() }?.value }
        var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as a JSON object.
        var json: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:] }
        var kind: String? { json["kind"] as? String }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let descriptor: Int32
    private var buffer: [UInt8] = []

    init(unix path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafeBytes(of: address) {
            connect(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress!, socklen_t($0.count))
        }
        guard result == 0 else { throw Failure(description: "connect \(path): \(String(cString: strerror(errno)))") }
        limitWaiting()
    }

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafeBytes(of: address) {
            connect(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress!, socklen_t($0.count))
        }
        guard result == 0 else { throw Failure(description: "connect \(port): \(String(cString: strerror(errno)))") }
        limitWaiting()
    }

    deinit { close(descriptor) }

    /// Ends a test that would hang.
    private func limitWaiting() {
        var time = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Sends everything.
    ///
    /// - Returns: false when the server does not take it any more.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    @discardableResult
    func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// Whether the server closed the connection, waiting for it.
    func isClosed() -> Bool { buffer.isEmpty && !fill() }

    private func fill() -> Bool {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &piece, piece.count, 0)
        guard count > 0 else { return false }
        buffer += piece[..<count]
        return true
    }

    /// Everything until the server closes.
    func readAll() -> [UInt8] {
        while fill() {}
        defer { buffer = [] }
        return buffer
    }

    /// The next reply; one to HEAD has no body.
    func reply(toHead: Bool = false) throws -> Reply {
        let separator = Array("\r\n\r\n".utf8)
        var end: Int?
        while end == nil {
            end = buffer.indices.first { buffer[$0...].starts(with: separator) }
            if end == nil, !fill() { throw Failure(description: "the connection ended after \(buffer.count) bytes") }
        }
        let lines = String(decoding: buffer[..<end!], as: UTF8.self).components(separatedBy: "\r\n")
        buffer.removeFirst(end! + 4)
        let fields = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: parts[0].lowercased(), value: parts[1].trimmingCharacters(in: .whitespaces))
        }
        var reply = Reply(status: Int(lines[0].split(separator: " ")[1]) ?? 0, fields: fields, body: [])
        if reply.status == 100 || reply.status == 204 || toHead { return reply }
        let count = Int(reply["content-length"] ?? "") ?? 0
        while buffer.count < count {
            if !fill() { throw Failure(description: "the body ended after \(buffer.count) of \(count) bytes") }
        }
        reply.body = Array(buffer[..<count])
        buffer.removeFirst(count)
        return reply
    }

    /// Sends a request with well-formed fields and reads the reply.
    func send(
        _ method: String,
        _ target: String,
        fields: [String] = [],
        host: String = "d",
        body: [UInt8]? = nil
    ) throws -> Reply {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n"
        for field in fields { head += field + "\r\n" }
        if let body { head += "Content-Length: \(body.count)\r\n" }
        write(Array((head + "\r\n").utf8) + (body ?? []))
        return try reply(toHead: method == "HEAD")
    }
}
