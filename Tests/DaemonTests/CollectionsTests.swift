import Catalog
import Embedding
import Filters
import Foundation
import Imaging
import Ingestion
import Platform
import TestSupport
import Testing
import Wire

@testable import Daemon
@testable import Server

/// Takes texts for images, and their first bytes for vectors.
private struct TextEmbedder: ImageEmbedding {
    func submit(
        _ encoded: [UInt8],
        completion: @escaping @Sendable (Result<EmbeddedImage, EmbeddingError>) -> Void
    ) {
        let properties = ImageProperties(format: .jpeg, width: 1, height: 1)
        let angle = Float(encoded.first ?? 0) / 100
        let vector = [Float(cos(Double(angle))), Float(sin(Double(angle)))]
        completion(.success(EmbeddedImage(vector: vector, properties: properties)))
    }
}

extension ImageCollection {
    fileprivate var counts: (images: Int, waiting: Int) { (status.stored.imageCount, status.work.waitingCount) }
}

@Suite struct CollectionsTests {
    private let place: TemporaryDirectory

    init() throws { place = try TemporaryDirectory() }

    /// Opens all, begins to watch, and closes again.
    private func withCollections<R>(
        of model: String = "test",
        state: String = "",
        configured: [String] = [],
        _ body: (Collections) throws -> R
    ) throws -> R {
        var services = Services(
            embedder: TextEmbedder(),
            dimension: 2,
            decoder: InProcessDecoder(),
            fingerprint: model
        )
        let folder = "\(place.path)/\(state)"
        if !state.isEmpty { services.excludedDirectories = [try ExcludedDirectory(folder)] }
        let collections = try Collections(stateDirectory: folder, services: services, configured: configured)
        defer { collections.close() }
        try collections.start()
        return try body(collections)
    }

