import Catalog
import DeviceReports
import Embedding
import Filters
import Foundation
import Glibc
import Inference
import Ingestion
import LinearAlgebra
import ModelFiles
import Platform
import Server
import TestSupport

/// A daemon without any room below the server: images are numbers, vectors are short. Its collections are `default` and
/// `work`.
final class FakeDaemon: DaemonControl {
    struct Seen {
        var embedded: [[UInt8]] = []
        var addedRoots: [String] = []
        var removedRoots: [String] = []
        var rescans: [String?] = []
        var accepted: [String] = []
        var created: [String] = []
        var removed: [String] = []
        /// The collections that these were for.
        var collections: [String?] = []
        var imports: [(name: String, byteCount: Int, path: String)] = []
        var uses: [String] = []
    }

    let fakeCatalog: FakeCatalog
    private let work: FakeCollection
    let directory: TemporaryDirectory
    let seen = Monitor(Seen())
    /// Runs in `embed`, to be slow or to fail.
    let onEmbed: @Sendable ([UInt8]) throws(DaemonError) -> Void
    /// Files that stand for the images, in turn; empty: a made-up picture.
    let pictures: [URL]

    init(
        imageCount: Int = 5,
        oddName: [UInt8]? = nil,
        pictures: [URL] = [],
        onEmbed: @escaping @Sendable ([UInt8]) throws(DaemonError) -> Void = { _ throws(DaemonError) in }
    ) throws {
        fakeCatalog = FakeCatalog(imageCount: imageCount, oddName: oddName)
        work = FakeCollection(name: "work", images: FakeCatalog(imageCount: 2, root: "/work"), daemon: nil)
        directory = try TemporaryDirectory()
        self.pictures = pictures
        self.onEmbed = onEmbed
    }

    var collections: any CollectionControl { FakeCollections(daemon: self, work: work) }

    var temporaryDirectory: String { directory.path }

    static let model = ServedModel(
        ModelSummary(
            name: "vgg16-seeded",
            description: ModelDescription(architecture: .vgg16, preprocessing: .keras, isUntrained: true),
            weightsDigest: SHA256Digest(of: [])
        ),
        isInUse: true
    )

    let version = DaemonVersion(number: "0", libraries: ["libpng": "1.6.39"])

    static let offline = RootStatus(
        root: RootRecord(id: RootID(rawValue: 1), path: RelativePath("/photos")),
        state: .offline,
        detail: "not mounted",
        entryCount: 9,
        excludedCounts: [.link: 1, .notAnImage: 2],
        indexedCount: 5,
        failedCount: 1,
        waitingCount: 0
    )

    func conditions() -> DaemonConditions {
        DaemonConditions(
            work: .sum(collections.statuses.map(\.work)),
            unusable: [],
            unwatched: [],
            isModelUntrained: true,
            backend: BackendDescription(backend: "cpu", device: "test", tier: "fp32", threads: 1),
            devices: [],
            freeDiskByteCount: 1 << 40
        )
    }

    func indexFault() -> String? { "default: the disk broke" }

    func status(_ name: String?) throws(DaemonError) -> DaemonStatus {
        DaemonStatus(
            uptimeSeconds: 1,
            collections: name == nil ? collections.statuses : [try collections.find(name).status],
            conditions: conditions(),
            model: Self.model,
            head: .max,
            deviceReason: "test",
            knownDevices: nil,
            embedding: EmbeddingStatistics(),
            memory: .init(byteCount: 1, peakByteCount: 1)
        )
    }

    func embed(_ encoded: [UInt8]) throws(DaemonError) -> [Float] {
        seen.withLockNotifyingAll { $0.embedded.append(encoded) }
        try onEmbed(encoded)
        return [1, 0]
    }

    fileprivate func open(_ image: ImageRecord) throws(DaemonError) -> OwnedDescriptor {
        guard image.id.rawValue != 2 else { throw .fileUnavailable(image.id, cause: Self.gone) }
        let file = "\(directory.path)/content-\(image.id)"
        if let picture = picture(image.id) {
            try? FileManager.default.copyItem(at: picture, to: URL(filePath: file))
        } else {
            try? Data(FakeCatalog.content(of: image.id)).write(to: URL(filePath: file))
        }
        do throws(SystemError) {
            return try OwnedDescriptor.open(file, O_RDONLY)
        } catch {
            throw .system(error)
        }
    }

    private func picture(_ id: ImageID) -> URL? {
        pictures.isEmpty ? nil : pictures[Int(id.rawValue) % pictures.count]
    }

