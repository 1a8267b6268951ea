import Foundation
import Glibc
import Platform

/// A scripted HTTP server on a loopback port: one request a connection, answered in steps.
final class FileServer: Sendable {
    enum Step: Sendable {
        case send([UInt8])
        /// Seconds, or less where the client has gone.
        case pause(Double)

        static func text(_ text: String) -> Step { .send(Array(text.utf8)) }
    }

    let port: UInt16
    private let listener: Int32
    private let received: Received
    private let thread: WorkerThread

    private final class Received: Sendable {
        let heads = Monitor<[String]>([])
    }

    /// Listens. `script` makes the reply to a request's head; the connection is closed after its last step.
    init(_ script: @escaping @Sendable (String) -> [Step]) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let works = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard works else { throw SystemError.last("listen on loopback") }
        let received = Received()
        self.received = received
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        thread = try WorkerThread(name: "file server") {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                defer { close(connection) }
                guard let head = Self.readHead(connection) else { continue }
                received.heads.withLockNotifyingAll { $0.append(head) }
                for step in script(head) where !Self.take(step, connection) { break }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        thread.join()
        close(listener)
    }

    /// Serves `content` as file servers do: whole, or the range asked for.
    static func file(_ content: [UInt8]) throws -> FileServer {
        try FileServer { head in
            guard let start = rangeStart(head) else { return [.text(Self.head(200, content.count)), .send(content)] }
            guard start < content.count else { return [.text(Self.head(416, 0))] }
            let range = "Content-Range: bytes \(start)-\(content.count - 1)/\(content.count)"
            return [.text(Self.head(206, content.count - start, range)), .send(Array(content[start...]))]
        }
    }

    static func head(_ status: Int, _ length: Int, _ field: String? = nil) -> String {
        "HTTP/1.1 \(status) Whatever\r\nContent-Length: \(length)\r\n\(field.map { "\($0)\r\n" } ?? "")\r\n"
    }

    static func rangeStart(_ head: String) -> Int? {
        let name = "Range: bytes="
        let field = head.split(separator: "\r\n").first { $0.hasPrefix(name) }
        return field.flatMap { Int($0.dropFirst(name.count).prefix { $0.isNumber }) }
    }

    var address: String { "http://127.0.0.1:\(port)/w.safetensors" }
    /// Heads of the requests so far.
    var requests: [String] { received.heads.withLock { $0 } }

    private static func readHead(_ connection: Int32) -> String? {
        var bytes: [UInt8] = []
        while bytes.firstRange(of: Array("\r\n\r\n".utf8)) == nil {
            var piece = [UInt8](repeating: 0, count: 4096)
            let count = recv(connection, &piece, piece.count, 0)
            guard count > 0 else { return nil }
            bytes += piece[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// False when the client has gone.
    private static func take(_ step: Step, _ connection: Int32) -> Bool {
        switch step {
        case .pause(let seconds):
            var entry = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
            return poll(&entry, 1, Int32(seconds * 1000)) == 0
        case .send(let bytes):
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes {
                    send(connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }
}
