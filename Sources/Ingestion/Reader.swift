internal import Catalog
internal import Embedding
internal import Imaging
internal import Inference
internal import Platform

/// Reads files that need work, decides by their content what they are, and hands new images to the embedder.
///
/// Several threads run `run`; each file's outcome leaves as one commit entry.
final class Reader: Sendable {
    private let workQueue: WorkQueue
    private let ledger: any FileLedger
    private let embedder: any ImageEmbedding
    private let budget: ReadBudget
    private let committer: Committer
    private let singleFlight: SingleFlight
    private let renames: Renames
    private let sidecars: Sidecars
    private let log = Log("ingest")

    init(
        workQueue: WorkQueue,
        ledger: any FileLedger,
        embedder: any ImageEmbedding,
        budget: ReadBudget,
        committer: Committer,
        singleFlight: SingleFlight,
        sidecars: Sidecars
    ) {
        self.workQueue = workQueue
        self.ledger = ledger
        self.embedder = embedder
        self.budget = budget
        self.committer = committer
        self.singleFlight = singleFlight
        self.sidecars = sidecars
        renames = Renames(ledger: ledger)
    }

    /// The thread's body; returns when the work queue stops.
    func run() {
        while let job = workQueue.nextRead() {
            do {
                try read(job)
            } catch {
                // The ledger could not be read: the file is not at fault.
                log.error("\(job.key.path): \(error)")
                workQueue.pause(seconds: workQueue.configuration.pauseInterval)
                finish(job, .requeued)
            }
        }
    }

    private func finish(_ job: ReadJob, _ outcome: SchedulerState.Outcome) {
        workQueue.update { $0.finish(job.key, outcome, at: .now) }
    }

    // MARK: Bytes

    /// One file's bytes with the stamp that they have for certain.
    private struct Content {
        var bytes: [UInt8]
        var digest: SHA256Digest
        /// Of the image beside which it lies; empty when it has none.
        var document: [UInt8] = []
        var stamp: FileStamp
        /// Changed so shortly before that a later change could leave the stamp equal.
        var isRacy: Bool

        var ledgerStamp: FileStamp { isRacy ? stamp.smudged : stamp }
    }

    private func read(_ job: ReadJob) throws(CatalogError) {
        let row = try ledger.file(job.key)
        let content: Content?
        // Until the embedder has taken the bytes, or nobody wants them.
        var heldCount = 0
        defer { budget.give(heldCount) }
        do throws(SystemError) {
            content = try load(job, row, &heldCount)
        } catch {
            if error.saysAbsent { return gone(job, row) }
            guard error.saysExhausted else { return unreadable(job, row, error) }
            workQueue.pause(seconds: workQueue.configuration.pauseInterval)
            return finish(job, .requeued)
        }
        if let content { try decide(job, row, content) }
    }

    /// Reads the whole file.
    ///
    /// - Parameters:
    ///   - job: the file.
    ///   - row: what the ledger says of it.
    ///   - heldCount: becomes what was taken from the budget.
    /// - Returns: nil when the file's way has ended here.
    /// - Throws: `SystemError` of opening or reading it.
    private func load(_ job: ReadJob, _ row: FileRow?, _ heldCount: inout Int) throws(SystemError) -> Content? {
        let file = try job.root.directory.openFile(beneath: job.key.path)
        let status = try file.status()
        let stamp = FileStamp(status)
        let now = wallClockNanoseconds()
        let limit = workQueue.configuration.maximumFileByteCount
        if status.kind != .regular {
            gone(job, row)
        } else if !FileRow.needsWork(row, stamp: stamp, isForced: job.isForced, now: now) {
            finish(job, .unchanged)
        } else if let failure = Self.failure(ofByteCount: stamp.byteCount, limit: limit) {
            fail(job, row, stamp, content: nil, failure)
        } else {
            let byteCount = Int(stamp.byteCount)
            budget.take(byteCount)
            heldCount = byteCount
            let bytes = try file.readAll(limit: limit)
            if FileStamp(try file.status()).matches(stamp), bytes.count == Int(stamp.byteCount) {
                let isRacy = stamp.isRacy(at: now, within: workQueue.configuration.racyWindow)
                return Content(bytes: bytes, digest: SHA256Digest(of: bytes), stamp: stamp, isRacy: isRacy)
            }
            finish(job, .again)
        }
        return nil
    }

    private static func failure(ofByteCount byteCount: UInt64, limit: Int) -> FileFailure? {
        if byteCount == 0 { return Failures.image(ImagingError(.empty, "the file has no bytes")) }
        guard byteCount > UInt64(limit) else { return nil }
        return Failures.image(ImagingError(.limitExceeded, "\(byteCount) bytes; at most \(limit) are read"))
    }

    /// The file went away, or something that is no file took its name: a deletion, with its waiting time.
    private func gone(_ job: ReadJob, _ row: FileRow?) {
        workQueue.update { scheduler in
            scheduler.finish(job.key, .unchanged, at: .now)
            if row != nil { scheduler.fileChanged(job.key, .removed, at: .now) }
        }
    }

    private func unreadable(_ job: ReadJob, _ row: FileRow?, _ error: SystemError) {
        var stamp = row?.stamp ?? FileStamp(device: 0, inode: 0, byteCount: 0, modified: 0, changed: 0)
        do throws(SystemError) {
            guard let status = try job.root.directory.status(beneath: job.key.path) else { return gone(job, row) }
            stamp = FileStamp(status)
        } catch {
            log.warning("\(error)")
        }
        let failure = Failures.transient(
            "unreadable",
            error.description,
            after: row,
            delays: workQueue.configuration.backoffDelays,
            now: wallClockNanoseconds()
        )
        fail(job, row, stamp, content: nil, failure)
    }

