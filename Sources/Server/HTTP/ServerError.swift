package import Platform

/// Why the server could not start.
package enum ServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Somebody answers on the socket already.
    case anotherDaemon(path: String)
    /// Something else than a socket lies at the socket's path.
    case notASocket(path: String)
    /// The kernel keeps 108 bytes for a socket's path, a final zero among them.
    case pathTooLong(path: String, byteCount: Int, limit: Int)
    /// The page is for this machine only.
    case notLoopback(host: String)
    /// A descriptor handed over by the service manager is not a listening socket of the expected kind.
    case unsuitableDescriptor(descriptor: Int32, expected: String)
    case system(SystemError)
    /// libmicrohttpd refused to start.
    case library(listener: String)

    package var description: String {
        switch self {
        case .anotherDaemon(let path): "another daemon is running: it answers on \(path)"
        case .notASocket(let path): "\(path) is in the way: it is not a socket; move it or choose another path"
        case .pathTooLong(let path, let byteCount, let limit):
            "the socket's path has \(byteCount) bytes where \(limit) fit; choose a shorter one than \(path)"
        case .notLoopback(let host):
            "the page is served on 127.0.0.1 or ::1 only, not on \(host); use a tunnel to reach it from elsewhere"
        case .unsuitableDescriptor(let descriptor, let expected):
            "descriptor \(descriptor) from the service manager is not \(expected)"
        case .system(let error): error.description
        case .library(let listener): "the HTTP library could not start on \(listener)"
        }
    }
}
