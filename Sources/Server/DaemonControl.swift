package import Catalog
package import Platform
package import Wire

/// What the routes need of the rest of the daemon. `Daemon` implements it; tests fake it.
///
/// All methods block and may be called from any thread that may block. Errors are `Problem`s, ready to send.
package protocol DaemonControl: MaintenanceControl {
    func version() -> VersionResponse
    func readiness() -> ReadinessResponse
    /// Of one collection; with nil, all of them together.
    func status(_ collection: String?) throws(Problem) -> StatusResponse

    /// Image bytes to a vector, the same for every collection (query queue).
    func embed(_ encoded: [UInt8]) throws(Problem) -> [Float]

    /// The collection with a name that a client gave; `default` with nil.
    ///
    /// - Throws: `.collectionNotFound` with the names that there are.
    func collection(_ name: String?) throws(Problem) -> any ServedCollection
    /// All, by name.
    func collections() -> [CollectionBody]
    func describeCollection(_ name: String) throws(Problem) -> CollectionBody
    func createCollection(_ name: String) throws(Problem) -> CollectionBody
    func removeCollection(_ name: String) throws(Problem)

    /// The page's address with its token; nil when no page is served.
    var pageLink: String? { get }

    /// Watches a folder for a collection, `default` with nil.
    func addRoot(_ path: String, to collection: String?) throws(Problem) -> RootBody
    /// Of whichever collection it is, unless that is said.
    func removeRoot(_ path: String, from collection: String?) throws(Problem)
    /// One root, or all of a collection, or all.
    func rescan(_ path: String?, in collection: String?) throws(Problem)

    func models() throws(Problem) -> ModelList
    func importModel(_ request: ModelImport) throws(Problem) -> ModelBody
    /// Where `importModel`'s file may be written while it arrives.
    var temporaryDirectory: String { get }
    /// Stores the choice; the daemon then restarts itself in place with the new model.
    func useModel(name: String, head: String?) throws(Problem)
}

extension DaemonControl {
    func status() throws(Problem) -> StatusResponse { try status(nil) }
}

/// One collection as the routes see it. A request keeps the one that it began with; once that is removed, what reads it throws.
package protocol ServedCollection: Sendable {
    var name: String { get }
    var catalog: any ImageCatalog { get }
    /// A root's absolute path; nil when it is gone.
    func rootPath(_ id: RootID) -> RelativePath?
    /// Opens an image's file, below its root only, if it is still the file that was indexed.
    func open(_ image: ImageRecord) throws(Problem) -> OwnedDescriptor
    /// A small upright JPEG.
    func thumbnail(_ image: ImageRecord, longSide: Int) throws(Problem) -> [UInt8]

    /// Learns a whitening from the collection and writes the collection anew with it; the daemon then restarts itself in place.
    func learnWhitening() throws(Problem) -> WhiteningBody
    /// The same without whitening; nothing happens where there is none.
    func removeWhitening() throws(Problem)
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

/// What the routes need of a collection: `Catalog`, or a stand-in in tests.
package protocol ImageCatalog: Sendable {
    func apply(_ changes: [CatalogChange]) throws(CatalogError) -> [CatalogOutcome]
    func search(_ query: CatalogQuery) throws(CatalogError) -> CatalogResults
    func vector(of id: ImageID) throws(CatalogError) -> [Float]?
    func image(_ id: ImageID) throws(CatalogError) -> ImageRecord?
    func images(after cursor: ImageID?, limit: Int) throws(CatalogError) -> [ImageRecord]
    func images(matching filter: Filter, after cursor: ImageID?, limit: Int) throws(CatalogError) -> FilteredImages
    func excludeImages(matching filter: Filter) throws(CatalogError) -> Int
    func failures(after key: FileKey?, limit: Int) throws(CatalogError) -> [FileRow]
}

extension Catalog: ImageCatalog {}
