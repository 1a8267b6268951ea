package import Catalog
package import Embedding
package import Platform

/// Watch, debounce, read, embed, commit: keeps one catalog equal to the image files of its roots.
///
/// `README.md` in this folder says which thread does what, and why each file is indexed exactly once.
package final class Ingestor: Sendable {
    let ledger: any FileLedger
    let workQueue: WorkQueue
    private let committer: Committer
    private let reader: Reader
    private let scanner: Scanner
    let watcher: Watcher?
    private let threads = Monitor<[WorkerThread]>([])
    private let committing = Monitor<[WorkerThread]>([])

    package convenience init(catalog: Catalog, embedder: Embedder) {
        self.init(ledger: catalog, embedder: embedder, configuration: IngestionConfiguration())
    }

    /// - Parameters:
    ///   - ledger: the one catalog that is kept.
    ///   - embedder: may be shared with other ingestors.
    ///   - configuration: times and bounds.
    ///   - budget: shared with those ingestors too.
    package init(
        ledger: any FileLedger,
        embedder: any ImageEmbedding,
        configuration: IngestionConfiguration,
        budget: ReadBudget = ReadBudget()
    ) {
        self.ledger = ledger
        workQueue = WorkQueue(configuration: configuration)
        let singleFlight = SingleFlight()
        let sidecars = Sidecars(ledger: ledger, configuration: configuration)
        committer = Committer(workQueue: workQueue, ledger: ledger, singleFlight: singleFlight)
        let services = ReadServices(workQueue: workQueue, ledger: ledger, sidecars: sidecars, budget: budget)
        reader = Reader(
            services: services,
            embedder: embedder,
            committer: committer,
            singleFlight: singleFlight
        )
        var watcher: Watcher?
        var watcherFailure = ""
        do throws(SystemError) {
            watcher = Watcher(inotify: try Inotify(), workQueue: workQueue)
        } catch {
            watcherFailure = WatchLimits.detail(error)
        }
        self.watcher = watcher
        scanner = Scanner(
            workQueue: workQueue,
            ledger: ledger,
            committer: committer,
            sidecars: sidecars,
            watcher: watcher,
            watcherFailure: watcherFailure
        )
    }

    /// Starts the threads and a scan of every root in the catalog.
    package func start() throws {
        let roots = try ledger.roots()
        workQueue.update { scheduler in
            for root in roots { scheduler.rootAdded(root, at: .now) }
        }
        // Consumers first.
        try begin(committing, "commit") { [committer] in committer.run() }
        for number in 1...max(1, workQueue.configuration.readerCount) {
            try begin(threads, "read-\(number)") { [reader] in reader.run() }
        }
        try begin(threads, "scan") { [scanner] in scanner.run() }
        if let watcher { try begin(threads, "watch") { watcher.run() } }
    }

    private func begin(
        _ list: Monitor<[WorkerThread]>,
        _ name: String,
        _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let thread = try WorkerThread(name: name, body)
        list.withLockNotifyingAll { $0.append(thread) }
    }

    /// Stops watching, drops what is not embedded (the next scan finds it), commits what is, joins all threads. Callable once.
    package func stop() {
        workQueue.update { $0.stop() }
        watcher?.stop()
        Self.join(threads)
        committer.close()
        Self.join(committing)
    }

    private static func join(_ list: Monitor<[WorkerThread]>) {
        let threads = list.withLockNotifyingAll { threads -> [WorkerThread] in
            defer { threads.removeAll() }
            return threads
        }
        for thread in threads { thread.join() }
    }

    /// Watches a folder from now on; the same folder twice is the same root.
    ///
    /// - Parameter path: absolute; symbolic links are resolved once, here.
    /// - Returns: the root as the catalog has it.
    /// - Throws: `.notADirectory`, `.rootUnreadable`, `.overlapping` with another root, `.catalog`.
    package func addRoot(_ path: String) throws(IngestionError) -> RootRecord {
        let resolved = try Self.directory(at: path)
        if let existing = try knownRoots().first(where: { root in
            root.path != resolved && (root.path.isWithin(resolved) || resolved.isWithin(root.path))
        }) {
            throw .overlapping(path: path, existing: existing.path.description)
        }
        let record: RootRecord
        do throws(CatalogError) { record = try ledger.addRoot(resolved) } catch { throw .catalog(error) }
        workQueue.update { $0.rootAdded(record, at: .now) }
        return record
    }

    /// The path of a directory without symbolic links.
    private static func directory(at path: String) throws(IngestionError) -> RelativePath {
        let kind: FileStatus.Kind?
        let resolved: RelativePath
        do throws(SystemError) {
            resolved = try resolvedPath(path)
            let top = try OwnedDescriptor.open("/", 0)
            kind = try top.status(beneath: RelativePath(bytes: Array(resolved.bytes.dropFirst())))?.kind
        } catch {
            throw .rootUnreadable(path: path, cause: error)
        }
        guard kind == .directory else { throw .notADirectory(path: path) }
        return resolved
    }

    private func knownRoots() throws(IngestionError) -> [RootRecord] {
        do throws(CatalogError) { return try ledger.roots() } catch { throw .catalog(error) }
    }

    /// Stops watching and forgets the root's images; the files stay untouched.
    package func removeRoot(_ path: String) throws(IngestionError) {
        let given = RelativePath(path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path)
        var names: Set<RelativePath> = [given]
        // The folder may be gone; then its name as it was given is all there is.
        if let resolved = try? resolvedPath(path) { names.insert(resolved) }
        guard let root = try knownRoots().first(where: { names.contains($0.path) }) else {
            throw .noSuchRoot(path: path)
        }
        // Nothing of the root may be stored after its rows are gone.
        let failure = committer.withoutCommits { [workQueue, watcher, ledger] () -> CatalogError? in
            do throws(CatalogError) {
                try ledger.removeRoot(root.id)
            } catch {
                return error
            }
            workQueue.update { $0.rootRemoved(root.id, at: .now) }
            watcher?.table.remove(root.id, .root)
            return nil
        }
        if let failure { throw .catalog(failure) }
    }

    /// Looks at every file of a root (nil: of all) again, failed ones too.
    package func rescan(_ root: RootID?) { workQueue.update { $0.rescanRequested(root, at: .now) } }

    /// Whether all roots are scanned and nothing waits; blocks until then or `deadline`.
    package func waitUntilIdle(until deadline: Instant) -> Bool {
        // What happened before this call has been told by the kernel, but perhaps not been taken yet.
        watcher?.drain()
        return workQueue.waitUntilIdle(until: deadline)
    }

    package var status: IngestionStatus { workQueue.read { $0.status(at: .now) } }

    /// Seconds that the commits took since the start, waiting for the disk included.
    package var commitSeconds: Double { committer.commitSeconds }

    /// Opens an image's file for reading, below its root only, when it is still the file that was indexed.
    ///
    /// - Throws: `SystemError` with `ENOENT` where the root is offline or unknown, `ESTALE` where the file has changed.
    package func open(_ image: ImageRecord) throws(SystemError) -> OwnedDescriptor {
        let path = image.key.path
        guard let root = workQueue.read({ $0.openRoot(image.key.root) }) else {
            throw SystemError(code: SystemError.absent, operation: "open \(path)")
        }
        let file = try root.directory.openFile(beneath: path)
        let status = try file.status()
        guard status.kind == .regular, status.byteCount == image.byteCount, status.modified == image.modified else {
            throw SystemError(code: SystemError.stale, operation: "open \(path)")
        }
        return file
    }
}
