internal import Glibc
internal import Platform

/// A listening socket: made here, or handed over by the service manager.
///
/// One that was made here takes its file away again when it is closed; an inherited one belongs to the service manager.
final class ListeningSocket: Sendable {
    /// Device and inode of the socket's file, so that a successor's file is never taken away.
    private struct FileIdentity: Equatable {
        let device: UInt64
        let inode: UInt64

        init?(path: String) {
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
            (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
        }
    }

    private let descriptor: OwnedDescriptor
    private let ownFile: (path: String, identity: FileIdentity)?
    /// 0 for a Unix socket.
    let port: UInt16
    /// For messages.
    let name: String

    var rawValue: Int32 { descriptor.rawValue }

    private init(
        _ descriptor: consuming OwnedDescriptor,
        name: String,
        ownFile: (path: String, identity: FileIdentity)? = nil,
        port: UInt16 = 0
    ) {
        self.descriptor = descriptor
        self.name = name
        self.ownFile = ownFile
        self.port = port
    }

    deinit {
        if let ownFile, FileIdentity(path: ownFile.path) == ownFile.identity { unlink(ownFile.path) }
    }

    /// Waiting connections that the kernel holds; more than the library would accept at once.
    private static let backlog: Int32 = 512

    /// Owner and group may connect.
    private static let fileMode: mode_t = 0o660

    // MARK: Unix

    /// Listens at `path`, where a socket that nobody answers on is replaced. A missing last folder of the path is made.
    static func unix(path: String) throws(ServerError) -> ListeningSocket {
        var address = sockaddr_un()
        let limit = MemoryLayout.size(ofValue: address.sun_path) - 1
        let bytes = Array(path.utf8)
        guard bytes.count <= limit, !bytes.isEmpty, !bytes.contains(0) else {
            throw .pathTooLong(path: path, byteCount: bytes.count, limit: limit)
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }

        try makeParent(of: path)
        try removeStale(path: path, address: address)
        let descriptor = try newSocket(AF_UNIX)
        // Before `bind` the mode of the socket becomes the mode of its file, so there is no moment of a wider one.
        try system("set the mode of \(path)") { fchmod(descriptor.rawValue, fileMode) }
        try bind(descriptor.rawValue, to: address, name: path)
        try system("set the mode of \(path)") { chmod(path, fileMode) }
        guard let identity = FileIdentity(path: path) else { throw .notASocket(path: path) }
        let socket = ListeningSocket(descriptor, name: path, ownFile: (path, identity))
        try system("listen on \(path)") { listen(socket.rawValue, backlog) }
        return socket
    }

    private static func makeParent(of path: String) throws(ServerError) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let parent = String(path[..<slash])
        guard mkdir(parent, 0o755) != 0, errno != EEXIST else { return }
        throw .system(.last("make the folder \(parent)"))
    }

