internal import CServer
internal import Platform
internal import Synchronization

/// The daemon's face: HTTP/1.1 on a Unix socket and, for the page, on a loopback TCP port.
///
/// libmicrohttpd gives every connection a thread of its own, so handlers may block; none of this is async. The routes
/// reach the rest of the daemon through `DaemonControl` alone.
package final class HTTPServer: Sendable {
    private let service: Service
    private let table: ConnectionTable
    private let listeners: [Listener]
    private let reaper: WorkerThread
    private let isStopped = Atomic(false)

    /// Listens and serves from now on.
    ///
    /// - Parameters:
    ///   - addresses: where to listen; an inherited descriptor is taken over, even when this throws.
    ///   - control: the rest of the daemon.
    ///   - configuration: limits and roles.
    /// - Throws: `ServerError`; nothing listens then.
    package init(
        addresses: [ListenAddress],
        control: any DaemonControl,
        configuration: ServerConfiguration = ServerConfiguration()
    ) throws(ServerError) {
        let metrics = ServerMetrics()
        let limits = configuration.limits
        let service = Service(control: control, limits: limits, metrics: metrics)
        let table = ConnectionTable(limits: limits, metrics: metrics)
        var listeners: [Listener] = []
        do throws(ServerError) {
            for address in addresses {
                listeners.append(
                    try Self.listen(at: address, service: service, table: table, configuration: configuration)
                )
            }
            reaper = try Self.startReaper(table)
        } catch {
            Self.stop(listeners)
            throw error
        }
        self.service = service
        self.table = table
        self.listeners = listeners
        for listener in listeners { service.log.info("listening on \(listener.socket.name)") }
    }

    /// Ports of the TCP listeners, in the order of their addresses.
    package var ports: [UInt16] { listeners.map(\.socket.port).filter { $0 != 0 } }

    /// Connections open now.
    package var connectionCount: Int { table.count }

    /// Of the HTTP library in use.
    static var libraryVersion: String { String(cString: CServer_library_version()) }

    /// Takes no more requests, lets those at work finish within `seconds`, then cuts what is left. Only the first call
    /// does anything. A handler that is at work then is still waited for.
    package func stop(within seconds: Double = 10) {
        guard !isStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        service.beginStopping()
        for listener in listeners { listener.quiesce() }
        table.cutAll(onlyIdle: true)
        if !table.waitUntilEmpty(until: .now + seconds) {
            service.log.warning("\(table.count) connections were still open after \(seconds) s and were cut")
            table.cutAll(onlyIdle: false)
        }
        for listener in listeners { listener.stop() }
        table.finish()
        reaper.join()
    }

    deinit { stop(within: 0) }

    private static func stop(_ listeners: [Listener]) {
        for listener in listeners {
            listener.quiesce()
            listener.stop()
        }
    }

    private static func startReaper(_ table: ConnectionTable) throws(ServerError) -> WorkerThread {
        do throws(SystemError) {
            return try WorkerThread(name: "http-reaper") { table.reapTimeouts() }
        } catch {
            throw .system(error)
        }
    }

    private static func listen(
        at address: ListenAddress,
        service: Service,
        table: ConnectionTable,
        configuration: ServerConfiguration
    ) throws(ServerError) -> Listener {
        switch address {
        case .unix(let path, let inherited):
            let socket =
                if let inherited {
                    try ListeningSocket.inherited(inherited, isUnix: true, name: path)
                } else {
                    try ListeningSocket.unix(path: path)
                }
            let credentials = configuration.peerCredentials
            return try Listener(
                socket: socket,
                service: service,
                table: table,
                policy: .unix(configured: configuration.administrators),
                findPeer: { AccessPolicy.peer(userID: credentials($0)?.userID) }
            )
        case .tcp(let host, let port, let inherited, let token):
            let socket =
                if let inherited {
                    try ListeningSocket.inherited(inherited, isUnix: false, name: "\(host):\(port)")
                } else {
                    try ListeningSocket.tcp(host: host, port: port)
                }
            return try Listener(
                socket: socket,
                service: service,
                table: table,
                policy: .tcp(port: socket.port, token: token),
                findPeer: { _ in .loopback }
            )
        }
    }
}
