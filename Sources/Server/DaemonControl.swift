package import Catalog
package import Filters
package import Ingestion
package import LinearAlgebra
package import ModelFiles
package import Platform

/// The interface through which the routes reach the rest of the daemon. `Daemon` implements it; tests fake it.
///
/// Values and errors are those of the targets below; `Mapping` alone turns them into what goes over the wire. All
/// methods block and may be called from any thread that may block.
package protocol DaemonControl: ModelControl, MaintenanceControl {
    var version: DaemonVersion { get }
    /// All collections.
    var collections: any CollectionControl { get }
    /// The page's address with its token; nil when no page is served.
    var pageLink: String? { get }
    /// Where request bodies may be written while they arrive.
    var temporaryDirectory: String { get }

    /// Of one collection; with nil, of all of them.
    func status(_ collection: String?) throws(DaemonError) -> DaemonStatus
    /// What readiness and warnings depend on. It costs less than a status: searches ask for it.
    func conditions() -> DaemonConditions
    /// Why a collection cannot be read; nil when all can.
    func indexFault() -> String?
    /// Image bytes to a vector, the same for every collection (query queue).
    func embed(_ encoded: [UInt8]) throws(DaemonError) -> [Float]
}

/// All collections, and the folders that they watch.
package protocol CollectionControl: Sendable {
    associatedtype Served: ServedCollection

    /// The collection with a name that a client gave; `default` with nil.
    ///
    /// - Throws: `.collectionNotFound` with the names that there are.
    func find(_ name: String?) throws(DaemonError) -> Served
    /// Those that can be used, by name.
    var statuses: [CollectionStatus] { get }
    /// Those that cannot, with the reasons, by name.
    var unusable: [UnusableCollection] { get }
    func create(_ name: String) throws(DaemonError) -> Served
    func remove(_ name: String) throws(DaemonError)

    /// Watches a folder for a collection, `default` with nil.
    ///
    /// - Parameters:
    ///   - path: of the folder; one that is watched already gets the settings.
    ///   - collection: whose images its files become.
    ///   - settings: members of `RootSettings`; null takes one back.
    /// - Returns: the folder's state, and the collection's name.
    /// - Throws: `.ingestion`, and `.rule` for settings that cannot be used.
    func addRoot(
        _ path: String,
        to collection: String?,
        settings: [String: JSONValue]
    ) throws(DaemonError) -> (root: RootStatus, collection: String)
    /// Gives a watched folder other settings, of whichever collection it is unless that is said.
    func changeRoot(
        _ path: String,
        of collection: String?,
        settings: [String: JSONValue]
    ) throws(DaemonError) -> (root: RootStatus, collection: String)
    /// Of whichever collection it is, unless that is said.
    ///
    /// - Returns: whether the settings name it, so that it is watched again at the next start.
    func removeRoot(_ path: String, from collection: String?) throws(DaemonError) -> Bool
    /// Takes the files that are missing in a root, as it stands there now, for gone.
    func acceptMissing(in path: String, of collection: String?) throws(DaemonError)
    /// What lies at a path at or below a root, or all of a collection, or all; failed files too.
    func rescan(_ path: RelativePath?, in collection: String?) throws(DaemonError)
    /// Begins or ends a pause of loading, of one root, of a collection, or of all. `drops` forgets what waits.
    func setLoading(isPaused: Bool, of path: String?, in collection: String?, drops: Bool) throws(DaemonError)
    /// Tries failed files again: of a kind, at or below a path, of a collection, or all; says how many were queued.
    func retryFailures(kind: String?, below path: RelativePath?, in collection: String?) throws(DaemonError) -> Int
}