    fileprivate func thumbnail(_ image: ImageRecord, longSide: Int) throws(DaemonError) -> [UInt8] {
        if let picture = picture(image.id), let data = try? Data(contentsOf: picture) { return [UInt8](data) }
        return Array("thumbnail of \(image.id) at \(longSide)".utf8)
    }

    static let gone = SystemError(code: ENOENT, operation: "open")

    func models() throws(DaemonError) -> [ServedModel] { [Self.model] }
    func manifests() throws(DaemonError) -> [ModelManifest] { [] }

    func importModel(_ request: ModelImport) throws(DaemonError) -> ServedModel {
        let file = request.temporaryFile
        let size = (try? FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? nil
        seen.withLockNotifyingAll { $0.imports.append((request.name, size ?? -1, file)) }
        return Self.model
    }

    var pageLink: String? { "http://127.0.0.1:8473/#token=secret" }

    func useModel(name: String, head: String?) throws(DaemonError) {
        seen.withLockNotifyingAll { $0.uses.append("\(name) \(head ?? "-")") }
    }
}

/// The two collections, and what is done to the list.
struct FakeCollections: CollectionControl {
    let daemon: FakeDaemon
    let work: FakeCollection

    private var standard: FakeCollection { FakeCollection(name: "default", images: daemon.fakeCatalog, daemon: daemon) }

    func find(_ name: String?) throws(DaemonError) -> FakeCollection {
        switch name {
        case nil, "default": return standard
        case "work" where !daemon.seen.withLockNotifyingAll({ $0.removed.contains("work") }): return work
        default: throw .collectionNotFound(name: name ?? "", known: ["default", "work"])
        }
    }

    var statuses: [CollectionStatus] { [standard.status, work.status] }
    var unusable: [UnusableCollection] { [] }

    func create(_ name: String) throws(DaemonError) -> FakeCollection {
        daemon.seen.withLockNotifyingAll { $0.created.append(name) }
        return work
    }

    func remove(_ name: String) throws(DaemonError) {
        let found = try find(name).name
        daemon.seen.withLockNotifyingAll { $0.removed.append(found) }
    }

    func changeRoot(
        _ path: String,
        of collection: String?,
        settings: [String: JSONValue]
    ) throws(DaemonError) -> (root: RootStatus, collection: String) {
        guard path == "/photos" else { throw .ingestion(.noSuchRoot(path: path)) }
        return try addRoot(path, to: collection, settings: settings)
    }

    func addRoot(
        _ path: String,
        to collection: String?,
        settings: [String: JSONValue]
    ) throws(DaemonError) -> (root: RootStatus, collection: String) {
        var applied = RootSettings()
        do throws(RuleError) {
            try applied.apply(settings.filter { if case .null = $0.value { false } else { true } })
        } catch { throw .rule(error) }
        daemon.seen.withLockNotifyingAll {
            $0.addedRoots.append(path)
            $0.collections.append(collection)
        }
        var status = FakeDaemon.offline
        status.root = RootRecord(id: RootID(rawValue: 2), path: RelativePath(path))
        status.settings = applied
        return (status, collection ?? "default")
    }

    func removeRoot(_ path: String, from collection: String?) throws(DaemonError) -> Bool {
        daemon.seen.withLockNotifyingAll {
            $0.removedRoots.append(path)
            $0.collections.append(collection)
        }
        return path == "/configured"
    }

    func acceptMissing(in path: String, of collection: String?) throws(DaemonError) {
        daemon.seen.withLockNotifyingAll {
            $0.accepted.append(path)
            $0.collections.append(collection)
        }
    }

    func setLoading(isPaused: Bool, of path: String?, in collection: String?, drops: Bool) throws(DaemonError) {
        if let path, path != "/photos" { throw .ingestion(.noSuchRoot(path: path)) }
        daemon.seen.withLockNotifyingAll { $0.uses.append(isPaused ? (drops ? "cancel" : "pause") : "resume") }
    }

    func retryFailures(kind: String?, below path: RelativePath?, in collection: String?) throws(DaemonError) -> Int {
        if let path, path != RelativePath("/photos/a") { throw .ingestion(.noSuchRoot(path: path.description)) }
        return kind == "corrupt" ? 2 : 3
    }

    func rescan(_ path: RelativePath?, in collection: String?) throws(DaemonError) {
        daemon.seen.withLockNotifyingAll {
            $0.rescans.append(path?.bytes.percentEncoded)
            $0.collections.append(collection)
        }
    }
}

/// One collection of it; what is no matter of the catalog is the daemon's, where there is one.
final class FakeCollection: ServedCollection {
    let name: String
    private let images: FakeCatalog
    private let daemon: FakeDaemon?