    private static func removeStale(path: String, address: sockaddr_un) throws(ServerError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path: path) }
        let probe = try newSocket(AF_UNIX)
        let answer = withAddress(of: address) { (pointer, length) in
            connect(probe.rawValue, pointer, length) == 0 ? 0 : errno
        }
        // Only this code says that no process listens; a full queue (EAGAIN) or EACCES means that one does.
        guard answer == ECONNREFUSED || answer == ENOENT else { throw .anotherDaemon(path: path) }
        unlink(path)
    }

    // MARK: TCP

    /// Listens on 127.0.0.1 or ::1; port 0 takes a free one.
    static func tcp(host: String, port: UInt16) throws(ServerError) -> ListeningSocket {
        let name = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let descriptor: OwnedDescriptor
        switch host {
        case "127.0.0.1", "localhost":
            descriptor = try newSocket(AF_INET)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            try allowRebinding(descriptor.rawValue)
            try bind(descriptor.rawValue, to: address, name: name)
        case "::1":
            descriptor = try newSocket(AF_INET6)
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            try allowRebinding(descriptor.rawValue)
            try bind(descriptor.rawValue, to: address, name: name)
        default:
            throw .notLoopback(host: host)
        }
        let bound = boundPort(descriptor.rawValue) ?? port
        let socket = ListeningSocket(descriptor, name: name, port: bound)
        try system("listen on \(name)") { listen(socket.rawValue, backlog) }
        return socket
    }

    private static func allowRebinding(_ descriptor: Int32) throws(ServerError) {
        var on: Int32 = 1
        try system("allow an address to be bound again") {
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    // MARK: Inherited

    /// Takes over a descriptor of the service manager, checking that it is what the listener needs.
    static func inherited(_ descriptor: Int32, isUnix: Bool, name: String) throws(ServerError) -> ListeningSocket {
        let expected = isUnix ? "a listening Unix socket" : "a listening socket on a loopback address"
        let owned = OwnedDescriptor(owning: descriptor)
        var isListening: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length) == 0, isListening != 0,
            let family = localFamily(descriptor), (family == AF_UNIX) == isUnix, isUnix || isLoopback(descriptor)
        else { throw .unsuitableDescriptor(descriptor: descriptor, expected: expected) }
        let flags = fcntl(descriptor, F_GETFL)
        try system("make \(name) non-blocking") { fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) }
        try system("close \(name) on exec") { fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        return ListeningSocket(owned, name: name, port: boundPort(descriptor) ?? 0)
    }

    private static func localAddress(_ descriptor: Int32) -> sockaddr_storage? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutableBytes(of: &storage) {
            // SAFETY: the storage is large and aligned enough for every kind of address.
            getsockname(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, &length)
        }
        return result == 0 ? storage : nil
    }

    private static func localFamily(_ descriptor: Int32) -> Int32? {
        localAddress(descriptor).map { Int32($0.ss_family) }
    }

    private static func isLoopback(_ descriptor: Int32) -> Bool {
        guard let storage = localAddress(descriptor) else { return false }
        return withUnsafeBytes(of: storage) { bytes in
            switch Int32(storage.ss_family) {
            case AF_INET:
                UInt32(bigEndian: bytes.load(as: sockaddr_in.self).sin_addr.s_addr) == 0x7F00_0001
            case AF_INET6:
                withUnsafeBytes(of: bytes.load(as: sockaddr_in6.self).sin6_addr) {
                    $0.elementsEqual([UInt8](repeating: 0, count: 15) + [1])
                }
            default: false
            }
        }
    }

    private static func boundPort(_ descriptor: Int32) -> UInt16? {
        guard let storage = localAddress(descriptor) else { return nil }
        return withUnsafeBytes(of: storage) { bytes in
            switch Int32(storage.ss_family) {
            case AF_INET: UInt16(bigEndian: bytes.load(as: sockaddr_in.self).sin_port)
            case AF_INET6: UInt16(bigEndian: bytes.load(as: sockaddr_in6.self).sin6_port)
            default: nil
            }
        }
    }

    // MARK: Calls

    private static func newSocket(_ family: Int32) throws(ServerError) -> OwnedDescriptor {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        return OwnedDescriptor(owning: try system("make a socket") { socket(family, type, 0) })
    }

    @discardableResult
    private static func system(
        _ operation: @autoclosure () -> String,
        _ call: () -> Int32
    ) throws(ServerError) -> Int32 {
        do throws(SystemError) {
            return try retrying(operation(), call)
        } catch {
            throw .system(error)
        }
    }

    private static func bind<Address>(
        _ descriptor: Int32,
        to address: Address,
        name: String
    ) throws(ServerError) {
        try system("bind \(name)") { withAddress(of: address) { Glibc.bind(descriptor, $0, $1) } }
    }

    private static func withAddress<Address, R>(
        of address: Address,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
    ) -> R {
        withUnsafePointer(to: address) {
            // SAFETY: every address type begins as `sockaddr` does; the length says how much of it there is.
            body(UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self), socklen_t(MemoryLayout<Address>.size))
        }
    }
}
