internal import Glibc
internal import Platform

/// One connected stream socket of the Unix family. Every call gives up at a deadline.
struct UnixStream: ~Copyable {
    private let descriptor: OwnedDescriptor
    /// Where it is connected to.
    let path: String

    /// Longest path that fits `sockaddr_un`, one byte being the terminating zero.
    static let maximumPathByteCount = 107

    /// Connects to the socket at `path`; waits while the listener's backlog is full.
    ///
    /// - Throws: `SystemError` with ENOENT, ECONNREFUSED, EACCES, ENAMETOOLONG, or EAGAIN at the deadline.
    static func connect(to path: String, until deadline: Instant) throws(SystemError) -> UnixStream {
        let operation = "connect to \(path)"
        let bytes = Array(path.utf8)
        guard bytes.count <= maximumPathByteCount, !bytes.contains(0) else {
            throw SystemError(code: ENAMETOOLONG, operation: operation)
        }
        let descriptor = OwnedDescriptor(
            owning: try retrying("socket") {
                socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
            }
        )
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { target in
            // SAFETY: at most 107 of the field's 108 bytes are written; the rest stays zero.
            unsafe target.copyBytes(from: bytes)
        }
        while true {
            let result = unsafe withUnsafePointer(to: &address) { pointer in
                // SAFETY: the address lives for the call, and the length given is its own.
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Glibc.connect(descriptor.rawValue, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            if result == 0 { break }
            let code = errno
            guard code == EAGAIN || code == EINTR, Instant.now < deadline else {
                throw SystemError(code: code, operation: operation)
            }
            if code == EAGAIN { sleep(seconds: 0.02) }
        }
        return UnixStream(descriptor: descriptor, path: path)
    }

    private init(descriptor: consuming OwnedDescriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Sends everything.
    ///
    /// - Throws: `SystemError` with EPIPE or ECONNRESET when the peer has closed, ETIMEDOUT at the deadline.
    func send(_ bytes: some Collection<UInt8>, until deadline: Instant) throws(SystemError) {
        let all = Array(bytes)
        var sent = 0
        while sent < all.count {
            guard wait(for: POLLOUT, until: deadline) else { throw SystemError(code: ETIMEDOUT, operation: "send") }
            let count = unsafe all.withUnsafeBytes { buffer in
                // SAFETY: the pointer and count name the rest of `all`, which outlives the call.
                unsafe Glibc.send(
                    descriptor.rawValue,
                    buffer.baseAddress?.advanced(by: sent),
                    all.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count >= 0 {
                sent += count
            } else if errno != EAGAIN && errno != EINTR {
                throw SystemError.last("send")
            }
        }
    }

    /// The next bytes, at most 64 KiB; empty when the peer has closed.
    ///
    /// - Throws: `SystemError` with ETIMEDOUT at the deadline, or what `recv` says.
    func receive(until deadline: Instant) throws(SystemError) -> [UInt8] {
        while true {
            guard wait(for: POLLIN, until: deadline) else { throw SystemError(code: ETIMEDOUT, operation: "receive") }
            var count = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, initialized in
                // SAFETY: `recv` writes at most the buffer's count and returns how much it wrote.
                count = unsafe recv(descriptor.rawValue, buffer.baseAddress, buffer.count, 0)
                initialized = max(0, count)
            }
            if count >= 0 { return bytes }
            if errno != EAGAIN && errno != EINTR { throw SystemError.last("receive") }
        }
    }

    /// Whether there is something to read (or the end) before the deadline.
    func isReadable(until deadline: Instant) -> Bool { wait(for: POLLIN, until: deadline) }

    private func wait(for event: Int32, until deadline: Instant) -> Bool {
        while true {
            let left = deadline - .now
            guard left > 0 else { return false }
            var entry = pollfd(fd: descriptor.rawValue, events: Int16(event), revents: 0)
            // SAFETY: one entry, which lives for the call.
            let ready = unsafe poll(&entry, 1, Int32(min(left * 1000 + 1, 60_000)))
            if ready > 0 { return true }
            if ready < 0 && errno != EINTR { return true }
        }
    }
}
