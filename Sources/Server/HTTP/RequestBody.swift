internal import Glibc
internal import Platform
internal import Wire

/// What a route does with a request's body.
enum BodyRule: Sendable {
    case none
    /// Kept in memory, at most this long.
    case memory(byteCount: Int)
    /// Written to a temporary file as it arrives, at most this long.
    case file(byteCount: Int)

    var byteCount: Int {
        switch self {
        case .none: 0
        case .memory(let byteCount), .file(let byteCount): byteCount
        }
    }
}

/// Memory that all bodies share; a request that finds none left is told to come again.
final class BodyMemory: Sendable {
    private let free: Monitor<Int>

    init(byteCount: Int) { free = Monitor(byteCount) }

    fileprivate func take(_ byteCount: Int) -> Bool {
        free.withLockNotifyingAll {
            guard $0 >= byteCount else { return false }
            $0 -= byteCount
            return true
        }
    }

    fileprivate func giveBack(_ byteCount: Int) { free.withLockNotifyingAll { $0 += byteCount } }
}

/// A new file of a name of its own, removed with the value.
final class TemporaryFile: Sendable {
    let path: String
    private let descriptor: OwnedDescriptor

    init(directory: String, name: String) throws(Problem) {
        path = "\(directory)/\(name)"
        do throws(SystemError) {
            descriptor = try OwnedDescriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        } catch {
            throw Problem(storing: error)
        }
    }

    deinit { unlink(path) }

    func append(_ bytes: UnsafeRawBufferPointer) throws(Problem) {
        var rest = bytes[...]
        while !rest.isEmpty {
            do throws(SystemError) {
                let chunk = UnsafeRawBufferPointer(rebasing: rest)
                let written = try retrying("write \(path)") {
                    write(descriptor.rawValue, chunk.baseAddress, chunk.count)
                }
                rest = rest.dropFirst(written)
            } catch {
                throw Problem(storing: error)
            }
        }
    }
}

/// The body of one request while it arrives. A body that cannot be taken is read on, up to a second limit, so that its
/// sender gets to see why; touched by the connection's thread only.
final class RequestBody {
    private let rule: BodyRule
    private let memory: BodyMemory
    private var reserved = 0
    private var received = 0
    private(set) var bytes: [UInt8] = []
    let file: TemporaryFile?
    /// Why the body is not taken; what arrives after it is dropped.
    private(set) var failure: Problem?

    /// Prepares to receive `contentLength` bytes, or an unknown count when nil.
    init(
        rule: BodyRule,
        contentLength: Int?,
        memory: BodyMemory,
        makeFile: () throws(Problem) -> TemporaryFile
    ) throws(Problem) {
        self.rule = rule
        self.memory = memory
        if let contentLength, contentLength > rule.byteCount { throw Self.tooLong(rule) }
        switch rule {
        case .none: file = nil
        case .memory:
            file = nil
            if let contentLength {
                guard memory.take(contentLength) else { throw Self.noMemory }
                reserved = contentLength
                bytes.reserveCapacity(contentLength)
            }
        case .file: file = try makeFile()
        }
    }

    deinit { memory.giveBack(reserved) }

    private static func tooLong(_ rule: BodyRule) -> Problem {
        rule.byteCount == 0
            ? Problem(.badRequest, "this route takes no body")
            : Problem(.tooLarge, "the body is longer than \(rule.byteCount) bytes")
    }

    private static var noMemory: Problem {
        Problem(.overloaded, "too many large requests arrive at once", retryAfter: 1)
    }

    /// Takes the next bytes.
    ///
    /// - Returns: false when even the drain's limit is reached and the connection has to be cut.
    func append(_ piece: UnsafeRawBufferPointer, drainedByteCount: Int) -> Bool {
        received += piece.count
        if failure == nil {
            do throws(Problem) {
                try take(piece)
            } catch {
                failure = error
                bytes = []
                memory.giveBack(reserved)
                reserved = 0
            }
        }
        return received <= rule.byteCount + drainedByteCount
    }

    private func take(_ piece: UnsafeRawBufferPointer) throws(Problem) {
        guard received <= rule.byteCount else { throw Self.tooLong(rule) }
        if let file { return try file.append(piece) }
        if received > reserved {
            // In steps, so that a chunked body does not go to the shared counter for every piece.
            let step = min(max(received - reserved, 1 << 20), rule.byteCount - reserved)
            guard memory.take(step) else { throw Self.noMemory }
            reserved += step
        }
        bytes.append(contentsOf: piece)
    }
}
