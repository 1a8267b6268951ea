internal import Catalog
internal import Embedding
internal import Foundation
internal import Imaging
internal import Inference
internal import Ingestion
internal import ModelFiles
internal import Platform
internal import Server
internal import Wire

/// The daemon as its routes see it: every answer is put together here from the rooms below.
final class Control: DaemonControl {
    let all: Collections
    let embedder: Embedder
    let library: ModelLibrary
    let configuredRoots: ConfiguredRoots
    let facts: Facts
    /// The page's address with its token, known when the server listens; nil where no page is served.
    let page = Monitor<String?>(nil)
    /// The backup, verification or rebuilding at work.
    let maintenance = MaintenanceClaim.Current(nil)

    /// What does not change while the daemon runs.
    struct Facts: Sendable {
        let model: ModelBody
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
        let limits: [String: Double]
        let start = Instant.now
    }

    init(
        collections: Collections,
        embedder: Embedder,
        library: ModelLibrary,
        configuredRoots: ConfiguredRoots,
        facts: Facts
    ) {
        all = collections
        self.embedder = embedder
        self.library = library
        self.configuredRoots = configuredRoots
        self.facts = facts
    }

    func version() -> VersionResponse { Version.response }

    func readiness() -> ReadinessResponse {
        let work = IngestionStatus.sum(all.open.map(\.work))
        let index = indexCheck()
        let fault = work.pause.flatMap { $0.kind == .device ? $0.reason : nil }
        let device = ReadinessResponse.Check(
            name: "device",
            ok: fault == nil,
            detail: fault ?? embedder.backendDescription.device
        )
        // A folder that is away makes nothing else unsearchable, its own images included: a reason, but no refusal.
        let away = work.roots.filter { $0.state == .offline }.map { "\($0.root.path): \($0.detail)" }
        let missing = away + configuredRoots.failures.map { "\($0.path): \($0.reason)" }
        let roots = ReadinessResponse.Check(
            name: "roots",
            ok: missing.isEmpty,
            detail: missing.isEmpty ? "all there" : missing.joined(separator: "; ")
        )
        return ReadinessResponse(ready: index.ok && device.ok, checks: [index, device, roots])
    }

    /// Reads from every open collection: a store that fell over says so here.
    private func indexCheck() -> ReadinessResponse.Check {
        for collection in all.open {
            do throws(CatalogError) { _ = try collection.store.roots() } catch {
                // One that was removed just now is no fault.
                guard (try? all.find(collection.name)) === collection else { continue }
                return ReadinessResponse.Check(name: "index", ok: false, detail: "\(collection.name): \(error)")
            }
        }
        return ReadinessResponse.Check(name: "index", ok: true, detail: "open")
    }

    func embed(_ encoded: [UInt8]) throws(Problem) -> [Float] {
        do { return try embedder.embed(encoded).vector } catch { throw Problem(error) }
    }

    // MARK: Collections

    func collection(_ name: String?) throws(Problem) -> any ServedCollection { try all.find(name) }

    func collections() -> [CollectionBody] { withUnusable(all.open.map { $0.body($0.work) }) }

    func describeCollection(_ name: String) throws(Problem) -> CollectionBody {
        let collection = try all.find(name)
        return collection.body(collection.work)
    }

    func createCollection(_ name: String) throws(Problem) -> CollectionBody {
        let collection = try all.create(name)
        return collection.body(collection.work)
    }

    func removeCollection(_ name: String) throws(Problem) { try all.remove(name) }

    func addRoot(_ path: String, to collection: String?) throws(Problem) -> RootBody {
        try all.addRoot(path, to: collection)
    }

    func removeRoot(_ path: String, from collection: String?) throws(Problem) {
        try all.removeRoot(path, from: collection)
    }

    func rescan(_ path: String?, in collection: String?) throws(Problem) {
        try all.rescan(path, in: collection)
    }

    var pageLink: String? { page.read { $0 } }
}