    private func makeFolder(_ name: String, _ files: [String] = []) throws -> String {
        let folder = place.url.appending(path: name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for file in files { try Data("\(file) of \(name)".utf8).write(to: folder.appending(path: file)) }
        return try resolvedPath(folder.path).description
    }

    private func error(_ body: () throws -> Void) -> DaemonError? {
        do {
            try body()
            return nil
        } catch { return error as? DaemonError }
    }

    /// What a client is told.
    private func kind(_ body: () throws -> Void) -> Problem.Kind? { error(body).map { Problem($0).kind } }

    @Test func eachHasItsOwnFoldersAndImagesAlsoAfterARestart() throws {
        let photos = try makeFolder("photos", ["a.jpg", "b.jpg"])
        let scans = try makeFolder("scans", ["c.jpg"])
        try withCollections { (all) throws in
            #expect(all.open.map(\.name) == ["default"])
            let work = try all.create("work")
            _ = try all.addRoot(photos, to: nil, settings: [:])
            #expect(try all.addRoot(scans, to: "work", settings: [:]).collection == "work")
            #expect(eventually { all.standard.counts.images == 2 && work.counts.images == 1 })
            #expect(try work.store.images(after: nil, limit: 9).map(\.key.path.description) == ["c.jpg"])
        }
        try withCollections { (all) throws in
            #expect(all.open.map(\.name) == ["default", "work"])
            #expect(try all.find("work").counts.images == 1)
            #expect(try all.find("work").work.roots.map(\.root.path.description) == [scans])
            #expect(try all.find(nil) === all.standard)
        }
    }

    @Test func aFoldersSettingsOutlastARestartAndCanBeTakenBack() throws {
        let photos = try makeFolder("photos", ["a.jpg", "b.png", ".c.jpg"])
        try withCollections { (all) throws in
            let added = try all.addRoot(photos, to: nil, settings: ["exclude": .array([.string("*.png")])])
            #expect(added.root.settings.exclude == ["*.png"])
            #expect(eventually { all.standard.counts.images == 1 })
            #expect(kind { _ = try all.addRoot(photos, to: nil, settings: ["hiden": .bool(true)]) } == .badRequest)
            #expect(kind { _ = try all.changeRoot("/elsewhere", of: nil, settings: [:]) } == .rootNotFound)
        }
        try withCollections { (all) throws in
            #expect(all.standard.work.roots.first?.settings.exclude == ["*.png"])
            // A patch leaves what it does not name as it is.
            _ = try all.changeRoot(photos, of: nil, settings: ["hidden": .bool(true)])
            #expect(eventually { all.standard.counts.images == 2 })
            _ = try all.changeRoot(photos, of: nil, settings: ["exclude": .null, "hidden": .null])
            #expect(eventually { all.standard.counts.images == 2 && all.standard.counts.waiting == 0 })
            #expect(all.standard.work.roots.first?.settings == RootSettings())
        }
    }

    @Test func aListOfFoldersOfTheFirstVersionIsReadAndWrittenAnew() throws {
        let photos = try makeFolder("photos", ["a.jpg"])
        let list = place.url.appending(path: "collections/default/roots")
        try withCollections { _ in }
        try Data("\(photos)\0".utf8).write(to: list)
        try withCollections { (all) throws in
            #expect(all.standard.work.roots.map(\.root.path.description) == [photos])
            #expect(eventually { all.standard.counts.images == 1 })
        }
        let text = try String(contentsOf: list, encoding: .utf8)
        #expect(text == #"{"roots":[{"path":"\#(photos)"}],"version":2}"#)
        // A list that cannot be read is refused by name, and stays as it is.
        for damaged in ["{", "photos", #"{"version":3,"roots":[]}"#, #"{"version":2,"roots":[{"path":"a"}]}"#] {
            try Data(damaged.utf8).write(to: list)
            let error = #expect(throws: ConfigurationError.self) { try withCollections { _ in } }
            #expect(error?.description.contains("collections/default/roots") == true)
            #expect(try Data(contentsOf: list) == Data(damaged.utf8))
        }
    }

    @Test func anotherModelLoadsTheFoldersOfEachAnew() throws {
        let scans = try makeFolder("scans", ["c.jpg"])
        try withCollections { (all) throws in
            _ = try all.create("work")
            _ = try all.addRoot(scans, to: "work", settings: [:])
            _ = try all.create("empty")
        }
        try withCollections(of: "another") { (all) throws in
            #expect(all.open.map(\.name) == ["default", "empty", "work"])
            let work = try all.find("work")
            #expect(work.work.roots.map(\.root.path.description) == [scans])
            #expect(eventually { work.counts.images == 1 })
            #expect(all.standard.work.roots.isEmpty)
        }
    }

    @Test func namesAreTakenOnceAndUnknownOnesAreTold() throws {
        try withCollections { (all) throws in
            _ = try all.create("work")
            #expect(kind { _ = try all.create("work") } == .conflict)
            #expect(kind { _ = try all.create("../x") } == .badRequest)
            #expect(kind { _ = try all.find("wrok") } == .collectionNotFound)
            #expect(kind { _ = try all.find("../work") } == .collectionNotFound)
            let unknown = error { _ = try all.find("wrok") }
            #expect(unknown?.description == "there is no collection wrok; there are: default, work; did you mean work?")
            #expect(kind { try all.remove("default") } == .conflict)
            #expect(kind { try all.remove("wrok") } == .collectionNotFound)
        }
    }

    @Test func aFolderBelongsToOneCollection() throws {
        let photos = try makeFolder("photos")
        let inner = try makeFolder("photos/inner")
        let link = place.url.appending(path: "link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: inner)
        try withCollections { (all) throws in
            _ = try all.create("work")
            _ = try all.addRoot(photos, to: "work", settings: [:])
            #expect(try all.addRoot(photos, to: "work", settings: [:]).root.root.path.description == photos)
            for path in [photos, inner, link, place.path] {
                #expect(kind { _ = try all.addRoot(path, to: nil, settings: [:]) } == .conflict, "\(path)")
            }
            #expect(kind { _ = try all.addRoot(photos, to: "none", settings: [:]) } == .collectionNotFound)
            #expect(kind { _ = try all.removeRoot(photos, from: "default") } == .rootNotFound)
            #expect(kind { try all.rescan(RelativePath(photos), in: "default") } == .rootNotFound)
            try all.rescan(RelativePath(photos), in: nil)
            #expect(try !all.removeRoot(photos, from: nil))
            #expect(try all.addRoot(photos, to: nil, settings: [:]).collection == "default")
        }
    }

    @Test func aFolderOfTheSettingsSaysThatItComesBack() throws {
        let photos = try makeFolder("photos", ["a.jpg"])
        let link = place.url.appending(path: "link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: photos)
        let settings = ConfiguredRoots.places([link, "work=/elsewhere"]).map(\.path)
        #expect(settings == [link, "/elsewhere"])
        try withCollections(configured: settings) { (all) throws in
            try all.watch(link, for: .standard)
            #expect(all.standard.work.roots.map(\.root.path.description) == [link])
            #expect(try all.removeRoot(photos, from: nil), "it is the same folder")
            #expect(kind { try all.acceptMissing(in: photos, of: nil) } == .rootNotFound)
        }
    }

    @Test func theStateFolderIsNoFolderOfImages() throws {
        let photos = try makeFolder("photos", ["a.jpg"])
        _ = try makeFolder("photos/state", ["b.jpg"])
        try withCollections(state: "photos/state") { (all) throws in
            for path in ["\(photos)/state", "\(photos)/state/collections", "/", "/proc"] {
                #expect(kind { _ = try all.addRoot(path, to: nil, settings: [:]) } == .badRequest, "\(path)")
            }
            _ = try all.addRoot(photos, to: nil, settings: [:])
            #expect(eventually { all.standard.counts.images == 1 && all.standard.counts.waiting == 0 })
            let root = try #require(all.standard.work.roots.first)
            #expect(root.excludedCounts == [.rule: 1])
            #expect(root.failedCount == 0)
            try all.acceptMissing(in: photos, of: "default")
        }
    }

    @Test func whyAFolderCannotBeWatchedIsToldToTheClient() {
        let errors: [IngestionError] = [
            .wholeSystem(path: "/"), .kernelFileSystem(path: "/proc", name: "proc"),
            .insideStateFolder(path: "/s/x", state: "/s"),
        ]
        for error in errors {
            let problem = Problem(DaemonError.ingestion(error))
            #expect(problem.kind == .badRequest)
            #expect(problem.detail == error.description)
        }
    }

    @Test func oneThatIsRemovedIsGoneWithItsImagesAndLeavesItsFilesAlone() throws {
        let scans = try makeFolder("scans", ["c.jpg"])
        try withCollections { (all) throws in
            let work = try all.create("work")
            _ = try all.addRoot(scans, to: "work", settings: [:])
            #expect(eventually { work.counts.images == 1 })
            try all.remove("work")
            #expect(kind { _ = try all.find("work") } == .collectionNotFound)
            #expect(throws: CatalogError.self) { try work.store.images(after: nil, limit: 1) }
            #expect(FileManager.default.fileExists(atPath: "\(scans)/c.jpg"))
            // The name and the folder are free.
            let next = try all.create("work")
            #expect(next.counts.images == 0)
            #expect(next.work.roots.isEmpty)
            #expect(try all.addRoot(scans, to: nil, settings: [:]).collection == "default")
        }
    }

    @Test func oneThatCannotBeOpenedConcernsItAlone() throws {
        try withCollections { _ = try $0.create("work") }
        let folder = try CollectionsFolder(stateDirectory: place.path)
        let name = try #require(CollectionName("work"))
        let store = folder.store(of: name, fingerprint: "test")
        try Data(repeating: 7, count: 8192).write(to: URL(filePath: "\(store)/data.mdb"))
        try withCollections { (all) throws in
            #expect(all.open.map(\.name) == ["default"])
            #expect(all.unusable.map(\.name) == ["work"])
            #expect(kind { _ = try all.find("work") } == .notReady)
            #expect(kind { _ = try all.create("work") } == .conflict)
            try all.remove("work")
            #expect(try all.create("work").counts.images == 0)
        }
    }

    @Test func aFolderOfTheSettingsMakesItsCollection() throws {
        let scans = try makeFolder("scans")
        let name = try #require(CollectionName("work"))
        try withCollections { (all) throws in
            try all.watch(scans, for: name)
            try all.watch(scans, for: name)
            #expect(try all.find("work").work.roots.count == 1)
        }
    }
}
