internal import Foundation
internal import Glibc
internal import Platform

/// The HTTP client of the daemon: one connection for each request, JSON in both directions.
struct DaemonClient {
    /// Sockets to try, in order; the first that accepts is asked.
    let sockets: [String]
    /// Seconds within which the daemon must accept a connection.
    var connectTimeout = 10

    /// Most bytes of a reply that is taken as a whole.
    static let maximumBodyByteCount = 100 << 20

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
        } catch let error as DecodingError {
            throw ClientError.malformedReply("\(Reply.self): \(error.reason)")
        }
    }

    static func json(_ value: some Encodable) throws -> HTTPRequest.Body {
        .bytes(try encode(value), type: "application/json")
    }

    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        return [UInt8](try encoder.encode(value))
    }

    /// Any final reply.
    func exchange(_ request: HTTPRequest) throws -> HTTPReply {
        var body: [UInt8] = []
        let status = try run(request) { _, piece in try Self.append(piece, to: &body) }
        return HTTPReply(status: status, body: body)
    }

    /// Hands on the body of a reply of status 200 as it comes, whatever its length.
    ///
    /// - Parameters:
    ///   - request: its timeout is that of each piece.
    ///   - body: is called with each piece.
    /// - Throws: as `send`; also when the body breaks off, and what `body` throws.
    func stream(_ request: HTTPRequest, _ body: ([UInt8]) throws -> Void) throws {
        var refusal: [UInt8] = []
        let status = try run(request) { status, piece in
            if status == 200 { try body(piece) } else { try Self.append(piece, to: &refusal) }
        }
        guard status == 200 else { throw ClientError(status: status, body: refusal) }
    }

    private static func append(_ piece: [UInt8], to body: inout [UInt8]) throws {
        guard piece.count <= maximumBodyByteCount - body.count else {
            throw ClientError.malformedReply("its body is larger than \(maximumBodyByteCount >> 20) MB")
        }
        body += piece
    }

    // MARK: - One exchange

    /// Asks the first socket that accepts.
    ///
    /// - Parameters:
    ///   - request: what is asked.
    ///   - receive: takes the reply's status and the next piece of its body.
    /// - Returns: the reply's status.
    /// - Throws: `ClientError`, and what `receive` throws.
    private func run(_ request: HTTPRequest, _ receive: (Int, [UInt8]) throws -> Void) throws -> Int {
        var refusal: ClientError?
        for socket in sockets {
            do {
                return try run(request, on: socket, receive)
            } catch Transfer.Failure.unreachable(let code, _) {
                refusal = refusal ?? Self.refusal(of: SystemError(code: code, operation: "connect"), path: socket)
            } catch let failure as Transfer.Failure {
                throw Self.error(of: failure, socket)
            }
        }
        throw refusal ?? noDaemon
    }

    private func run(
        _ request: HTTPRequest,
        on socket: String,
        _ receive: (Int, [UInt8]) throws -> Void
    ) throws -> Int {
        var hasReceived = false
        func attempt() throws -> Int {
            let transfer = Transfer(
                destination: .socket(socket),
                method: request.method,
                target: request.target,
                body: try request.openBody(),
                connectSeconds: connectTimeout,
                stallSeconds: request.timeout
            )
            let head = try transfer.run { head, piece in
                try Self.check(head)
                hasReceived = true
                try receive(head.status, piece)
            }
            try Self.check(head)
            return head.status
        }
        // A daemon that closes before it has read the request has not acted on it, and its reply may be lost with the
        // connection: the second attempt gets it.
        do { return try attempt() } catch Transfer.Failure.unsent(let reason) where !hasReceived {
            // This daemon has accepted once: if it is gone now, no other one is asked in its place.
            do { return try attempt() } catch Transfer.Failure.unreachable {
                throw Transfer.Failure.unsent(reason: reason)
            }
        }
    }

    private static func check(_ head: ReplyHead) throws {
        guard head.saysWhereBodyEnds else { throw ClientError.malformedReply("its body has no length") }
    }

    // MARK: - Errors

    private static func error(of failure: Transfer.Failure, _ socket: String) -> ClientError {
        switch failure {
        case .stalled:
            ClientError(
                .failed,
                kind: "timeout",
                "the daemon at \(socket) did not answer in time",
                fix: "look at its log: journalctl -u likeness, or likenessd.log in its state folder"
            )
        case .malformed(let reason): ClientError.malformedReply(reason)
        case .unreachable(_, let reason), .untrusted(let reason), .misdirected(let reason), .unsent(let reason),
            .broken(let reason):
            ClientError.failed("the daemon at \(socket) broke the connection: \(reason)")
        }
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
