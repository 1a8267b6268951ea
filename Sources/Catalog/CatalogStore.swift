internal import LinearAlgebra
internal import Platform
internal import Storage
internal import VectorIndex

/// The open collection: its environment, tables and index, and the way back after LMDB panicked.
///
/// Reads come from any thread; everything that changes the store comes from the writer thread.
final class CatalogStore: Sendable {
    /// What can be worked with.
    struct Contents: Sendable {
        let tables: CatalogTables
        let index: VectorIndex
        /// What vectors go through before the index sees them.
        let whitening: Whitening?
    }

    private enum Phase {
        case open(Contents)
        /// The store is being opened again; readers wait.
        case recovering
        /// It could not be; the writer tries again.
        case broken(CatalogError)
    }

    /// Counts as of the last commit.
    struct Counts: Sendable {
        var images = 0
        var files = 0
        var failed = 0
        var usedByteCount = 0
        /// Whether images are missing in the records for filters.
        var lacksFields = false
    }

    let generations: CollectionGenerations
    let environment: Environment
    let configuration: CatalogConfiguration
    let options: CatalogOptions
    private let phase: Monitor<Phase>
    private let lastCounts = Monitor(Counts())
    /// Roots whose rows are being removed or were: answers that began before still name them.
    private let former = Monitor<[RootRecord]>([])
    /// Wakes those who follow the change feed.
    let feed = ChangeSignal()

    init(directory: String, configuration: CatalogConfiguration, options: CatalogOptions) throws(CatalogFailure) {
        let generations = try CollectionGenerations(directory)
        let environment = try storing { () throws(StorageError) in
            try Environment(directory: generations.currentDirectory, options: options.sizes)
        }
        // The lock on the current generation is held: nobody writes another one.
        generations.removeOthers()
        self.generations = generations
        self.options = options
        self.environment = environment
        self.configuration = configuration
        let contents = try Self.load(environment, configuration, options)
        phase = Monitor(.open(contents))
        do throws(CatalogFailure) { try refreshCounts() } catch {
            // Linkers run already, and would for ever.
            contents.index.stop()
            throw error
        }
    }

    /// Opens or makes all databases, reads the index into memory and starts linking.
    private static func load(
        _ environment: Environment,
        _ configuration: CatalogConfiguration,
        _ options: CatalogOptions
    ) throws(CatalogFailure) -> Contents {
        while true {
            do throws(CatalogFailure) {
                let transaction = try CatalogWriteTransaction(opening: environment)
                let tables = transaction.tables
                let whitening = try configuration.agree(transaction)
                let index: VectorIndex
                do throws(IndexError) {
                    index = try VectorIndex(
                        dimension: configuration.dimension,
                        transaction: transaction.storage,
                        parameters: options.index
                    )
                } catch { throw CatalogFailure(error) }
                try transaction.commit()
                do throws(SystemError) { try index.start() } catch { throw .storage(StorageError(error)) }
                return Contents(tables: tables, index: index, whitening: whitening)
            } catch {
                guard error.storageCode == .mapFull else { throw error }
                try storing { () throws(StorageError) in try environment.grow() }
            }
        }
    }

    /// The tables and the index, once nothing is being recovered.
    func contents() throws(CatalogFailure) -> Contents {
        let found = phase.wait { phase -> Result<Contents, CatalogError>? in
            switch phase {
            case .open(let contents): .success(contents)
            case .recovering: nil
            case .broken(let error): .failure(error)
            }
        }
        switch found {
        case .success(let contents): return contents
        case .failure(let error): throw .catalog(error)
        case nil: throw .catalog(.storage(detail: "the collection is closed"))
        }
    }

    /// Whether transactions fail until `recover`.
    var isPanicked: Bool {
        if case .open = phase.withLock({ $0 }) {} else { return true }
        do throws(StorageError) {
            _ = try ReadTransaction(environment)
            return false
        } catch { return error.code == .panicked }
    }

    /// Opens the store again and reads everything from the disk: memory may know what the disk does not, or less.
    ///
    /// Called by the writer thread without a transaction. The old index is let go first, since two may not fit.
    func recover() throws(CatalogFailure) {
        phase.withLockNotifyingAll { phase in
            if case .open(let contents) = phase { contents.index.stop() }
            phase = .recovering
        }
        do throws(CatalogFailure) {
            try storing { () throws(StorageError) in try environment.reopen() }
            let contents = try Self.load(environment, configuration, options)
            phase.withLockNotifyingAll { $0 = .open(contents) }
            try refreshCounts()
        } catch {
            phase.withLockNotifyingAll { phase in
                if case .open(let contents) = phase { contents.index.stop() }
                phase = .broken(error.error)
            }
            throw error
        }
    }

    /// Blocks while linking lags far behind. Returns at once where the store does not work: the change then says why.
    func waitForRoom() {
        guard let contents = try? contents() else { return }
        contents.index.applyBackpressure()
    }

    /// Ends the linkers and gives the directory free.
    func close() {
        feed.close()
        if case .open(let contents) = phase.withLock({ $0 }) { contents.index.stop() }
        environment.close()
    }

    // MARK: Roots that go

    private static let formerCapacity = 1024

    /// A root is about to lose its last rows.
    func rootLeaves(_ root: RootRecord) {
        former.withLockNotifyingAll { former in
            if former.contains(where: { $0.id == root.id }) { return }
            former.append(root)
            if former.count > Self.formerCapacity { former.removeFirst() }
        }
    }

    func formerRoots(without known: Set<RootID>) -> [RootRecord] {
        former.withLock { former in former.filter { !known.contains($0.id) } }
    }

    // MARK: Counts

    var counts: Counts { lastCounts.withLock { $0 } }

    /// Reads the counts that LMDB keeps and where the change feed ends, and tells those who wait for it. O(1)
    func refreshCounts() throws(CatalogFailure) {
        let tables = try contents().tables
        let transaction = try CatalogReadTransaction(environment, tables)
        let lacksFields = try !FieldIndexState(transaction).isComplete
        let counts = Counts(
            images: try transaction.count(of: tables.images),
            files: try transaction.count(of: tables.files),
            failed: try transaction.count(of: tables.failed),
            usedByteCount: try storing { () throws(StorageError) in try environment.statistics.usedByteCount },
            lacksFields: lacksFields
        )
        lastCounts.withLockNotifyingAll { $0 = counts }
        // A damaged state refuses changes; searches go on.
        if let sequence = (try? CatalogState(transaction))?.sequence { feed.note(sequence) }
    }
}
