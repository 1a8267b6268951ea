package import Platform
internal import Storage
internal import VectorIndex

/// One collection: images, documents, files and vectors in one LMDB environment, and the only writer to it.
///
/// Reads run on the calling thread in short read transactions; changes go to the one writer thread, which commits
/// what has come together as one transaction (group commit). Callable from any thread that may block.
package final class Catalog: Sendable {
    let store: CatalogStore
    let writer: CatalogWriter
    private let thread: WorkerThread
    private let isOpen = Monitor(true)

    /// How often a search that writers disturbed is made.
    private static let searchAttempts = 3

    package let dimension: Int

    /// Opens or makes the collection in `directory`.
    ///
    /// - Parameters:
    ///   - directory: absolute path; made when missing.
    ///   - dimension: length of the vectors.
    ///   - fingerprint: {weights, preprocessing, head} as one line of text; vectors of two never mix. What a whitening of the
    ///     collection's own adds to it is the collection's business.
    /// - Throws: `.inUse`, `.fingerprintMismatch`, `.wrongDimension`, `.newerFormat`, `.corrupted`, `.storageFull`, `.storage`.
    package convenience init(directory: String, dimension: Int, fingerprint: String) throws(CatalogError) {
        try self.init(directory: directory, dimension: dimension, fingerprint: fingerprint, options: CatalogOptions())
    }

    /// Opens or makes the collection with sizes other than the usual ones.
    package init(
        directory: String,
        dimension: Int,
        fingerprint: String,
        options: CatalogOptions
    ) throws(CatalogError) {
        self.dimension = dimension
        let configuration = CatalogConfiguration(dimension: dimension, fingerprint: fingerprint)
        let store: CatalogStore
        do throws(CatalogFailure) {
            store = try CatalogStore(directory: directory, configuration: configuration, options: options)
        } catch { throw error.error }
        do throws(CatalogFailure) {
            let writer = try CatalogWriter(store)
            do throws(SystemError) {
                thread = try WorkerThread(name: "writer") { writer.run() }
            } catch { throw .storage(StorageError(error)) }
            self.writer = writer
        } catch {
            // Linkers run already, and would for ever.
            store.close()
            throw error.error
        }
        self.store = store
    }

    deinit { close() }

    /// Stops the writer after what it holds, checkpoints and closes. Nothing may be called after it.
    package func close() {
        let wasOpen = isOpen.withLockNotifyingAll { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        guard wasOpen else { return }
        writer.stop()
        thread.join()
        store.close()
    }

    /// Counts as of the last commit. O(1)
    package var statistics: CatalogStatistics {
        let counts = store.counts
        let index = try? store.contents().index.statistics
        return CatalogStatistics(
            imageCount: counts.images,
            vectorCount: index?.vectorCount ?? 0,
            pendingCount: index?.pendingCount ?? 0,
            failedFileCount: counts.failed,
            fileCount: counts.files,
            diskByteCount: counts.usedByteCount,
            memoryByteCount: index?.memoryByteCount ?? 0
        )
    }

    // MARK: Changes

    /// Stores a batch in one transaction with others; returns after the commit: durable and searchable.
    ///
    /// With an `index` among the changes, blocks first while 131,072 vectors are not linked into the graph yet, so that
    /// searches stay quick.
    ///
    /// An image whose vector the index cannot take (all zero, not finite) becomes a failed file, kind
    /// `unusable-vector`. `index` leaves a file out whose image a user excluded, while its bytes are the same.
    /// A change of a file in a root that is not on the list has the outcome `notFound`.
    /// - Returns: one outcome a change, in order.
    /// - Throws: the whole batch was not stored: `.wrongDimension`, `.corrupted`, `.storageFull`, `.storage`.
    /// - Complexity: O(log n) a change, and two flushes to the disk for all that wait
    package func apply(_ changes: [CatalogChange]) throws(CatalogError) -> [CatalogOutcome] {
        for case .index(_, _, _, let embedded?, _) in changes where embedded.vector.count != dimension {
            throw .wrongDimension(got: embedded.vector.count, expected: dimension)
        }
        if changes.contains(where: { if case .index = $0 { true } else { false } }) { store.waitForRoom() }
        guard !changes.isEmpty, case .outcomes(let outcomes) = try writer.submit(.apply(changes)) else { return [] }
        return outcomes
    }

    /// How long ago the writer thread last came round: below a second unless a transaction takes long, or for ever. Never
    /// blocks, so that a watchdog may ask.
    package var secondsSinceWriterTurn: Double { writer.secondsSinceTurn }

    /// The root with this path, made when it is new.
    ///
    /// - Throws: `.storageFull`, `.storage`.
    package func addRoot(_ path: RelativePath) throws(CatalogError) -> RootRecord {
        guard case .root(let root) = try writer.submit(.addRoot(path)) else {
            throw .storage(detail: "root \(path) was not added")
        }
        return root
    }

    /// Notes which directory the root's rows agree with, so that a later start knows whether the same one stands there.
    ///
    /// - Throws: `.storageFull`, `.storage`.
    package func confirmRoot(_ id: RootID, _ identity: RootIdentity) throws(CatalogError) {
        _ = try writer.submit(.confirmRoot(id, identity))
    }

    /// Deletes a root with all its files and images, in bounded transactions.
    ///
    /// Nothing can be added to the root once this is called. Whatever interrupts it, a failing disk or the end of the
    /// process, the rest is removed later without being asked for.
    /// - Throws: `.storageFull`, `.storage`.
    /// - Complexity: O(files of the root), in transactions of 256
    package func removeRoot(_ id: RootID) throws(CatalogError) { try writer.removeRoot(id) }

    // MARK: Reading

    /// The images most similar to the query, best first, equal scores by id.
    ///
    /// - Throws: `.wrongDimension`, `.unusableVector`, `.corrupted`, `.storage`.
    /// - Complexity: about O(log n) through the graph, O(n) when it is exact
    package func search(_ query: CatalogQuery) throws(CatalogError) -> CatalogResults {
        guard query.vector.count == dimension else {
            throw .wrongDimension(got: query.vector.count, expected: dimension)
        }
        // A page that came out short because of a commit just then is taken again from what that commit left.
        var attempts = 0
        while true {
            let (results, isShort) = try read { (contents, transaction) throws(CatalogFailure) in
                try CatalogSearch(query: query, contents: contents).run(transaction)
            }
            attempts += 1
            if !isShort || attempts == Self.searchAttempts { return results }
        }
    }

    /// The stored vector of an image as the network gave it; nil when there is no such image.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    /// - Complexity: O(log n)
    package func vector(of id: ImageID) throws(CatalogError) -> [Float]? {
        try read { (contents, transaction) throws(CatalogFailure) in
            guard let row = try transaction.image(id) else { return nil }
            return try contents.original(row.slot, transaction).floats
        }
    }

    /// Runs `body` in a read transaction; once more when the store had to be opened again for it.
    func read<R>(
        _ body: (CatalogStore.Contents, borrowing CatalogReadTransaction) throws(CatalogFailure) -> R
    ) throws(CatalogError) -> R {
        do throws(CatalogFailure) { return try readOnce(body) } catch {
            guard error.storageCode == .panicked else { throw error.error }
        }
        _ = try writer.submit(.recover)
        do throws(CatalogFailure) { return try readOnce(body) } catch { throw error.error }
    }

    private func readOnce<R>(
        _ body: (CatalogStore.Contents, borrowing CatalogReadTransaction) throws(CatalogFailure) -> R
    ) throws(CatalogFailure) -> R {
        let contents = try store.contents()
        let transaction = try CatalogReadTransaction(store.environment, contents.tables)
        return try body(contents, transaction)
    }
}
