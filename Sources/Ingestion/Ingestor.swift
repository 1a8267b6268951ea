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
    private let settings: @Sendable (RootRecord) -> RootSettings
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
    ///   - settings: of the roots that the ledger has at the start.
    package init(
        ledger: any FileLedger,
        embedder: any ImageEmbedding,
        configuration: IngestionConfiguration,
        budget: ReadBudget = ReadBudget(),
        settings: @escaping @Sendable (RootRecord) -> RootSettings = { _ in RootSettings() }
    ) {
        self.ledger = ledger
        self.settings = settings
        workQueue = WorkQueue(configuration: configuration)
        let singleFlight = SingleFlight()
        let sidecars = Sidecars(ledger: ledger, workQueue: workQueue)
        committer = Committer(workQueue: workQueue, ledger: ledger, singleFlight: singleFlight)
        var watcher: Watcher?
        var watcherFailure = ""
        do throws(SystemError) {
            watcher = Watcher(inotify: try Inotify(), workQueue: workQueue)
        } catch {
            watcherFailure = WatchLimits.detail(error)
        }
        self.watcher = watcher
        let services = ReadServices(
            workQueue: workQueue,
            ledger: ledger,
            sidecars: sidecars,
            budget: budget,
            watches: watcher?.table
        )
        reader = Reader(
            services: services,
            embedder: embedder,
            committer: committer,
            singleFlight: singleFlight
        )
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
            for root in roots { scheduler.rootAdded(root, PathRules(settings(root)), at: .now) }
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

    /// Watches a folder from now on; the same folder twice is the same root. One that is watched already gets the settings:
    /// what they leave out goes, what they let in comes, and nothing else is embedded again.
    ///
    /// - Parameters:
    ///   - path: absolute. Symbolic links in it stay: the root is wherever the path leads.
    ///   - settings: what is looked at below it.
    /// - Returns: the root as the catalog has it.
    /// - Throws: `.notADirectory`, `.rootUnreadable`, why it can be no root, `.overlapping` with another root, `.catalog`.
    package func addRoot(
        _ path: String,
        settings: RootSettings = RootSettings()
    ) throws(IngestionError) -> RootRecord {
        let location = RootLocation(path)
        let excluded = workQueue.configuration.excludedDirectories
        let known = try knownRoots()
        if let found = known.first(where: location.names) {
            workQueue.update { $0.rootAdded(found, PathRules(settings), at: .now) }
            return found
        }
        let place = try Self.find(RootRecord(id: RootID(rawValue: 0), path: location.path), excluding: excluded)
        if let refusal = place.refusal(excluding: excluded) { throw refusal }
        if let existing = known.first(where: location.overlaps) {
            throw .overlapping(path: path, existing: existing.path.description)
        }
        let record: RootRecord
        do throws(CatalogError) { record = try ledger.addRoot(location.path) } catch { throw .catalog(error) }
        workQueue.update { $0.rootAdded(record, PathRules(settings), at: .now) }
        return record
    }

    private static func find(
        _ record: RootRecord,
        excluding excluded: [ExcludedDirectory]
    ) throws(IngestionError) -> OpenRoot {
        do throws(SystemError) {
            return try OpenRoot(finding: record, excluding: excluded)
        } catch {
            if error.saysNoDirectory { throw .notADirectory(path: record.path.description) }
            throw .rootUnreadable(path: record.path.description, cause: error)
        }
    }

    private func knownRoots() throws(IngestionError) -> [RootRecord] {
        do throws(CatalogError) { return try ledger.roots() } catch { throw .catalog(error) }
    }

    /// Stops watching and forgets the root's images; the files stay untouched.
    ///
    /// - Returns: the root as the catalog had it.
    @discardableResult
    package func removeRoot(_ path: String) throws(IngestionError) -> RootRecord {
        let root = try root(named: path)
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
        return root
    }

    private func root(named path: String) throws(IngestionError) -> RootRecord {
        let location = RootLocation(path)
        guard let root = try knownRoots().first(where: location.names) else { throw .noSuchRoot(path: path) }
        return root
    }

    /// Takes whatever is missing in a root, as it stands there now, for gone.
    ///
    /// - Throws: `.noSuchRoot`; what keeps the root from being opened, because then nothing is known to be missing.
    package func acceptMissing(in path: String) throws(IngestionError) {
        let root = try root(named: path)
        _ = try Self.find(root, excluding: workQueue.configuration.excludedDirectories)
        workQueue.update { $0.missingAccepted(in: root.id, at: .now) }
    }

    /// Looks at every file of a root (nil: of all) again, failed ones too.
    package func rescan(_ root: RootID?) { workQueue.update { $0.rescanRequested(root, at: .now) } }

    /// Looks at what lies at a path at or below a root again: a folder with all in it, or one file; failed files too.
    package func rescan(_ place: FileKey) {
        let kind = workQueue.read { $0.openRoot(place.root) }.flatMap { root in
            // An error is met again by what follows.
            (try? root.status(beneath: place.path))?.kind
        }
        workQueue.update { scheduler in
            if kind == .regular {
                scheduler.fileNeedsReading(place, isForced: true, at: .now)
            } else {
                scheduler.rescanRequested(place, at: .now)
            }
        }
    }

    /// Reads nothing of a root (nil: of any) until `resume`; files are watched and queued all the same.
    ///
    /// - Parameters:
    ///   - root: the root.
    ///   - reason: for the status.
    ///   - drops: forgets what waits, until a scan finds it again.
    package func pause(_ root: RootID?, reason: String, drops: Bool) {
        workQueue.update { $0.rootPaused(root, reason, drops: drops, at: .now) }
    }

    /// Reads again, what was dropped too.
    package func resume(_ root: RootID?) { workQueue.update { $0.rootResumed(root, at: .now) } }

    /// Tries failed files again, whatever their time.
    ///
    /// - Parameters:
    ///   - kind: of the failure; nil: any.
    ///   - place: a file, or a folder with all in it; nil: everything.
    /// - Returns: how many were queued.
    /// - Throws: what reading the ledger throws.
    package func retryFailures(kind: String?, below place: FileKey?) throws(CatalogError) -> Int {
        var count = 0
        var last: FileKey?
        while true {
            let page = try ledger.failures(after: last, limit: 1024)
            let wanted = page.filter { row in
                guard case .failed(let failure) = row.state, kind == nil || failure.kind == kind else { return false }
                return place.map { row.key.root == $0.root && row.key.path.isWithin($0.path) } ?? true
            }
            workQueue.update { scheduler in
                for row in wanted { scheduler.fileNeedsReading(row.key, isForced: true, at: .now) }
            }
            count += wanted.count
            guard let end = page.last, page.count == 1024 else { return count }
            last = end.key
        }
    }

    /// Whether all roots are scanned and nothing waits; blocks until then or `deadline`.
    package func waitUntilIdle(until deadline: Instant) -> Bool {
        // What happened before this call has been told by the kernel, but perhaps not been taken yet.
        watcher?.drain()
        scanner.lookAtRoots()
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
        let file = try root.openFile(beneath: path)
        let status = try file.status()
        guard status.kind == .regular, status.byteCount == image.byteCount, status.modified == image.modified else {
            throw SystemError(code: SystemError.stale, operation: "open \(path)")
        }
        return file
    }
}
