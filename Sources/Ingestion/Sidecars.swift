internal import Catalog
internal import Filters
internal import Platform

/// The sidecar files of images: finds the document beside an image, and the images beside a document.
///
/// `SidecarNames` says what a document may be called, `JSONDocument` what one is. A bad one is a row of the ledger of its
/// own (`invalid-document`), and its image is indexed without a document.
struct Sidecars: Sendable {
    /// What lies beside an image.
    struct Finding {
        /// Empty without a good document in the strongest place that has a file.
        var document: [UInt8] = []
        /// Files in the other places, and one that is no good document: each is to be examined on its own.
        var others: [FileKey] = []
    }

    /// What is wrong with a sidecar, and the file's stamp.
    struct Fault {
        /// Smudged where it is racy.
        var stamp: FileStamp
        var isRacy: Bool
        var failure: FileFailure
    }

    private enum Reading {
        case absent
        case document([UInt8])
        case bad(String, FileStamp)
        case unreadable(SystemError)
    }

    let ledger: any FileLedger
    private let workQueue: WorkQueue
    private var configuration: IngestionConfiguration { workQueue.configuration }
    /// The ledger has longer paths by digest, not in order.
    private static let longestOrderedPath = 400

    init(ledger: any FileLedger, workQueue: WorkQueue) {
        self.ledger = ledger
        self.workQueue = workQueue
    }

    /// Whether images of a root must have a document; one without a good one is a failed file until it comes.
    func isRequired(in root: RootID) -> Bool {
        workQueue.read { $0.rules(of: root) }?.settings.requiresDocument ?? false
    }

    /// Where an image's document may lie, the stronger place first.
    static func places(for image: RelativePath) -> [RelativePath] {
        let directory = image.parent
        return SidecarNames.names(for: image.name).map(directory.appending)
    }

    // MARK: From an image to its document

    /// Reads the document of an image.
    func look(beside image: FileKey, in root: OpenRoot) -> Finding {
        var finding = Finding()
        var isDecided = false
        for place in Self.places(for: image.path) {
            if isDecided {
                if exists(place, in: root) { finding.others.append(FileKey(root: image.root, path: place)) }
                continue
            }
            switch read(place, in: root) {
            case .absent: continue
            case .document(let bytes): finding.document = bytes
            case .bad, .unreadable: finding.others.append(FileKey(root: image.root, path: place))
            }
            isDecided = true
        }
        return finding
    }

    /// The files that lie where an image's document may lie, good or bad.
    func files(beside image: FileKey, in root: OpenRoot) -> [FileKey] {
        Self.places(for: image.path).filter { exists($0, in: root) }.map { FileKey(root: image.root, path: $0) }
    }

    /// The file that decides an image's document, good or bad.
    func strongestFile(beside image: FileKey, in root: OpenRoot) -> RelativePath? {
        Self.places(for: image.path).first { exists($0, in: root) }
    }

    private func exists(_ place: RelativePath, in root: OpenRoot) -> Bool {
        do throws(SystemError) {
            return try root.status(beneath: place)?.kind == .regular
        } catch {
            // Something is there, or was when it was looked at; but no name that is too long for the file system.
            return !error.saysNameTooLong
        }
    }

    // MARK: One file

    /// Why a file is no document; nil where it is one, or is gone.
    ///
    /// - Parameters:
    ///   - key: of the sidecar.
    ///   - root: its root.
    ///   - row: the sidecar's, for the backoff of files that cannot be read.
    /// - Returns: the first thing that is wrong.
    func fault(of key: FileKey, in root: OpenRoot, after row: FileRow?) -> Fault? {
        let now = wallClockNanoseconds()
        switch read(key.path, in: root) {
        case .absent, .document: return nil
        case .bad(let reason, let stamp):
            let isRacy = stamp.isRacy(at: now, within: configuration.racyWindow)
            return Fault(
                stamp: isRacy ? stamp.smudged : stamp,
                isRacy: isRacy,
                failure: FileFailure(
                    kind: FileFailure.invalidDocumentKind,
                    message: reason,
                    attempts: 1,
                    nextAttempt: nil
                )
            )
        case .unreadable(let error):
            var stamp = row?.stamp ?? FileStamp(device: 0, inode: 0, byteCount: 0, modified: 0, changed: 0)
            if let status = try? root.status(beneath: key.path) { stamp = FileStamp(status) }
            let failure = FileFailure.transient(
                FileFailure.invalidDocumentKind,
                "it cannot be read: \(error)",
                after: row,
                delays: configuration.backoffDelays,
                now: now
            )
            return Fault(stamp: stamp, isRacy: false, failure: failure)
        }
    }

