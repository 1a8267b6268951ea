internal import Glibc
internal import Platform
internal import Wire

/// One accepted connection: its peer, the request it works on, and the moment at which it is cut.
///
/// The library gives each connection a thread; the timeout reaper looks at it from another.
final class Connection: @unchecked Sendable {
    // `@unchecked`: `exchange` is touched by the connection's own thread only; the rest is constant or behind a mutex.

    private struct Deadline {
        var instant: Instant?
        /// What the client is told when the time is over; nil where a reply may be on its way already.
        var reply: Problem?
        var isCut = false
        /// No request has begun.
        var isIdle = true
    }

    let socket: Int32
    let peer: Peer
    /// Why every request of this connection is refused; nil for a connection within the limits.
    let refusal: Problem?
    /// The request at work.
    var exchange: Exchange?
    private let deadline: Monitor<Deadline>

    init(socket: Int32, peer: Peer, refusal: Problem?, firstHeaderWithin seconds: Double) {
        self.socket = socket
        self.peer = peer
        self.refusal = refusal
        let late = Problem(.timeout, status: 408, "no complete request came within \(seconds) s")
        deadline = Monitor(Deadline(instant: .now + seconds, reply: late))
    }

    /// Begins the next stretch of the connection's life, which may take `seconds`, or any time when nil.
    ///
    /// - Returns: false when the connection was cut before.
    @discardableResult
    func allow(_ seconds: Double?, late reply: Problem? = nil, isIdle: Bool = false) -> Bool {
        let instant = seconds.map { Instant.now + $0 }
        return deadline.withLockNotifyingAll {
            guard !$0.isCut else { return false }
            $0.instant = instant
            $0.reply = reply
            $0.isIdle = isIdle
            return true
        }
    }

    /// Cuts the connection if it waits for a request. The socket must be open.
    func cutIfIdle() { deadline.withLockNotifyingAll { if !$0.isCut, $0.isIdle { cut(&$0, telling: nil) } } }

    /// Cuts the connection if its time is over. The socket must be open.
    ///
    /// - Returns: whether it was cut now.
    func cutIfLate(_ now: Instant) -> Bool {
        deadline.withLockNotifyingAll {
            guard !$0.isCut, let instant = $0.instant, instant <= now else { return false }
            cut(&$0, telling: $0.reply)
            return true
        }
    }

    /// Ends the connection now. `problem` is sent only while no reply can be on its way. The socket must be open.
    func cut(telling problem: Problem?) {
        deadline.withLockNotifyingAll { if !$0.isCut { cut(&$0, telling: problem) } }
    }

    private func cut(_ deadline: inout Deadline, telling problem: Problem?) {
        deadline.isCut = true
        if let problem {
            let bytes = Response(problem).rawBytes
            // Never blocks: a client that does not read loses the explanation.
            let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
            _ = bytes.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, flags) }
        }
        // The library's thread wakes from `poll`, finds the connection ended and closes it.
        shutdown(socket, Int32(SHUT_RDWR))
    }
}
