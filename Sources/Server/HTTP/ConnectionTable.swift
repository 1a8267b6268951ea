internal import Platform
internal import Wire

/// The connection table: admits connections, counts them, and cuts those whose time is over.
final class ConnectionTable: Sendable {
    private struct State {
        var connections: [ObjectIdentifier: Connection] = [:]
        var perUser: [UInt32: Int] = [:]
        var isFinished = false
    }

    private let limits: ServerLimits
    private let metrics: ServerMetrics
    private let state = Monitor(State())

    init(limits: ServerLimits, metrics: ServerMetrics) {
        self.limits = limits
        self.metrics = metrics
    }

    var count: Int { state.withLock { $0.connections.count } }

    /// Enters a new connection.
    ///
    /// One above the limits is told so politely in reply to its first request; a user with twice their share is cut at
    /// once, so that nobody can take all the connections that the library has.
    func open(socket: Int32, peer: Peer) -> Connection {
        let connection = state.withLockNotifyingAll { state -> Connection in
            var count = 0
            if case .user(let id) = peer {
                count = state.perUser[id, default: 0] + 1
                state.perUser[id] = count
            }
            let refusal: Problem? =
                if count > limits.connectionCountPerUser {
                    Problem(
                        .overloaded,
                        "this user has \(limits.connectionCountPerUser) connections already",
                        retryAfter: 1
                    )
                } else if state.connections.count >= limits.connectionCount {
                    Problem(.overloaded, "\(limits.connectionCount) connections are open already", retryAfter: 1)
                } else {
                    nil
                }
            let connection = Connection(
                socket: socket,
                peer: peer,
                refusal: refusal,
                firstHeaderWithin: limits.headerSeconds
            )
            state.connections[ObjectIdentifier(connection)] = connection
            if count > 2 * limits.connectionCountPerUser { connection.cut(telling: refusal) }
            return connection
        }
        metrics.connectionOpened(isRefused: connection.refusal != nil)
        return connection
    }

    /// Forgets a connection; its socket may be closed after this has returned.
    func close(_ connection: Connection) {
        state.withLockNotifyingAll { state in
            state.connections[ObjectIdentifier(connection)] = nil
            guard case .user(let id) = connection.peer, let count = state.perUser[id] else { return }
            state.perUser[id] = count > 1 ? count - 1 : nil
        }
    }

    /// The timeout reaper: cuts late connections until `finish`. Sleeps while there are none.
    func reapTimeouts() {
        while true {
            let goesOn = state.wait { state -> Bool? in
                if state.isFinished { return false }
                return state.connections.isEmpty ? nil : true
            }
            guard goesOn == true else { return }
            let next = Instant.now + limits.reaperSeconds
            // Under the lock no connection can leave the table, so every socket is still the one it was.
            let cutCount = state.withLock { state in
                let now = Instant.now
                return state.connections.values.count { $0.cutIfLate(now) }
            }
            if cutCount > 0 { metrics.connectionsCut(cutCount) }
            _ = state.wait(until: next) { $0.isFinished ? true : nil }
        }
    }

    /// Ends the timeout reaper.
    func finish() { state.withLockNotifyingAll { $0.isFinished = true } }

    /// Waits until no connection is open.
    ///
    /// - Returns: false when some are still open at the deadline.
    func waitUntilEmpty(until deadline: Instant) -> Bool {
        state.wait(until: deadline) { $0.connections.isEmpty ? true : nil } ?? false
    }

    /// Cuts all connections that wait for a request, or all there are.
    func cutAll(onlyIdle: Bool) {
        state.withLock { state in
            for connection in state.connections.values {
                if onlyIdle { connection.cutIfIdle() } else { connection.cut(telling: nil) }
            }
        }
    }
}
