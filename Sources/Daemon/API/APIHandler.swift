internal import Catalog
internal import Embedding
internal import Foundation
internal import Imaging
internal import Inference
internal import Ingestion
internal import ModelFiles
internal import Platform
internal import Server

/// The API handler: puts together what the routes ask for from the services below.
final class APIHandler: DaemonControl {
    let all: Collections
    let embedder: Embedder
    let library: ModelLibrary
    let configuredRoots: ConfiguredRoots
    let information: StaticInformation
    /// The page's address with its token, known when the server listens; nil where no page is served.
    let page = Monitor<String?>(nil)

    /// What does not change while the daemon runs.
    struct StaticInformation: Sendable {
        let model: ServedModel
        let head: Head
        /// What computes, and why.
        let device: BackendChoice
        let folder: StateFolder
        /// The model is a file outside the library.
        let modelIsFile: Bool
        /// `--weights` or `--model` was given, so that another model cannot be chosen over the socket.
        let modelIsFixed: Bool
        /// The head that the settings name, whatever is chosen over the socket.
        let fixedHead: Head?
        let start = Instant.now
    }

    init(
        collections: Collections,
        embedder: Embedder,
        library: ModelLibrary,
        configuredRoots: ConfiguredRoots,
        information: StaticInformation
    ) {
        all = collections
        self.embedder = embedder
        self.library = library
        self.configuredRoots = configuredRoots
        self.information = information
    }

    var version: DaemonVersion { Version.current }

    /// Reads from every open collection: a store that fell over says so here.
    func indexFault() -> String? {
        for collection in all.open {
            do throws(CatalogError) { _ = try collection.store.roots() } catch {
                // One that was removed just now is no fault.
                guard (try? all.find(collection.name)) === collection else { continue }
                return "\(collection.name): \(error)"
            }
        }
        return nil
    }

    func embed(_ encoded: [UInt8]) throws(DaemonError) -> [Float] {
        do throws(EmbeddingError) { return try embedder.embed(encoded).vector } catch { throw .embedding(error) }
    }

    var collections: any CollectionControl { all }
    var pageLink: String? { page.withLock { $0 } }
    var temporaryDirectory: String { information.folder.temporary }
}