/// One collection as the routes see it. A request keeps the one that it began with; once that is removed, what reads it
/// throws.
package protocol ServedCollection: Sendable {
    var name: String { get }
    var catalog: any ImageCatalog { get }
    var status: CollectionStatus { get }
    /// Opens an image's file, below its root only, if it is still the file that was indexed.
    func open(_ image: ImageRecord) throws(DaemonError) -> OwnedDescriptor
    /// What is left out of its folders, a page in order of the walk.
    func exclusions(reason: ExclusionReason?, after: FileKey?, limit: Int) throws(DaemonError) -> [Exclusion]
    /// A small upright JPEG.
    func thumbnail(_ image: ImageRecord, longSide: Int) throws(DaemonError) -> [UInt8]

    /// Learns a whitening from the collection and writes the collection anew with it; the daemon then restarts itself
    /// in place.
    func learnWhitening() throws(DaemonError) -> Whitening
    /// The same without whitening; nothing happens where there is none.
    func removeWhitening() throws(DaemonError)
}

/// What the routes need of a collection's store: `Catalog`, or a stand-in in tests.
package protocol ImageCatalog: Sendable {
    func apply(_ changes: [CatalogChange]) throws(CatalogError) -> [CatalogOutcome]
    func search(_ query: CatalogQuery) throws(CatalogError) -> CatalogResults
    func vector(of id: ImageID) throws(CatalogError) -> [Float]?
    func image(_ id: ImageID) throws(CatalogError) -> ImageRecord?
    func images(after cursor: ImageID?, limit: Int) throws(CatalogError) -> [ImageRecord]
    func images(matching filter: Filter, after cursor: ImageID?, limit: Int) throws(CatalogError) -> FilteredImages
    func excludeImages(matching filter: Filter) throws(CatalogError) -> Int
    func failures(after key: FileKey?, limit: Int) throws(CatalogError) -> [FileRow]
    /// Watched folders.
    func roots() throws(CatalogError) -> [RootRecord]
    /// Those, and the ones whose rows are being removed.
    func namedRoots() throws(CatalogError) -> [RootRecord]
}

extension Catalog: ImageCatalog {}

/// The library of models.
package protocol ModelControl: Sendable {
    func models() throws(DaemonError) -> [ServedModel]
    /// Manifests that the program contains.
    func manifests() throws(DaemonError) -> [ModelManifest]
    func importModel(_ request: ModelImport) throws(DaemonError) -> ServedModel
    /// Stores the choice; the daemon then restarts itself in place with the new model.
    func useModel(name: String, head: String?) throws(DaemonError)
}

/// A weight file that arrived, and what was said of it.
package struct ModelImport: Sendable {
    package var name: String
    /// Where it lies; stays the caller's to remove.
    package var temporaryFile: String
    package var preprocessing: String?
    package var head: String?
    /// The name of an embedded manifest, or a manifest itself (JSON).
    package var manifest: String?
}

/// Backup, verification and rebuilding of what is stored.
package protocol MaintenanceControl: Sendable {
    /// What a backup consists of now.
    func backupContents() throws(DaemonError) -> BackupContents
    /// The file of a collection of the backup, as of now.
    ///
    /// - Returns: makes the next piece; an empty one is the end.
    func copyCollection(_ name: String, isCompacting: Bool) throws(DaemonError) -> CatalogJob<[UInt8]>
    /// A file of the backup.
    func openBackupFile(_ name: String) throws(DaemonError) -> OwnedDescriptor
    /// Reads everything that is stored, and names what is not as it must be: a job for each collection.
    func verifications() -> [CatalogJob<CatalogVerification.Step>]
    /// Drops damaged vectors, throws the graphs away and links everything anew: a job for each collection.
    func rebuildings() -> [CatalogJob<CatalogRebuilding.Step>]
}

/// A long job on one collection, done step by step.
package struct CatalogJob<Step: Sendable>: Sendable {
    /// The collection's folder below the state folder.
    package let collection: String
    /// Does the next step; may block for some seconds. Called by one thread at a time.
    package let next: @Sendable () throws(CatalogError) -> Step?

    package init(collection: String, next: @escaping @Sendable () throws(CatalogError) -> Step?) {
        self.collection = collection
        self.next = next
    }
}
