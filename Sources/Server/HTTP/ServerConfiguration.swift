package import Platform
internal import Wire

/// One place to listen on.
package enum ListenAddress: Sendable {
    /// A Unix socket; `inherited` is its descriptor when the service manager made it.
    case unix(path: String, inherited: Int32? = nil)
    /// The page, on a loopback address; port 0 takes any free one.
    case tcp(host: String, port: UInt16, inherited: Int32? = nil, token: AccessToken)
}

/// Sizes, counts and seconds that the server enforces; the defaults are those of `/v1/status`.
package struct ServerLimits: Sendable {
    /// Request line and header fields together.
    package var headerByteCount = 16 << 10
    package var headerFieldCount = 64
    package var searchBodyByteCount = WireProtocol.maximumSearchBodyByteCount
    /// JSON bodies of the administrative routes.
    package var smallBodyByteCount = 64 << 10
    package var modelByteCount = 1 << 30
    /// Bodies held in memory by all requests together.
    package var bodyMemoryByteCount = 256 << 20
    /// What is read and thrown away of a body that is too long, so that its sender gets to read the reply.
    package var drainedByteCount = 8 << 20

    package var connectionCount = 128
    package var connectionCountPerUser = 32
    /// At it the library closes connections without a word.
    package var libraryConnectionCount = 256
    /// Searches at work or waiting for their vector.
    package var searchCount = 64

    /// From the connection's start to the end of its first header, and from a request line to the end of its header.
    package var headerSeconds = 10.0
    package var bodySeconds = 60.0
    package var modelBodySeconds = 900.0
    /// Between two requests of a connection.
    package var idleSeconds = 30.0
    /// To take a reply.
    package var replySeconds = 300.0
    /// To take the next piece of a reply that is made while it is sent, and to make it.
    package var streamSeconds = 60.0
    package var querySeconds = 10.0
    /// How often the deadlines are looked at.
    package var reaperSeconds = 0.25

    package var threadStackByteCount = 256 << 10

    /// Collections at most. Each has threads and descriptors of its own; the service's unit has room for so many.
    package static let collectionCount = 64

    package init() {}

    /// By name, for `/v1/status`.
    var named: [String: Double] {
        [
            "header_bytes": Double(headerByteCount), "header_fields": Double(headerFieldCount),
            "search_body_bytes": Double(searchBodyByteCount), "model_bytes": Double(modelByteCount),
            "body_memory_bytes": Double(bodyMemoryByteCount), "connections": Double(connectionCount),
            "connections_per_user": Double(connectionCountPerUser), "searches": Double(searchCount),
            "header_s": headerSeconds, "body_s": bodySeconds, "idle_s": idleSeconds, "reply_s": replySeconds,
            "query_s": querySeconds, "search_limit": Double(WireProtocol.maximumSearchLimit),
            "page_limit": Double(WireProtocol.maximumPageLimit),
            "collections": Double(Self.collectionCount),
        ]
    }
}

/// How the server treats its peers.
package struct ServerConfiguration: Sendable {
    package var limits = ServerLimits()
    /// Users who may change things besides root and the daemon's own user.
    package var administrators: Set<UInt32> = []
    /// Finds out who connected to a Unix socket.
    package var peerCredentials: @Sendable (_ socket: Int32) -> PeerCredentials? = { PeerCredentials.of(socket: $0) }

    package init() {}
}
