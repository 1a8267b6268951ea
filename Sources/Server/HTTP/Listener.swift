internal import CServer
internal import Platform

/// One listening socket with the library's threads behind it: its callbacks lead to `Connection` and `Exchange`.
final class Listener: @unchecked Sendable {
    // `@unchecked`: the pointers are constant; the library may be told to quiesce and to stop from any thread.

    /// What the library's callbacks are given.
    private final class Context: Sendable {
        let service: Service
        let table: ConnectionTable
        let policy: AccessPolicy
        let findPeer: @Sendable (Int32) -> Peer

        init(
            service: Service,
            table: ConnectionTable,
            policy: AccessPolicy,
            findPeer: @escaping @Sendable (Int32) -> Peer
        ) {
            self.service = service
            self.table = table
            self.policy = policy
            self.findPeer = findPeer
        }
    }

    let socket: ListeningSocket
    private let context: Context
    private let callbacks: UnsafeMutablePointer<CServer_callbacks>
    private let daemon: OpaquePointer

    /// Starts to accept.
    init(
        socket: ListeningSocket,
        service: Service,
        table: ConnectionTable,
        policy: AccessPolicy,
        findPeer: @escaping @Sendable (Int32) -> Peer
    ) throws(ServerError) {
        let context = Context(service: service, table: table, policy: policy, findPeer: findPeer)
        let callbacks = UnsafeMutablePointer<CServer_callbacks>.allocate(capacity: 1)
        // SAFETY: context and callbacks live until `stop` has returned, and with it every call of a callback.
        callbacks.initialize(to: Self.callbacks(context: Unmanaged.passUnretained(context).toOpaque()))
        var options = CServer_options(
            socket: socket.rawValue,
            connection_limit: UInt32(service.limits.libraryConnectionCount),
            stack_byte_count: service.limits.threadStackByteCount,
            // Headers up to four times the limit get a reply in our own form; the rest buffers bodies.
            connection_byte_count: 4 * service.limits.headerByteCount
        )
        guard let daemon = CServer_start(&options, callbacks) else {
            callbacks.deallocate()
            throw .library(listener: socket.name)
        }
        self.socket = socket
        self.context = context
        self.callbacks = callbacks
        self.daemon = daemon
    }

    deinit { callbacks.deallocate() }

    /// Accepts nothing more; connections go on.
    func quiesce() { CServer_quiesce(daemon) }

    /// Ends every connection, waiting for handlers at work. Called once, after `quiesce`.
    func stop() { CServer_stop(daemon) }

    private static func callbacks(context: UnsafeMutableRawPointer) -> CServer_callbacks {
        CServer_callbacks(
            context: context,
            opened: { context, socket in
                let context = Unmanaged<Context>.fromOpaque(context).takeUnretainedValue()
                let connection = context.table.open(socket: socket, peer: context.findPeer(socket))
                // SAFETY: the table keeps the connection until `closed`, the library's last word about it.
                return Unmanaged.passUnretained(connection).toOpaque()
            },
            closed: { context, connection in
                let context = Unmanaged<Context>.fromOpaque(context).takeUnretainedValue()
                context.table.close(Unmanaged<Connection>.fromOpaque(connection).takeUnretainedValue())
            },
            begun: { context, connection, target in
                let context = Unmanaged<Context>.fromOpaque(context).takeUnretainedValue()
                let connection = Unmanaged<Connection>.fromOpaque(connection).takeUnretainedValue()
                connection.exchange = Exchange(
                    service: context.service,
                    policy: context.policy,
                    connection: connection,
                    target: String(cString: target)
                )
            },
            step: { _, connection, request, method, version, data, byteCount in
                let connection = Unmanaged<Connection>.fromOpaque(connection).takeUnretainedValue()
                guard let exchange = connection.exchange else { return 0 }
                let piece = UnsafeRawBufferPointer(start: data, count: data == nil ? 0 : byteCount)
                let goesOn =
                    if !exchange.hasHead {
                        exchange.receiveHead(
                            request: request,
                            method: String(cString: method),
                            version: String(cString: version)
                        )
                    } else if !piece.isEmpty {
                        exchange.receive(piece)
                    } else {
                        exchange.finish(request: request)
                    }
                return goesOn ? 1 : 0
            },
            ended: { _, connection in
                let connection = Unmanaged<Connection>.fromOpaque(connection).takeUnretainedValue()
                connection.exchange?.end()
                connection.exchange = nil
            },
            message: { context, text in
                let context = Unmanaged<Context>.fromOpaque(context).takeUnretainedValue()
                context.service.log.debug("http library: \(String(cString: text).trimming("\n "))")
            }
        )
    }
}
