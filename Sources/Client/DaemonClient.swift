internal import Foundation
internal import Glibc
internal import Platform

/// Asks the daemon: one connection a request, JSON out and in.
struct DaemonClient {
    /// Sockets to try, in order; the first that accepts is asked.
    let sockets: [String]
    /// Seconds within which the daemon must accept a connection.
    var connectTimeout = 10.0

    /// The reply's body for a status of 200...299.
    ///
    /// - Throws: `ClientError`: `noDaemon` when nobody listens, `refused` when the kernel or the daemon says no,
    ///   `noResult` for 404, `failed` otherwise.
    @discardableResult
    func send(_ request: HTTPRequest) throws -> [UInt8] {
        let reply = try exchange(request)
        guard (200..<300).contains(reply.status) else { throw ClientError(status: reply.status, body: reply.body) }
        return reply.body
    }

    /// Decodes the reply to a `GET`.
    func get<Reply: Decodable>(_ path: String, _ query: [(name: String, value: String)] = []) throws -> Reply {
        try Self.decode(try send(HTTPRequest(method: "GET", path: path, query: query)))
    }

    static func decode<Reply: Decodable>(_ body: [UInt8]) throws -> Reply {
        do {
            return try JSONDecoder().decode(Reply.self, from: Data(body))
        } catch {
            throw ClientError.malformedReply("\(Reply.self): \(error)")
        }
    }

    static func json(_ value: some Encodable) throws -> HTTPRequest.Body {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return .bytes([UInt8](try encoder.encode(value)), type: "application/json")
    }

    /// Any final reply.
    func exchange(_ request: HTTPRequest) throws -> HTTPReply {
        let stream = try connect()
        return try explaining(stream.path) { try exchange(request, over: stream) }
    }

    /// Hands on the body of a reply of status 200 as it comes, whatever its length.
    ///
    /// - Parameters:
    ///   - request: without a body of a file; its timeout is that of each piece.
    ///   - body: is called with each piece.
    /// - Throws: as `send`; also when the body breaks off, and what `body` throws.
    func stream(_ request: HTTPRequest, _ body: ([UInt8]) throws -> Void) throws {
        let stream = try connect()
        let reply = try explaining(stream.path) {
            try stream.send(request.head(bodyByteCount: nil), until: .now + request.timeout)
            var reader = HTTPReplyReader(isStream: true)
            while true {
                let reply = try reader.take(try stream.receive(until: .now + request.timeout))
                let piece = reader.takeBody()
                if !piece.isEmpty { try body(piece) }
                if let reply { return reply }
            }
        }
        guard reply.status == 200 else { throw ClientError(status: reply.status, body: reply.body) }
    }

    private func explaining<R>(_ socket: String, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as SystemError where error.code == ETIMEDOUT {
            throw ClientError(
                .failed,
                kind: "timeout",
                "the daemon at \(socket) did not answer in time",
                fix: "look at its log: journalctl -u likeness, or likenessd.log in its state folder"
            )
        } catch let error as SystemError {
            throw ClientError.failed("the daemon at \(socket) broke the connection: \(error.reason)")
        }
    }

    // MARK: - One exchange

    private func exchange(_ request: HTTPRequest, over stream: borrowing UnixStream) throws -> HTTPReply {
        let deadline = Instant.now + request.timeout
        switch request.body {
        case .none:
            try stream.send(request.head(bodyByteCount: nil), until: deadline)
        case .bytes(let bytes, _):
            try stream.send(request.head(bodyByteCount: bytes.count), until: deadline)
            try ignoringClosedPeer { try stream.send(bytes, until: deadline) }
        case .file(let path, _):
            let byteCount = try LocalFile.byteCount(of: path)
            try stream.send(request.head(bodyByteCount: byteCount), until: deadline)
            return try exchangeFile(path, byteCount: byteCount, request: request, over: stream)
        }
        return try readReply(from: stream, until: deadline)
    }

    /// Sends a file after the daemon asked for it, or after it said nothing for a second (RFC 9110 section 10.1.1).
    private func exchangeFile(
        _ path: String,
        byteCount: Int,
        request: HTTPRequest,
        over stream: borrowing UnixStream
    ) throws -> HTTPReply {
        if stream.isReadable(until: .now + 1) {
            let reply = try readReply(from: stream, until: .now + request.timeout, orContinue: true)
            if reply.status != 100 { return reply }
        }
        var left = byteCount
        try ignoringClosedPeer {
            try LocalFile.forEachPiece(of: path) { piece in
                left -= piece.count
                guard left >= 0 else { throw ClientError.failed("\(path) grew while it was sent") }
                try stream.send(piece, until: .now + 60)
            }
        }
        return try readReply(from: stream, until: .now + request.timeout)
    }

    /// A daemon that refuses a body may answer and close before it has read it all: then its reply says more than EPIPE.
    private func ignoringClosedPeer(_ send: () throws -> Void) throws {
        do {
            try send()
        } catch let error as SystemError where error.code == EPIPE || error.code == ECONNRESET {
            return
        }
    }

    private func readReply(
        from stream: borrowing UnixStream,
        until deadline: Instant,
        orContinue: Bool = false
    ) throws -> HTTPReply {
        var reader = HTTPReplyReader(stopsAtContinue: orContinue)
        while true {
            if let reply = try reader.take(try stream.receive(until: deadline)) { return reply }
        }
    }

    // MARK: - Connecting

    private func connect() throws -> UnixStream {
        var refusal: ClientError?
        for path in sockets {
            do throws(SystemError) {
                return try UnixStream.connect(to: path, until: .now + connectTimeout)
            } catch {
                refusal = refusal ?? Self.refusal(of: error, path: path)
            }
        }
        throw refusal ?? noDaemon
    }

    /// What a failed `connect` means; nil when simply nobody listens there.
    static func refusal(of error: SystemError, path: String) -> ClientError? {
        switch error.code {
        case ENOENT, ECONNREFUSED, ENOTDIR: nil
        case EACCES, EPERM:
            ClientError(
                .refused,
                kind: "socket-permission",
                "no permission for \(path)",
                fix: "join the group `likeness`: sudo usermod -aG likeness $USER, then log in again"
            )
        case EAGAIN:
            ClientError.failed("the daemon at \(path) accepts no connection", fix: "try again in a moment")
        default: ClientError.failed("cannot connect to \(path): \(error.reason)")
        }
    }

    private var noDaemon: ClientError {
        ClientError(
            .noDaemon,
            kind: "no-daemon",
            "no daemon listens on \(sockets.joined(separator: " or "))",
            fix: "start it: sudo systemctl start likeness.socket, or systemd/install.sh --no-service FOLDER; "
                + "another place: --socket PATH"
        )
    }
}