    private func read(_ place: RelativePath, in root: OpenRoot) -> Reading {
        let limit = configuration.maximumSidecarByteCount
        let stamp: FileStamp
        let bytes: [UInt8]
        do throws(SystemError) {
            let file = try root.openFile(beneath: place)
            let status = try file.status()
            guard status.kind == .regular else { return .absent }
            stamp = FileStamp(status)
            guard status.byteCount <= UInt64(limit) else {
                return .bad("it has \(status.byteCount) bytes; at most \(limit) are read", stamp)
            }
            bytes = try file.readAll(limit: limit)
        } catch {
            return error.saysAbsent || error.saysNameTooLong ? .absent : .unreadable(error)
        }
        do throws(JSONFault) { try JSONDocument.check(bytes) } catch {
            return .bad(error.description(in: bytes), stamp)
        }
        return .document(bytes)
    }

    // MARK: From a document to its images

    /// Rows of the image files whose document a file may be.
    func rows(beside sidecar: FileKey) throws(CatalogError) -> [FileRow] {
        let directory = sidecar.path.parent
        let images = SidecarNames.images(beside: sidecar.path.name)
        var rows: [RelativePath: FileRow] = [:]
        for name in images.names {
            let key = FileKey(root: sidecar.root, path: directory.appending(name))
            if let row = try ledger.file(key) { rows[key.path] = row }
        }
        for prefix in images.prefixes {
            try collect(sidecar.root, directory.appending(prefix), into: &rows)
        }
        return rows.values.filter { row in
            !row.key.path.isSidecar && Self.places(for: row.key.path).contains(sidecar.path)
        }.sorted { $0.key.path < $1.key.path }
    }

    /// Rows of files in one folder whose paths begin so.
    private func collect(
        _ root: RootID,
        _ prefix: RelativePath,
        into rows: inout [RelativePath: FileRow]
    ) throws(CatalogError) {
        let ordered = Array(prefix.bytes.prefix(Self.longestOrderedPath))
        var last = RelativePath(bytes: ordered)
        while true {
            let page = try ledger.files(in: root, after: last, limit: 64)
            for row in page {
                guard row.key.path.bytes.starts(with: ordered) else { return }
                if row.key.path.bytes.starts(with: prefix.bytes) { rows[row.key.path] = row }
            }
            guard let end = page.last, page.count == 64 else { return }
            last = end.key.path
        }
    }
}

extension FileFailure {
    /// The kind of an image that must have a document and has none.
    static let documentMissing = "document-missing"

    /// An image without the document that it must have. It is read again when a document comes.
    static func missingDocument(of image: RelativePath, badly: Bool) -> FileFailure {
        let name = SidecarNames.names(for: image.name).first ?? Array(image.name)
        let text = RelativePath(bytes: name)
        let message =
            badly ? "what lies beside it is no good document" : "no document lies beside it, such as \(text)"
        return FileFailure(kind: documentMissing, message: message, attempts: 1, nextAttempt: nil)
    }
}

extension RelativePath {
    /// Whether its name is one of documents.
    var isSidecar: Bool { KnownNames.kind(ofFile: name) == .document }
}

extension FileLedger {
    /// Bad documents that are listed beside a path.
    func badDocuments(beside image: FileKey) throws(CatalogError) -> [FileKey] {
        if image.path.isSidecar { return [] }
        var keys: [FileKey] = []
        for place in Sidecars.places(for: image.path) {
            let key = FileKey(root: image.root, path: place)
            if try file(key) != nil { keys.append(key) }
        }
        return keys
    }
}
