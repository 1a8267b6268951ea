internal import CServer
internal import Glibc
internal import Platform
internal import Wire

/// A reply's body that is made piece by piece while it is sent: a backup, or the progress of a long job.
///
/// It is pulled: the next piece is made when the one before has been taken, so a slow reader slows the maker and
/// nothing piles up. When the reader goes away, the maker is released.
final class ResponseStream: Sendable {
    private struct State {
        var rest: ArraySlice<UInt8> = []
        /// nil once the body has ended.
        var next: (@Sendable () throws(Problem) -> [UInt8])?
        var check: @Sendable () throws(Problem) -> Void = {}
        var onFailure: @Sendable (Problem) -> Void = { _ in }
    }

    private let state: Monitor<State>

    /// - Parameter next: makes the next bytes, none at the end; may block for some seconds. What it throws breaks the
    ///   connection, so that the reader learns that the body is not whole. Called by one thread at a time.
    init(_ next: @escaping @Sendable () throws(Problem) -> [UInt8]) {
        state = Monitor(State(next: next))
    }

    /// Lines of JSON, one a call; a result or a problem is the last, or nil ends them.
    convenience init(lines next: @escaping @Sendable () -> JobLine?) {
        let isOver = Monitor(false)
        self.init { () throws(Problem) in
            guard !isOver.withLock({ $0 }), let line = next() else { return [] }
            if line.result != nil || line.problem != nil { isOver.withLockNotifyingAll { $0 = true } }
            return try JSON.encode(line) + [UInt8(ascii: "\n")]
        }
    }

    /// Sets what is asked before each piece, and told of a failure.
    func begin(
        check: @escaping @Sendable () throws(Problem) -> Void,
        onFailure: @escaping @Sendable (Problem) -> Void
    ) {
        state.withLockNotifyingAll { state in
            state.check = check
            state.onFailure = onFailure
        }
    }

    /// Fills `buffer`; the bytes written, 0 at the end, -1 after a failure.
    private func read(into buffer: UnsafeMutableRawBufferPointer) -> Int64 {
        state.withLockNotifyingAll { state -> Int64 in
            guard let next = state.next else { return 0 }
            do throws(Problem) {
                if state.rest.isEmpty {
                    try state.check()
                    state.rest = try next()[...]
                    // The making may have taken its time.
                    try state.check()
                }
            } catch {
                state.next = nil
                state.onFailure(error)
                return -1
            }
            let count = min(buffer.count, state.rest.count)
            state.rest.withUnsafeBytes { rest in
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(count)))
            }
            state.rest = state.rest.dropFirst(count)
            if count == 0 { state.next = nil }
            return Int64(count)
        }
    }

    /// Lends the callbacks that the library calls from now on; it releases this stream when it is done.
    func withCallbacks<R>(_ body: (UnsafePointer<CServer_stream>) -> R) -> R {
        var callbacks = CServer_stream(
            // SAFETY: balanced by `release`, which the library calls once, whatever happens.
            context: Unmanaged.passRetained(self).toOpaque(),
            read: { context, buffer, capacity in
                Unmanaged<ResponseStream>.fromOpaque(context).takeUnretainedValue()
                    .read(into: UnsafeMutableRawBufferPointer(start: buffer, count: capacity))
            },
            release: { Unmanaged<ResponseStream>.fromOpaque($0).release() }
        )
        return withUnsafePointer(to: &callbacks, body)
    }
}
