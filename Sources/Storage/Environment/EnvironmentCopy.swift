internal import CLMDB
internal import Glibc
internal import Platform

/// A consistent copy of an environment as a stream: the bytes that `data.mdb` of the copy holds, while others read and write.
///
/// The copy shows one commit, the last one before it began. It is a reader that lasts as long as it takes: pages that later
/// commits replace are not used again before its end, so the file grows by what is written meanwhile. Whoever resizes, reopens
/// or closes the environment does not wait for it: it is given up, and `read` says so.
///
/// One thread at a time calls `read`. The corresponding C function is `mdb_env_copyfd2`.
package final class EnvironmentCopy: Sendable {
    private let environment: Environment
    /// LMDB writes into one end of a pair of sockets on a thread of its own; this is the other.
    private let stream: OwnedDescriptor
    private let thread: WorkerThread
    private let progress = Monitor(Progress())

    private struct Progress {
        /// LMDB's last word.
        var result: Int32 = 0
        var isJoined = false
    }

    /// - Parameters:
    ///   - environment: the original.
    ///   - isCompacting: leave out free pages and number the others anew: smaller, slower, and only for a sound store, since
    ///     LMDB follows every page. Otherwise pages are copied as they lie, unread.
    /// - Throws: `.closed`, `.panicked`, `.system`.
    package init(of environment: Environment, isCompacting: Bool) throws(StorageError) {
        var ends: (Int32, Int32) = (-1, -1)
        do throws(SystemError) {
            try retrying("make a pair of sockets") {
                withUnsafeMutablePointer(to: &ends) { pair in
                    // SAFETY: a pair of Int32 lies in memory as the two that `socketpair` fills.
                    pair.withMemoryRebound(to: Int32.self, capacity: 2) {
                        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, $0)
                    }
                }
            }
        } catch { throw StorageError(error) }
        let stream = OwnedDescriptor(owning: ends.0)
        let (output, progress) = (ends.1, progress)
        let handle: EnvironmentHandle
        do throws(StorageError) { handle = try environment.enter(copyingTo: stream.rawValue) } catch {
            Glibc.close(output)
            throw error
        }
        let flags = isCompacting ? UInt32(MDB_CP_COMPACT) : 0
        do throws(SystemError) {
            thread = try WorkerThread(name: "copy") {
                Self.blockPipeSignal()
                let result = mdb_env_copyfd2(handle.pointer, output, flags)
                progress.withLockNotifyingAll { $0.result = result }
                environment.leave()
                Glibc.close(output)
            }
        } catch {
            environment.endCopy(to: stream.rawValue)
            environment.leave()
            Glibc.close(output)
            throw StorageError(error)
        }
        self.environment = environment
        self.stream = stream
    }

    deinit {
        environment.endCopy(to: stream.rawValue)
        shutdown(stream.rawValue, Int32(SHUT_RDWR))
        if !progress.withLock({ $0.isJoined }) { thread.join() }
    }

    /// The next bytes; none at the end.
    ///
    /// - Parameter limit: most bytes to return.
    /// - Returns: at least one byte before the end.
    /// - Throws: `.interrupted` when the copy was given up, `.corrupted`, `.incompatible` (compacting: the store has lost pages),
    ///   `.system`. What was read so far is of no use then.
    package func read(limit: Int) throws(StorageError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            do throws(SystemError) {
                // SAFETY: `recv` writes at most the buffer's count.
                count = try retrying("read") { recv(stream.rawValue, buffer.baseAddress, buffer.count, 0) }
            } catch { failure = error }
        }
        if let failure { throw StorageError(failure) }
        guard bytes.isEmpty else { return bytes }
        if !progress.withLock({ $0.isJoined }) {
            thread.join()
            progress.withLockNotifyingAll { $0.isJoined = true }
        }
        let result = progress.withLock { $0.result }
        guard result != EPIPE else {
            throw StorageError(code: .interrupted, operation: "copy \(environment.directory)")
        }
        try check(result, "copy \(environment.directory)")
        return []
    }

    /// A reader that goes away is an error of `write`, not the end of the process.
    private static func blockPipeSignal() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }
}