    // MARK: Decision

    private func decide(_ job: ReadJob, _ row: FileRow?, _ content: Content) throws(CatalogError) {
        if let row, row.content == content.digest, !isDue(row, job) {
            // Touched, copied over itself, or only looked at too early before.
            let restamp = CatalogChange.restamp(key: job.key, stamp: content.ledgerStamp)
            return submit(job, row, content, [restamp], after: RowKind(row))
        }
        var content = content
        content.document = sidecars.document(of: job.key.path, in: job.root)
        let roots = workQueue.read { scheduler in scheduler.roots.compactMapValues(\.open) }
        if let old = try renames.source(of: content.digest, for: job.key, roots: roots) {
            var changes = [CatalogChange.move(from: old.key, to: job.key, stamp: content.ledgerStamp)]
            if old.document != content.document {
                changes.append(.setDocument(key: job.key, document: content.document))
            }
            submit(job, row, content, changes, after: .indexed, movedFrom: old.key.root)
        } else if try ledger.knowsContent(content.digest) {
            submit(job, row, content, [index(job, content, embedded: nil)], after: .indexed)
        } else {
            embed(job, row, content)
        }
    }

    /// Whether a failed file with the same bytes is to be tried again.
    private func isDue(_ row: FileRow, _ job: ReadJob) -> Bool {
        guard case .failed(let failure) = row.state else { return false }
        return job.isForced || failure.nextAttempt.map { $0 <= wallClockNanoseconds() } ?? false
    }

    private func index(_ job: ReadJob, _ content: Content, embedded: EmbeddedImage?) -> CatalogChange {
        .index(
            key: job.key,
            stamp: content.ledgerStamp,
            content: content.digest,
            embedded: embedded.map { image in
                (
                    vector: image.vector,
                    format: image.properties.format.rawValue,
                    width: UInt32(clamping: image.properties.width),
                    height: UInt32(clamping: image.properties.height)
                )
            },
            document: content.document
        )
    }

    private func embed(_ job: ReadJob, _ row: FileRow?, _ content: Content) {
        var light = content
        light.bytes = []
        let record = light
        let digest = content.digest
        let leads = singleFlight.join(digest) { [self] outcome in
            finish(job, row, record, outcome, leads: false)
        }
        workQueue.update { $0.decide(job.key) }
        guard leads else { return }
        embedder.submit(content.bytes) { [self] outcome in
            singleFlight.complete(digest, outcome)
            finish(job, row, record, outcome, leads: true)
        }
    }

    /// Runs on the embedder's thread: hands on, and waits for nothing.
    private func finish(
        _ job: ReadJob,
        _ row: FileRow?,
        _ content: Content,
        _ outcome: SingleFlight.Result,
        leads: Bool
    ) {
        switch outcome {
        case .success(let image):
            workQueue.update { $0.devicePause = nil }
            let change = index(job, content, embedded: image)
            submit(job, row, content, [change], after: .indexed, leading: leads ? content.digest : nil)
        case .failure(.image(let error)):
            fail(job, row, content.ledgerStamp, content: content.digest, Failures.image(error), isRacy: content.isRacy)
        case .failure(.backend(.nonFinite)):
            let failure = Failures.transient(
                "non-finite",
                "the network gave no finite vector",
                after: row,
                delays: workQueue.configuration.backoffDelays,
                now: wallClockNanoseconds()
            )
            fail(job, row, content.ledgerStamp, content: content.digest, failure, isRacy: content.isRacy)
        case .failure(.backend(let error)):
            pauseForDevice(error.description)
            finish(job, .requeued)
        case .failure(.overloaded):
            finish(job, .requeued)
        case .failure(.stopped):
            // The next start finds the file again.
            finish(job, .unchanged)
        }
    }

    private func pauseForDevice(_ detail: String) {
        let seconds = workQueue.configuration.pauseInterval
        workQueue.update { scheduler in
            let reason = "images cannot be computed: \(detail); tried again every \(Int(seconds.rounded(.up))) s"
            scheduler.devicePause = (IngestionPause(kind: .device, reason: reason), .now + seconds)
        }
    }

    // MARK: Commit entries

    private func fail(
        _ job: ReadJob,
        _ row: FileRow?,
        _ stamp: FileStamp,
        content: SHA256Digest?,
        _ failure: FileFailure,
        isRacy: Bool = false
    ) {
        log.info("\(job.key.path) cannot be searched: \(failure.kind): \(failure.message)")
        let change = CatalogChange.fail(key: job.key, stamp: stamp, content: content, failure: failure)
        var entry = CommitEntry(key: job.key, changes: [change], before: RowKind(row), after: .failed)
        entry.isRacy = isRacy
        entry.nextAttempt = failure.nextAttempt
        committer.submit(entry)
        workQueue.update { $0.decide(job.key) }
    }

    private func submit(
        _ job: ReadJob,
        _ row: FileRow?,
        _ content: Content,
        _ changes: [CatalogChange],
        after: RowKind,
        leading: SHA256Digest? = nil,
        movedFrom: RootID? = nil
    ) {
        var entry = CommitEntry(key: job.key, changes: changes, before: RowKind(row), after: after)
        entry.ledFlight = leading
        entry.movedFrom = movedFrom
        entry.isRacy = content.isRacy
        committer.submit(entry)
        // Only now: an orphan scan that begins before the move is under way would take its source out.
        workQueue.update { $0.decide(job.key) }
    }
}