    init(name: String, images: FakeCatalog, daemon: FakeDaemon?) {
        self.name = name
        self.images = images
        self.daemon = daemon
    }

    var catalog: any ImageCatalog { images }

    var status: CollectionStatus {
        let count = images.count
        let stored = CatalogStatistics(
            imageCount: count,
            vectorCount: count,
            pendingCount: 0,
            failedFileCount: 1,
            fileCount: count,
            diskByteCount: 1,
            memoryByteCount: 1
        )
        var work = IngestionStatus.sum([])
        if daemon != nil {
            work.waitingCount = 36
            work.doneCount = 64
            work.imagesPerSecond = 12
            work.roots = [FakeDaemon.offline]
        }
        return CollectionStatus(name: name, stored: stored, work: work)
    }

    func open(_ image: ImageRecord) throws(DaemonError) -> OwnedDescriptor {
        guard let daemon else { throw .fileUnavailable(image.id, cause: FakeDaemon.gone) }
        return try daemon.open(image)
    }

    func exclusions(reason: ExclusionReason?, after: FileKey?, limit: Int) throws(DaemonError) -> [Exclusion] {
        let all = [("a/.hidden.jpg", ExclusionReason.hidden), ("a/link.jpg", .link), ("b", .unreadableFolder)]
            .map { Exclusion(key: FileKey(root: RootID(rawValue: 1), path: RelativePath($0.0)), reason: $0.1) }
        let rest = all.filter { one in after.map { $0.path < one.key.path } ?? true }
        return Array(rest.filter { reason == nil || $0.reason == reason }.prefix(limit))
    }

    func thumbnail(_ image: ImageRecord, longSide: Int) throws(DaemonError) -> [UInt8] {
        try daemon?.thumbnail(image, longSide: longSide) ?? Array("work \(image.id)".utf8)
    }

    /// Of two numbers, learned from 300 vectors.
    static let whitening = Whitening(mean: [0, 0], matrix: [1, 0, 0, 1], sampleCount: 300)

    func learnWhitening() throws(DaemonError) -> Whitening {
        daemon?.seen.withLockNotifyingAll { $0.uses.append("whitening") }
        guard let whitening = Self.whitening else { throw .unexpected("no whitening") }
        return whitening
    }

    func removeWhitening() throws(DaemonError) { daemon?.seen.withLockNotifyingAll { $0.uses.append("no whitening") } }
}

/// Images 1, 2, ... whose vectors turn away from (1, 0) step by step.
final class FakeCatalog: ImageCatalog {
    private let images: Monitor<[ImageID: ImageRecord]>
    private let oddName: [UInt8]?

