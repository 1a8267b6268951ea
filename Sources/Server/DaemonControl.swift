package import Catalog
package import Platform
package import Wire

/// What the routes need of the rest of the daemon. `Daemon` implements it; tests fake it.
///
/// All methods block and may be called from any thread that may block. Errors are `Problem`s, ready to send.
package protocol DaemonControl: Sendable {
    func version() -> VersionResponse
    func readiness() -> ReadinessResponse
    func status() throws(Problem) -> StatusResponse

    /// Image bytes to a vector of the collection in use (query lane).
    func embed(_ encoded: [UInt8]) throws(Problem) -> [Float]
    /// The collection in use.
    var catalog: any ImageCatalog { get }
    /// A root's absolute path; nil when it is gone.
    func rootPath(_ id: RootID) -> RelativePath?
    /// Opens an image's file, below its root only, if it is still the file that was indexed.
    func open(_ image: ImageRecord) throws(Problem) -> OwnedDescriptor
    /// A small upright JPEG.
    func thumbnail(_ image: ImageRecord, longSide: Int) throws(Problem) -> [UInt8]

    /// The page's address with its token; nil when no page is served.
    var pageLink: String? { get }

    func addRoot(_ path: String) throws(Problem) -> RootBody
    func removeRoot(_ path: String) throws(Problem)
    func rescan(_ path: String?) throws(Problem)

    func models() throws(Problem) -> ModelList
    func importModel(_ request: ModelImport) throws(Problem) -> ModelBody
    /// Where `importModel`'s file may be written while it arrives.
    var temporaryDirectory: String { get }
    /// Stores the choice; the daemon then restarts itself in place with the new model.
    func useModel(name: String, head: String?) throws(Problem)

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
    func dismissImages(matching filter: Filter) throws(CatalogError) -> Int
    func failures(after key: FileKey?, limit: Int) throws(CatalogError) -> [FileRow]
}

extension Catalog: ImageCatalog {}
