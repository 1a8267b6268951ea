internal import CTransfer

/// One request for a file, or for the rest of it, by libcurl.
struct Transfer {
    /// Why a transfer ended early, apart from what the receiver found; `reason` is the library's own.
    enum Failure: Error, Equatable {
        case unreachable(reason: String)
        case untrusted(reason: String)
        case misdirected(reason: String)
        case stalled
        case broken(reason: String)
    }

    let address: SourceAddress
    /// Seconds to be connected.
    var connectSeconds = 30
    /// Seconds without any byte until the other side is given up.
    var stallSeconds = 30

    private static let redirectLimit = 5

    /// Asks for the bytes from `offset` on and hands them to `receive` as they come, with the head of their reply.
    ///
    /// - Parameters:
    ///   - offset: above 0, a range is asked for; the reply's head says whether it was given.
    ///   - receive: what it throws ends the transfer and is thrown on.
    /// - Returns: the head of the last reply, also when it had no body.
    /// - Throws: `Failure`, or what `receive` throws.
    func run(from offset: UInt64, _ receive: @escaping (ReplyHead, [UInt8]) throws -> Void) throws -> ReplyHead {
        let receiver = Receiver(receive)
        var message = [CChar](repeating: 0, count: Int(CTRANSFER_MESSAGE_BYTE_COUNT))
        let outcome = unsafe address.text.withCString { text in
            let request = unsafe CTransfer_request(
                address: text,
                allows_http: address.isLoopback ? 1 : 0,
                offset: offset,
                connect_seconds: connectSeconds,
                stall_seconds: stallSeconds,
                redirect_limit: Self.redirectLimit
            )
            let callbacks = unsafe Receiver.callbacks(for: receiver)
            // SAFETY: all three are read and written during the call only; `receiver` is kept until after it.
            return withExtendedLifetime(receiver) {
                unsafe withUnsafePointer(to: request) { request in
                    unsafe withUnsafePointer(to: callbacks) { callbacks in
                        unsafe CTransfer_run(request, callbacks, &message)
                    }
                }
            }
        }
        if let failure = receiver.failure { throw failure }
        let reason = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        switch outcome {
        case CTransfer_ended: return receiver.head
        case CTransfer_unreachable: throw Failure.unreachable(reason: reason)
        case CTransfer_untrusted: throw Failure.untrusted(reason: reason)
        case CTransfer_misdirected: throw Failure.misdirected(reason: reason)
        case CTransfer_stalled: throw Failure.stalled
        default: throw Failure.broken(reason: reason)
        }
    }
}

/// Where the callbacks of one transfer end; used by one thread.
private final class Receiver {
    private(set) var head = ReplyHead()
    private(set) var failure: (any Error)?
    private let receive: (ReplyHead, [UInt8]) throws -> Void

    init(_ receive: @escaping (ReplyHead, [UInt8]) throws -> Void) { self.receive = receive }

    /// Callbacks that hold `receiver` unowned.
    static func callbacks(for receiver: Receiver) -> CTransfer_callbacks {
        unsafe CTransfer_callbacks(
            // SAFETY: the caller keeps the receiver alive as long as the callbacks are used.
            context: Unmanaged.passUnretained(receiver).toOpaque(),
            header: { context, line, count in
                // SAFETY: `context` is the receiver of above; `count` bytes are there during the call.
                let bytes = unsafe UnsafeRawBufferPointer(start: line, count: count)
                unsafe Receiver.from(context).head.take(String(decoding: bytes, as: UTF8.self))
            },
            data: { context, bytes, count in
                // SAFETY: as above.
                let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
                return unsafe Receiver.from(context).take(bytes) ? 1 : 0
            }
        )
    }

    private static func from(_ context: UnsafeMutableRawPointer) -> Receiver {
        // SAFETY: only `callbacks(for:)` makes contexts.
        unsafe Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
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
}
