internal import CTransfer

/// One HTTP exchange by libcurl: a request to the daemon's Unix socket, or a download.
struct Transfer {
    /// Why an exchange ended early, apart from what a callback threw; `reason` is the library's own.
    enum Failure: Error, Equatable {
        /// `systemError` is the `errno` of a Unix socket, else 0.
        case unreachable(systemError: Int32, reason: String)
        case untrusted(reason: String)
        case misdirected(reason: String)
        case stalled
        /// The other side closed before it had read the request.
        case unsent(reason: String)
        case malformed(reason: String)
        case broken(reason: String)
    }

    /// Where a request goes.
    enum Destination: Equatable {
        case socket(String)
        case network(SourceAddress)
    }

    /// A request's body, read piece by piece.
    struct Body {
        let byteCount: UInt64
        let type: String?
        /// The next bytes, as many as it is given or fewer, at least one before the end.
        let next: (Int) throws -> [UInt8]
    }

    let destination: Destination
    var method = "GET"
    /// Path and query, encoded, of a request to a socket.
    var target = "/"
    var body: Body?
    /// Above 0: the first byte wanted of a download. The reply's head says whether it was given.
    var offset: UInt64 = 0
    /// Seconds to be connected.
    var connectSeconds = 30
    /// Seconds without any byte until the other side is given up.
    var stallSeconds = 30

    static let maximumHeadByteCount = 64 << 10
    private static let redirectLimit = 5

    /// Sends the request and hands the reply's body to `receive` as it comes, with its head.
    ///
    /// - Parameter receive: what it throws ends the exchange and is thrown on.
    /// - Returns: the head of the last reply, also when it had no body.
    /// - Throws: `Failure`, or what `receive` or the body's `next` throws.
    func run(_ receive: (ReplyHead, [UInt8]) throws -> Void) throws -> ReplyHead {
        try withoutActuallyEscaping(receive) { receive in
            let exchange = Exchange(body: body, receive)
            return try withExtendedLifetime(exchange) { try run(exchange) }
        }
    }

    private func run(_ exchange: Exchange) throws -> ReplyHead {
        let (address, socket, allowsHTTP): (String, String?, Bool)
        switch destination {
        // The host is the value of the field `Host` and nothing else.
        case .socket(let path): (address, socket, allowsHTTP) = ("http://likeness\(target)", path, true)
        case .network(let source): (address, socket, allowsHTTP) = (source.text, nil, source.isLoopback)
        }
        var message = [CChar](repeating: 0, count: Int(CTRANSFER_MESSAGE_BYTE_COUNT))
        var systemError: Int32 = 0
        let outcome = unsafe Self.withCStrings(method, address, socket, body?.type) { method, address, socket, type in
            unsafe Self.withCString(socket == nil ? nil : "application/json") { accepted in
                let request = unsafe CTransfer_request(
                    method: method,
                    address: address,
                    socket_path: socket,
                    allows_http: allowsHTTP ? 1 : 0,
                    accepted_type: accepted,
                    offset: offset,
                    body_byte_count: body.map { Int64(clamping: $0.byteCount) } ?? -1,
                    body_type: type,
                    connect_seconds: connectSeconds,
                    stall_seconds: stallSeconds,
                    redirect_limit: socket == nil ? Self.redirectLimit : 0
                )
                let callbacks = unsafe Exchange.callbacks(for: exchange)
                // SAFETY: all of it is read and written during the call only; the caller keeps `exchange` alive.
                return unsafe withUnsafePointer(to: request) { request in
                    unsafe withUnsafePointer(to: callbacks) { callbacks in
                        unsafe CTransfer_run(request, callbacks, &systemError, &message)
                    }
                }
            }
        }
        if let failure = exchange.failure { throw failure }
        let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        switch outcome {
        case CTransfer_ended: return exchange.head
        case CTransfer_unreachable: throw Failure.unreachable(systemError: systemError, reason: reason)
        case CTransfer_untrusted: throw Failure.untrusted(reason: reason)
        case CTransfer_misdirected: throw Failure.misdirected(reason: reason)
        case CTransfer_stalled: throw Failure.stalled
        case CTransfer_unsent: throw Failure.unsent(reason: reason)
        case CTransfer_malformed: throw Failure.malformed(reason: reason)
        default: throw Failure.broken(reason: reason)
        }
    }

    private static func withCString<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
        guard let text else { return body(nil) }
        return unsafe text.withCString { unsafe body($0) }
    }

    /// The pointers are good during the call of `body`.
    private static func withCStrings<R>(
        _ a: String,
        _ b: String,
        _ c: String?,
        _ d: String?,
        _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> R
    ) -> R {
        unsafe a.withCString { a in
            unsafe b.withCString { b in
                unsafe withCString(c) { c in unsafe withCString(d) { d in unsafe body(a, b, c, d) } }
            }
        }
    }
}

/// Where the callbacks of one exchange end; used by one thread.
private final class Exchange {
    private(set) var head = ReplyHead()
    private(set) var failure: (any Error)?
    private var headByteCount = 0
    private let body: Transfer.Body?
    private let receive: (ReplyHead, [UInt8]) throws -> Void

    init(body: Transfer.Body?, _ receive: @escaping (ReplyHead, [UInt8]) throws -> Void) {
        self.body = body
        self.receive = receive
    }

    /// Callbacks that hold `exchange` unowned.
    static func callbacks(for exchange: Exchange) -> CTransfer_callbacks {
        unsafe CTransfer_callbacks(
            // SAFETY: the caller keeps the exchange alive as long as the callbacks are used.
            context: Unmanaged.passUnretained(exchange).toOpaque(),
            header: { context, line, count in
                // SAFETY: `context` is the exchange of above; `count` bytes are there during the call.
                let bytes = unsafe UnsafeRawBufferPointer(start: line, count: count)
                return unsafe Exchange.from(context).takeLine(String(decoding: bytes, as: UTF8.self)) ? 1 : 0
            },
            data: { context, bytes, count in
                // SAFETY: as above.
                let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
                return unsafe Exchange.from(context).take(bytes) ? 1 : 0
            },
            body: { context, bytes, limit in
                // SAFETY: as above, and `limit` bytes may be written.
                let buffer = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: limit)
                return unsafe Exchange.from(context).fill(buffer)
            }
        )
    }

    private static func from(_ context: UnsafeMutableRawPointer) -> Exchange {
        // SAFETY: only `callbacks(for:)` makes contexts.
        unsafe Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
    }

    private func takeLine(_ line: String) -> Bool {
        // Each reply has a head: redirects and interim replies come before the last one.
        if line.hasPrefix("HTTP/") { headByteCount = 0 }
        headByteCount += line.utf8.count
        guard headByteCount <= Transfer.maximumHeadByteCount else {
            failure = Transfer.Failure.malformed(
                reason: "the head is larger than \(Transfer.maximumHeadByteCount >> 10) kB"
            )
            return false
        }
        head.take(line)
        return true
    }

    private func take(_ bytes: [UInt8]) -> Bool {
        do {
            try receive(head, bytes)
            return true
        } catch {
            failure = error
            return false
        }
    }

    /// Below 0 for an error.
    private func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        do {
            let bytes = try body?.next(buffer.count) ?? []
            precondition(bytes.count <= buffer.count, "\(bytes.count) bytes for \(buffer.count)")
            // SAFETY: the bytes fit, as was just checked.
            unsafe buffer.copyBytes(from: bytes)
            return bytes.count
        } catch {
            failure = error
            return -1
        }
    }
}