    /// `oddName` is that of image 2, of the last failed file, and of a folder above the root.
    init(imageCount: Int, root: String = "/photos", oddName: [UInt8]? = nil) {
        self.oddName = oddName
        let path = oddName.map { RelativePath(root).appending($0) } ?? RelativePath(root)
        self.root = RootRecord(id: RootID(rawValue: 1), path: path)
        var images: [ImageID: ImageRecord] = [:]
        for number in 1...UInt64(imageCount) {
            let id = ImageID(rawValue: number)
            images[id] = Self.record(id)
        }
        if let oddName {
            images[ImageID(rawValue: 2)]?.key = FileKey(root: RootID(rawValue: 1), path: RelativePath(bytes: oddName))
            images[ImageID(rawValue: 2)]?.document = Array(#"{"id":1234567890123456789}"#.utf8)
        }
        self.images = Monitor(images)
    }

    var count: Int { images.withLockNotifyingAll { $0.count } }

    /// Image 4 has the deepest document that is shown, image 5 one that is far too deep.
    private static func document(_ id: ImageID) -> [UInt8] {
        let depth = [4: 31, 5: 100_000][id.rawValue, default: 0]
        let value =
            depth == 0 ? "\"X100\"" : String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        return Array("{\"camera\":\(value)}".utf8)
    }

    static func content(of id: ImageID) -> [UInt8] { Array("content of \(id)".utf8) }

    private static func record(_ id: ImageID) -> ImageRecord {
        ImageRecord(
            id: id,
            key: FileKey(root: RootID(rawValue: 1), path: RelativePath("2021/Ärger \"\(id)\".jpg")),
            content: SHA256Digest(of: content(of: id)),
            format: "jpeg",
            width: 384,
            height: 256,
            byteCount: 12,
            modified: 1_609_459_200_000_000_000,
            added: 1_609_459_201_000_000_000,
            document: document(id)
        )
    }

    private func vector(_ id: ImageID) -> [Float] {
        let angle = Float(id.rawValue - 1) * 0.05
        return [Float(cos(Double(angle))), Float(sin(Double(angle)))]
    }

    func apply(_ changes: [CatalogChange]) throws(CatalogError) -> [CatalogOutcome] {
        changes.map { change in
            guard case .exclude(let id) = change else { return .notFound }
            return images.withLockNotifyingAll { $0.removeValue(forKey: id) } == nil ? .notFound : .done(id)
        }
    }

    func search(_ query: CatalogQuery) throws(CatalogError) -> CatalogResults {
        let all = images.withLockNotifyingAll { Array($0.values) }
        let hits = all.filter { $0.id != query.excluded && query.filter?.matches(FakeSubject(image: $0)) ?? true }
            .map { record in
                let score = zip(vector(record.id), query.vector).map { $0 * $1 }.reduce(0, +)
                return CatalogHit(image: record, score: score)
            }
            .filter { $0.score >= query.minimumScore }
            .sorted { $0.score > $1.score }
        return CatalogResults(
            hits: Array(hits.dropFirst(query.offset).prefix(query.limit)),
            total: all.count,
            searchNanoseconds: 1000,
            loadNanoseconds: 500
        )
    }

    func vector(of id: ImageID) throws(CatalogError) -> [Float]? { try image(id).map { vector($0.id) } }
    func image(_ id: ImageID) throws(CatalogError) -> ImageRecord? { images.withLockNotifyingAll { $0[id] } }

    func images(after cursor: ImageID?, limit: Int) throws(CatalogError) -> [ImageRecord] {
        let sorted = images.withLockNotifyingAll { $0.values.sorted { $0.id < $1.id } }
        return Array(sorted.filter { $0.id.rawValue > cursor?.rawValue ?? 0 }.prefix(limit))
    }

    private func matching(_ filter: Filter) -> [ImageRecord] {
        images.withLockNotifyingAll {
            $0.values.filter { filter.matches(FakeSubject(image: $0)) }.sorted { $0.id < $1.id }
        }
    }

    func images(matching filter: Filter, after cursor: ImageID?, limit: Int) throws(CatalogError) -> FilteredImages {
        let found = matching(filter)
        let page = found.filter { $0.id.rawValue > cursor?.rawValue ?? 0 }.prefix(limit)
        return FilteredImages(images: Array(page), total: found.count)
    }

    func excludeImages(matching filter: Filter) throws(CatalogError) -> Int {
        let ids = matching(filter).map(\.id)
        images.withLockNotifyingAll { for id in ids { $0[id] = nil } }
        return ids.count
    }

    private let root: RootRecord

    func roots() throws(CatalogError) -> [RootRecord] { [root] }

    func namedRoots() throws(CatalogError) -> [RootRecord] { [root] }
    private func name(ofFailure number: Int) -> RelativePath {
        let name = RelativePath("broken-\(number).jpg")
        return number == 3 ? oddName.map { RelativePath(bytes: name.bytes + $0) } ?? name : name
    }

    func failures(after key: FileKey?, limit: Int) throws(CatalogError) -> [FileRow] {
        // The fourth is an exclusion: no failure.
        let rows = (1...4).map { number in
            FileRow(
                key: FileKey(root: RootID(rawValue: 1), path: name(ofFailure: number)),
                stamp: FileStamp(device: 0, inode: 0, byteCount: 0, modified: 0, changed: 0),
                content: nil,
                state: .failed(
                    FileFailure(
                        kind: number == 4 ? FileFailure.tooSmallKind : "corrupt",
                        message: "ends early",
                        attempts: 1,
                        nextAttempt: 1_609_459_200_000_000_000
                    )
                )
            )
        }
        return Array(rows.filter { row in key.map { row.key.path > $0.path } ?? true }.prefix(limit))
    }
}

/// An image for filters: its document, and its number as `width`.
private struct FakeSubject: FilterSubject {
    let image: ImageRecord

    var documentFields: [DocumentField] { DocumentField.fields(of: image.document) }
    var absolutePath: FilterValue { FilterValue(string: Array("/photos/".utf8) + image.key.path.bytes) }

    func value(of field: BuiltInField) -> FilterValue {
        field == .width ? FilterValue(Double(image.id.rawValue)) : FilterValue(string: image.key.path.bytes)
    }
}
