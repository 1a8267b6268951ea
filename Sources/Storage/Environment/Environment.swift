internal import CLMDB
internal import Glibc
internal import Platform

/// One LMDB environment: a directory with one memory-mapped file, its lock file, and named databases.
///
/// Callable from every thread. A thread has at most one transaction of an environment at a time: `grow`, `reopen` and
/// `close` wait for active transactions and hold new ones back meanwhile, so a second one would wait for the first.
/// A transaction keeps its environment alive. No `fork` without `exec` while an environment is open.
package final class Environment: Sendable {
    /// The longest key, in bytes; also the longest value in a database with `duplicates`.
    package static let maximumKeyByteCount = 511

    /// Of LMDB, as loaded.
    package static var libraryVersion: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        _ = mdb_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }

    private struct State {
        /// nil after `close`, and after a `reopen` that failed.
        var handle: EnvironmentHandle?
        var isClosed = false
        /// Times the map was, or may have been, replaced.
        var mapNumber = 0
        /// Pins the claim on the directory until `close`.
        var lock: EnvironmentLock?
        var databases: [Database] = []
        var activeCount = 0
        /// Somebody resizes, reopens or closes: no new transaction.
        var isExclusive = false
        /// Sockets that copies are read from; shut down to end the copies. Open as long as they are in here.
        var copies: Set<Int32> = []
    }

    private let monitor: Monitor<State>
    private let options: EnvironmentOptions
    /// Where the files lie.
    package let directory: String

    /// Opens or makes the environment in `directory`, which is made when missing.
    ///
    /// Full durability: a commit returns after two flushes. No write map, no thread-bound readers, no read-ahead.
    /// - Throws: `.inUse`, `.networkFileSystem`, `.corrupted` when the file is not LMDB's, `.storageFull`, `.system`.
    package init(directory: String, options: EnvironmentOptions = EnvironmentOptions()) throws(StorageError) {
        try FileSystemCheck.make(directory)
        try FileSystemCheck.requireLocal(directory)
        let lock = try EnvironmentLock(directory: directory)
        let handle = try EnvironmentHandle.open(directory, mapByteCount: options.mapByteCount, options: options)
        do throws(StorageError) { try FileSystemCheck.synchronize(directory) } catch {
            handle.close()
            throw error
        }
        self.directory = directory
        self.options = options
        monitor = Monitor(State(handle: handle, lock: lock))
    }

    deinit {
        // Transactions keep the environment alive, so none is active here.
        monitor.withLock { $0.handle }?.close()
    }

    /// Waits for active transactions, closes, and gives the directory free. Later transactions throw `.closed`.
    package func close() {
        exclusively { state in
            state.handle?.close()
            state.handle = nil
            state.isClosed = true
            state.lock = nil
        }
    }

    /// Closes and opens again: the way out of `.panicked`. Database handles stay valid.
    ///
    /// Whether the commit that failed is in the reopened store is unknown until it is read.
    /// - Throws: the reason why the store cannot be opened; `reopen` can be tried again later.
    package func reopen() throws(StorageError) {
        try exclusively { (state: inout State) throws(StorageError) in
            guard !state.isClosed else { throw StorageError(code: .closed, operation: directory) }
            state.mapNumber += 1
            let size = state.handle?.mapByteCount ?? options.mapByteCount
            state.handle?.close()
            state.handle = nil
            state.handle = try openAgain(size, state.databases)
        }
    }

    private func openAgain(_ mapByteCount: Int, _ databases: [Database]) throws(StorageError) -> EnvironmentHandle {
        let handle = try EnvironmentHandle.open(directory, mapByteCount: mapByteCount, options: options)
        do throws(StorageError) {
            try handle.reopen(databases)
            return handle
        } catch {
            handle.close()
            throw error
        }
    }

    /// Doubles the map after `.mapFull`; the caller has given up its transaction before.
    ///
    /// - Throws: `.storageFull` at `EnvironmentOptions.maximumMapByteCount`; `.system` when the system grants no larger map. The
    ///   store has its old size then, or has to be opened again as after `.panicked`.
    package func grow() throws(StorageError) {
        try exclusively { (state: inout State) throws(StorageError) in
            guard let handle = state.handle else { throw unavailable(state) }
            let wanted = min(options.maximumMapByteCount, handle.mapByteCount * 2)
            guard wanted > handle.mapByteCount else {
                throw StorageError(code: .storageFull, operation: "grow \(directory)", status: .mapFull)
            }
            state.mapNumber += 1
            do throws(StorageError) { state.handle = try handle.resized(to: wanted) } catch {
                state.handle = nil
                handle.close()
                state.handle = try? openAgain(handle.mapByteCount, state.databases)
                throw error
            }
        }
    }

    /// - Throws: `.closed`, `.panicked`.
    package var statistics: EnvironmentStatistics {
        get throws(StorageError) {
            let handle = try enter()
            defer { leave() }
            var info = MDB_envinfo()
            var pages = MDB_stat()
            try check(mdb_env_info(handle.pointer, &info), "inspect \(directory)")
            try check(mdb_env_stat(handle.pointer, &pages), "inspect \(directory)")
            return EnvironmentStatistics(
                usedByteCount: (info.me_last_pgno + 1) * Int(pages.ms_psize),
                mapByteCount: info.me_mapsize,
                lastTransaction: UInt64(info.me_last_txnid)
            )
        }
    }

    // MARK: Transactions come and go

    /// Registers a transaction; `leave` follows.
    func enter() throws(StorageError) -> EnvironmentHandle {
        let admitted = monitor.wait { state -> EnvironmentHandle?? in
            if state.isExclusive { return nil }
            if state.handle != nil { state.activeCount += 1 }
            var handle = state.handle
            handle?.mapNumber = state.mapNumber
            return .some(handle)
        }
        guard let handle = admitted ?? nil else { throw monitor.withLock { unavailable($0) } }
        return handle
    }

    func leave() { monitor.withLockNotifyingAll { $0.activeCount -= 1 } }

    /// Registers a copy, which lasts longer than others may wait: `leave` follows, and `endCopy` before the socket is closed.
    func enter(copyingTo socket: Int32) throws(StorageError) -> EnvironmentHandle {
        let handle = try enter()
        monitor.withLockNotifyingAll { state in
            state.copies.insert(socket)
            // Somebody may have begun to wait since.
            if state.isExclusive { shutdown(socket, Int32(SHUT_RDWR)) }
        }
        return handle
    }

    func endCopy(to socket: Int32) { monitor.withLockNotifyingAll { _ = $0.copies.remove(socket) } }

    /// Remembers databases whose opening transaction has committed, for `reopen`.
    func register(_ databases: [Database]) {
        monitor.withLockNotifyingAll { state in
            state.databases += databases.filter { !state.databases.contains($0) }
        }
    }

    private func unavailable(_ state: State) -> StorageError {
        StorageError(code: state.isClosed ? .closed : .panicked, operation: directory)
    }

    /// Runs `body` while no transaction is active and none can begin. Copies are given up for it.
    private func exclusively<E: Error>(_ body: (inout State) throws(E) -> Void) throws(E) {
        _ = monitor.wait { state -> Bool? in
            if state.isExclusive { return nil }
            state.isExclusive = true
            for socket in state.copies { shutdown(socket, Int32(SHUT_RDWR)) }
            return true
        }
        _ = monitor.wait { $0.activeCount == 0 ? true : nil }
        defer { monitor.withLockNotifyingAll { $0.isExclusive = false } }
        try monitor.withLockNotifyingAll { (state: inout State) throws(E) in try body(&state) }
    }
}
