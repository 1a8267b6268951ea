import Catalog
import Foundation
import Platform
import TestSupport
import Testing

@testable import Ingestion

/// What stands at a root's path, and what becomes of its images when that is another directory.
@Suite struct RootIdentityTests {
    private func detail(_ ground: Playground) -> String { ground.ingestor.status.roots.first?.detail ?? "" }

    private func started(
        _ files: [String],
        _ configuration: IngestionConfiguration = Playground.quick
    ) throws -> Playground {
        let ground = try Playground(configuration, files: files)
        ground.idle()
        #expect(ground.state == .live)
        return ground
    }

    /// Files named by number, some more than the guard lets go at once.
    private func many(_ range: Range<Int> = 0..<150) -> [String] { range.map { "\($0).jpg" } }

    private func fill(_ ground: Playground, _ folder: String, _ files: [String]) throws {
        try ground.makeDirectory(folder)
        // The content is that of the file of this name in the root, wherever the copy lies.
        for file in files { try ground.write("\(folder)/\(file)", "image root/\(file)") }
    }

    @Test func `Nothing below a root is held open while nothing is read`() throws {
        let ground = try started(["a.jpg"])
        try ground.makeDirectory("root/b")
        try ground.write("root/b/c.jpg")
        ground.idle()
        let folder = try resolvedPath(ground.path("root")).description
        let links = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            .compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)") }
        #expect(links.filter { $0.hasPrefix(folder) } == [])
    }

    @Test func `A folder that is swapped for another is seen, and what happens in the new one too`() throws {
        let ground = try started(["a.jpg", "b.jpg"])
        try fill(ground, "other", ["b.jpg", "c.jpg"])
        try ground.move("root", "aside")
        try ground.move("other", "root")
        ground.eventually { Set(ground.indexed.keys) == ["b.jpg", "c.jpg"] }
        ground.eventually { ground.state == .live }
        try ground.write("root/d.jpg")
        try ground.write("aside/e.jpg")
        ground.eventually { ground.indexed["d.jpg"] != nil }
        ground.idle()
        #expect(Set(ground.indexed.keys) == ["b.jpg", "c.jpg", "d.jpg"])
    }

    @Test func `A folder that is removed and copied back from a backup keeps its images, and is watched again`() throws
    {
        let ground = try started(many())
        let before = ground.indexed
        try fill(ground, "backup", many())
        try ground.remove("root")
        try FileManager.default.copyItem(atPath: ground.path("backup"), toPath: ground.path("root"))
        ground.eventually { ground.state == .live && ground.indexed == before }
        ground.idle()
        #expect(ground.indexed == before)
        #expect(ground.embedder.embeddedCount == 150)
        try ground.write("root/new.jpg")
        ground.eventually { ground.indexed.count == 151 }
    }

    @Test func `A link with a new target is followed, and there is one root`() throws {
        let ground = try Playground()
        try fill(ground, "first", ["a.jpg"])
        try fill(ground, "second", ["b.jpg"])
        try #require(symlink("first", ground.path("link")) == 0)
        let root = try ground.ingestor.addRoot(ground.path("link"))
        #expect(root.path.description == ground.path("link"))
        ground.eventually { Set(ground.ledger.indexed(root.id).keys) == ["a.jpg"] }
        ground.idle()
        #expect(try ground.ingestor.addRoot(ground.path("first")).id == root.id, "it is the same folder")
        try ground.remove("link")
        try #require(symlink("second", ground.path("link")) == 0)
        ground.eventually { Set(ground.ledger.indexed(root.id).keys) == ["b.jpg"] }
        try ground.restart()
        #expect(try ground.ingestor.addRoot(ground.path("link")).id == root.id)
        ground.idle()
        #expect(ground.ingestor.status.roots.count == 2)
        #expect(Set(ground.ledger.indexed(root.id).keys) == ["b.jpg"])
    }

    @Test func `A link that leads into another root or to the whole system makes its root offline`() throws {
        let ground = try started(["a.jpg"])
        try fill(ground, "first", ["b.jpg"])
        try #require(symlink("first", ground.path("link")) == 0)
        let root = try ground.ingestor.addRoot(ground.path("link"))
        func status() -> RootStatus? { ground.ingestor.status.roots.first { $0.root.id == root.id } }
        for (target, reason) in [("root", "overlaps"), ("/", "whole system"), ("/proc", "kernel")] {
            try ground.remove("link")
            try #require(symlink(target, ground.path("link")) == 0)
            ground.eventually { status()?.state == .offline && status()?.detail.contains(reason) == true }
            try ground.remove("link")
            try #require(symlink("first", ground.path("link")) == 0)
            ground.eventually { status()?.state == .live }
        }
        ground.idle()
        #expect(Set(ground.ledger.indexed(root.id).keys) == ["b.jpg"])
    }

    @Test func `Another folder in the place of one with many files removes nothing and says what is missing`() throws {
        let ground = try started(many())
        let before = ground.indexed
        try fill(ground, "other", ["0.jpg", "new.jpg"])
        try ground.move("root", "aside")
        try ground.move("other", "root")
        ground.eventually { ground.state == .replaced && ground.indexed.count == 151 }
        #expect(detail(ground).contains("149 of 15"), "\(detail(ground))")
        #expect(detail(ground).contains("--accept-missing \(ground.path("root"))"))
        // What happens in it is seen; files of the former one are not believed to be gone, however often one looks.
        try ground.write("root/later.jpg")
        try ground.remove("root/new.jpg")
        ground.ingestor.rescan(nil)
        ground.eventually { ground.indexed["later.jpg"] != nil && ground.indexed["new.jpg"] == nil }
        try ground.restart()
        ground.eventually { ground.state == .replaced }
        sleep(seconds: 0.5)
        #expect(before.allSatisfy { ground.indexed[$0.key] == $0.value })
        #expect(ground.state == .replaced)
        // The former one comes back: only what is in it is left.
        try ground.move("root", "other")
        try ground.move("aside", "root")
        ground.eventually { ground.state == .live && ground.indexed == before }
        #expect(ground.indexed == before)
        #expect(ground.embedder.embeddedCount == 152)
    }

    @Test func `A user says that what is missing is gone for good`() throws {
        let ground = try started(many())
        try fill(ground, "other", ["0.jpg", "new.jpg"])
        try ground.move("root", "aside")
        try ground.move("other", "root")
        ground.eventually { ground.state == .replaced }
        try ground.ingestor.acceptMissing(in: ground.path("root/"))
        ground.eventually { Set(ground.indexed.keys) == ["0.jpg", "new.jpg"] && ground.state == .live }
        // From here on this is the root's folder, also after a restart.
        try ground.restart()
        ground.idle()
        #expect(ground.state == .live)
        #expect(ground.indexed.count == 2)
    }

    @Test func `An empty folder in its place is offline until a user says that all is gone`() throws {
        let ground = try started(["a.jpg", "b.jpg"])
        try ground.move("root", "aside")
        ground.eventually { ground.state == .offline }
        #expect(throws: IngestionError.self) { try ground.ingestor.acceptMissing(in: ground.path("root")) }
        try ground.makeDirectory("root")
        ground.eventually { detail(ground).contains("it is empty but had files") }
        #expect(ground.indexed.count == 2)
        try ground.ingestor.acceptMissing(in: ground.path("root"))
        ground.eventually { ground.indexed.isEmpty && ground.state == .live }
    }

    @Test func `Very many deletions while nobody watched are believed in the same folder, in a copy they are not`()
        throws
    {
        var configuration = Playground.quick
        configuration.guardCount = 10
        let ground = try started(many(0..<40), configuration)
        try ground.restart { for index in 0..<20 { try ground.remove("root/\(index).jpg") } }
        ground.eventually { ground.indexed.count == 20 }
        ground.idle()
        try ground.restart {
            try fill(ground, "copy", ["39.jpg"])
            try ground.move("root", "aside")
            try ground.move("copy", "root")
        }
        ground.eventually { ground.state == .replaced }
        sleep(seconds: 0.5)
        #expect(ground.indexed.count == 20)
    }

    @Test func `A root that is away is never taken for files that are gone`() throws {
        let ground = try started(["a.jpg"])
        let record = try #require(try ground.ledger.roots().first)
        let open = try OpenRoot(finding: record, excluding: [])
        #expect(open.lacks(RelativePath("b.jpg")))
        try ground.move("root", "aside")
        for _ in 0..<2 {
            #expect(!open.stands)
            #expect(!open.lacks(RelativePath("a.jpg")))
            #expect(throws: SystemError(code: SystemError.stale, operation: "open \(record.path)")) {
                _ = try open.status(beneath: RelativePath("a.jpg"))
            }
            // The second time an empty folder stands there, perhaps with the same inode number as one before.
            try ground.makeDirectory("root")
        }
        try ground.remove("root")
        try ground.move("aside", "root")
        #expect(open.stands)
        #expect(!open.lacks(RelativePath("a.jpg")))
    }

    @Test func `What is no folder of people's files is refused with the reason`() throws {
        var configuration = Playground.quick
        let place = try TemporaryDirectory()
        let state = place.path + "/state"
        try FileManager.default.createDirectory(atPath: state + "/models", withIntermediateDirectories: true)
        try #require(symlink("state", place.path + "/link") == 0)
        configuration.excludedDirectories = [try ExcludedDirectory(state)]
        let ground = try Playground(configuration)
        for path in ["/", "//", "/usr/..", "/proc", "/proc/self", "/sys", "/sys/kernel", "/dev", "/proc/self/root"] {
            let error = #expect(throws: IngestionError.self) { try ground.ingestor.addRoot(path) }
            switch error {
            case .wholeSystem, .kernelFileSystem: break
            default: Issue.record("\(path): \(String(describing: error))")
            }
        }
        for path in ["/state", "/state/models", "/link", "/link/models"] {
            let error = #expect(throws: IngestionError.self) { try ground.ingestor.addRoot(place.path + path) }
            guard case .insideStateFolder = error else {
                Issue.record("\(path): \(String(describing: error))")
                continue
            }
        }
        ground.idle()
        #expect(ground.ingestor.status.roots.count == 1)
    }

    @Test func `The state folder below a root is not looked at, and rows of it go`() throws {
        let place = try TemporaryDirectory()
        let photos = place.path + "/photos"
        try FileManager.default.createDirectory(atPath: photos + "/state/deep", withIntermediateDirectories: true)
        for name in ["a.jpg", "state/b.jpg", "state/deep/c.jpg"] {
            try Data(name.utf8).write(to: URL(filePath: photos + "/" + name))
        }
        let ledger = MemoryLedger()
        let embedder = try FakeEmbedder(secondsPerImage: 0)
        defer { embedder.stop() }
        func run(_ configuration: IngestionConfiguration, _ body: (Ingestor, RootID) throws -> Void) throws {
            let ingestor = Ingestor(ledger: ledger, embedder: embedder, configuration: configuration)
            let root = try ingestor.addRoot(photos).id
            try ingestor.start()
            defer { ingestor.stop() }
            #expect(ingestor.waitUntilIdle(until: .now + 60))
            try body(ingestor, root)
        }
        try run(Playground.quick) { _, root in #expect(ledger.indexed(root).count == 3) }
        var configuration = Playground.quick
        configuration.excludedDirectories = [try ExcludedDirectory(photos + "/state")]
        try run(configuration) { ingestor, root in
            #expect(Set(ledger.indexed(root).keys) == ["a.jpg"])
            try Data("new".utf8).write(to: URL(filePath: photos + "/state/d.jpg"))
            try Data("new".utf8).write(to: URL(filePath: photos + "/e.jpg"))
            #expect(ingestor.waitUntilIdle(until: .now + 60))
            #expect(Set(ledger.indexed(root).keys) == ["a.jpg", "e.jpg"])
            #expect(ingestor.status.roots.first?.excludedCounts[.rule] == 1)
        }
    }

    @Test func `A root that is away overlaps by its name, and names are normalised`() throws {
        let ground = try started(["a.jpg"])
        #expect(try ground.ingestor.addRoot(ground.path("./root/../root//")).id == ground.root)
        try ground.move("root", "aside")
        ground.eventually { ground.state == .offline }
        #expect(try ground.ingestor.addRoot(ground.path("root")).id == ground.root, "it is known")
        #expect(throws: IngestionError.self) { try ground.ingestor.addRoot(ground.folder.path) }
        try ground.ingestor.removeRoot(ground.path("root/"))
        ground.idle()
        #expect(ground.ingestor.status.roots.isEmpty)
    }
}
