import Foundation
import Glibc
import Platform
import TestSupport

@testable import Client

/// A scripted server on a Unix socket: answers each connection's one request with the bytes that the script gives.
final class FakeDaemon: Sendable {
    struct Request: Equatable {
        var line = ""
        var fields: [String: String] = [:]
        var body: [UInt8] = []

        /// The method and the path with its query.
        var target: String { line.split(separator: " ").prefix(2).joined(separator: " ") }
    }

    let path: String
    private let directory: TemporaryDirectory
    private let listener: Int32
    private let received: Received
    private let thread: WorkerThread

    private final class Received: Sendable {
        let requests = Monitor<[Request]>([])
    }

    /// Listens. With `readsBody` false, it answers and closes as soon as it has a request's head. `script` makes the raw reply to a request, an empty one only closes the connection.
    init(readsBody: Bool = true, _ script: @escaping @Sendable (Request) -> [UInt8]) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/s"
        let received = Received()
        let listener = try Self.listen(on: path, backlog: 16)
        self.directory = directory
        self.path = path
        self.received = received
        self.listener = listener
        thread = try WorkerThread(name: "fake daemon") {
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                Self.serve(connection, readsBody) { request in
                    received.requests.withLockNotifyingAll { $0.append(request) }
                    return script(request)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        thread.join()
        close(listener)
    }

    /// A listening socket that nobody accepts from.
    static func listen(on path: String, backlog: Int32) throws -> Int32 {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard withAddress(path, { bind(listener, $0, $1) }) == 0, Glibc.listen(listener, backlog) == 0 else {
            throw SystemError.last("bind \(path)")
        }
        return listener
    }

    static func connect(to path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard withAddress(path, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
            throw SystemError.last("connect to \(path)")
        }
        return descriptor
    }

    private static func withAddress<R>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    var requests: [Request] { received.requests.withLock { $0 } }

    private static func serve(_ connection: Int32, _ readsBody: Bool, _ script: (Request) -> [UInt8]) {
        defer { close(connection) }
        var bytes: [UInt8] = []
        var request = Request()
        let end = Array("\r\n\r\n".utf8)
        var headLength: Int?
        while true {
            if headLength == nil, let range = bytes.firstRange(of: end) {
                headLength = range.upperBound
                let lines = String(decoding: bytes[..<range.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                request.line = lines[0]
                for line in lines.dropFirst() {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    request.fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
                }
                if !readsBody { break }
                if request.fields["expect"] == "100-continue" {
                    write(connection, Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
                }
            }
            if let headLength, bytes.count - headLength >= Int(request.fields["content-length"] ?? "0") ?? 0 {
                request.body = Array(bytes[headLength...])
                break
            }
            var piece = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &piece, piece.count, 0)
            guard count > 0 else { return }
            bytes += piece[..<count]
        }
        write(connection, script(request))
    }

    private static func write(_ connection: Int32, _ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// A whole reply with a length.
    static func reply(_ status: Int, _ body: String, type: String = "application/json") -> [UInt8] {
        let head = "HTTP/1.1 \(status) Whatever\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        return Array((head + body).utf8)
    }

    /// A whole reply with a value as its body.
    static func reply(_ value: some Encodable) -> [UInt8] {
        reply(200, String(decoding: try! JSONEncoder().encode(value), as: UTF8.self))
    }
}

/// What a command printed and how it ended.
struct CommandRun {
    let exitCode: ExitCode
    let output: String
    let outputBytes: [UInt8]
    let errors: String

    /// Runs one command line against `socket`.
    init(
        _ arguments: [String],
        socket: String,
        environment: [String: String] = [:],
        drawsProgress: Bool = false,
        hasColor: Bool = false,
        isInteractive: Bool = false
    ) {
        let printed = Monitor((output: [UInt8](), errors: [UInt8]()))
        let terminal = Terminal(
            hasColor: hasColor,
            drawsProgress: drawsProgress,
            isInteractive: isInteractive
        ) { stream, bytes in
            printed.withLockNotifyingAll { if stream == .output { $0.output += bytes } else { $0.errors += bytes } }
        }
        exitCode = CommandLineClient.run(
            arguments: arguments,
            environment: environment.merging(["LIKENESS_SOCKET": socket]) { $1 },
            terminal: terminal
        )
        let (output, errors) = printed.withLock { $0 }
        outputBytes = output
        self.output = String(decoding: output, as: UTF8.self)
        self.errors = String(decoding: errors, as: UTF8.self)
    }
}
