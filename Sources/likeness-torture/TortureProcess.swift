import Glibc
import Platform

/// A worker: this program again, with its standard output on a pipe that this process holds.
///
/// What it wrote before it was killed stays in the pipe: the pipe is the log that outlives it.
struct TortureProcess: ~Copyable {
    /// What there is to read.
    enum Event {
        case frame(TortureFrame)
        /// Nothing new before the deadline.
        case silence
        /// The worker has gone, and everything it wrote was read.
        case end
    }

    private let identifier: pid_t
    private let output: OwnedDescriptor
    private var reader = TortureFrameReader()
    private var isReaped = false

    /// Starts this program with `arguments` and more environment, and hands it `plan`.
    init(_ arguments: [String], environment: [String], plan: [UInt32]) throws {
        let input = try Pipe()
        let log = try Pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input.reader.rawValue, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, log.writer.rawValue, STDOUT_FILENO)
        let program = "/proc/self/exe"
        var argumentPointers = ([program] + arguments).map { strdup($0) } + [nil]
        var environmentPointers = (Self.environment + environment).map { strdup($0) } + [nil]
        defer {
            for pointer in argumentPointers + environmentPointers { free(pointer) }
        }
        var identifier = pid_t()
        let code = posix_spawn(&identifier, program, &actions, nil, &argumentPointers, &environmentPointers)
        guard code == 0 else { throw SystemError(code: code, operation: "start a worker") }
        self.identifier = identifier
        output = log.takeReader()
        let writer = input.takeWriter()
        plan.withUnsafeBytes { _ = writeAll($0, to: writer.rawValue) }
    }

    deinit {
        guard !isReaped else { return }
        Glibc.kill(identifier, SIGKILL)
        waitpid(identifier, nil, 0)
    }

    /// SIGKILL: nothing of the process runs any more when this returns, but what it wrote is still to be read.
    func kill() { Glibc.kill(identifier, SIGKILL) }

    /// The next frame, or why there is none.
    mutating func next(until deadline: Instant) throws -> Event {
        while true {
            if let frame = reader.next() { return .frame(frame) }
            var request = pollfd(fd: output.rawValue, events: Int16(POLLIN), revents: 0)
            let rest = max(0, deadline - Instant.now)
            let ready = try retrying("poll") { poll(&request, 1, Int32(min(rest * 1000 + 1, 1e6))) }
            if ready == 0 { return .silence }
            let chunk = try read()
            if chunk.isEmpty { return .end }
            reader.append(chunk)
        }
    }

    /// Waits for its end; the exit status, or 128 and the signal that ended it.
    mutating func reap() throws -> Int32 {
        var status: Int32 = 0
        try retrying("wait for a worker") { waitpid(identifier, &status, 0) }
        isReaped = true
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }

    private func read() throws -> [UInt8] {
        let capacity = 1 << 16
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            do throws(SystemError) {
                count = try retrying("read from a worker") {
                    Glibc.read(output.rawValue, buffer.baseAddress, capacity)
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    private static var environment: [String] {
        var entries: [String] = []
        var next = environ
        while let entry = next.pointee {
            entries.append(String(cString: entry))
            next += 1
        }
        return entries
    }
}

/// Two ends; a process that keeps only one lets the other go, or nobody would ever see the end of it.
private struct Pipe: ~Copyable {
    let reader: OwnedDescriptor
    let writer: OwnedDescriptor

    init() throws(SystemError) {
        var descriptors: [Int32] = [0, 0]
        try retrying("make a pipe") { pipe(&descriptors) }
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        reader = OwnedDescriptor(owning: descriptors[0])
        writer = OwnedDescriptor(owning: descriptors[1])
    }

    consuming func takeReader() -> OwnedDescriptor { reader }
    consuming func takeWriter() -> OwnedDescriptor { writer }
}
