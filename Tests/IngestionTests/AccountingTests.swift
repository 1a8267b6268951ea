import Catalog
import Foundation
import Ingestion
import Platform
import TestSupport
import Testing

/// Whether the status accounts for every entry below a root.
@Suite struct AccountingTests {
    /// Entries as a walk counts them that knows no rule but which folders are not entered: every file, every such folder.
    private func walk(_ path: String, sparing pruned: Set<String> = []) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: path).reduce(0) { count, name in
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
            guard attributes[.type] as? FileAttributeType == .typeDirectory, !pruned.contains(name) else {
                return count + 1
            }
            return count + (try walk("\(path)/\(name)", sparing: pruned))
        }
    }

    private func root(_ playground: Playground) throws -> RootStatus {
        try #require(playground.ingestor.status.roots.first { $0.root.id == playground.root })
    }

    /// Waits until the counts are what `excluded` says, and checks that they add up to the walk.
    private func expect(
        _ excluded: [ExclusionReason: Int],
        images: Int,
        failed: Int = 0,
        in playground: Playground,
        sparing pruned: Set<String> = [],
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        playground.eventually(location) {
            guard let root = try? root(playground) else { return false }
            return root.excludedCounts == excluded && root.indexedCount == images && root.failedCount == failed
                && root.waitingCount == 0
        }
        let status = try root(playground)
        #expect(status.excludedCounts == excluded, sourceLocation: location)
        #expect(try status.entryCount == walk(playground.path("root"), sparing: pruned), sourceLocation: location)
    }

    @Test("Every entry is an image, a failure, or left out for a reason")
    func reasons() throws {
        let playground = try Playground(
            files: ["a.jpg", "b.png", "notes.txt", "a.jpg.json", ".hidden.jpg", "film.mov"]
        )
        try playground.write("root/a.jpg.json", "{}")
        try playground.write("root/b.json", "{")
        try playground.makeDirectory("root/.git/objects")
        try playground.write("root/.git/objects/x.jpg")
        try playground.makeDirectory("root/sub/deeper")
        try playground.write("root/sub/deeper/c.jpg")
        try playground.write("root/sub/deeper/read.me.txt")
        #expect(symlink("a.jpg", playground.path("root/link.jpg")) == 0)
        #expect(mkfifo(playground.path("root/pipe.jpg"), 0o600) == 0)
        try playground.write("root/broken.jpg", "broken")
        playground.idle()
        let excluded: [ExclusionReason: Int] = [.notAnImage: 3, .document: 1, .hidden: 2, .link: 1, .special: 1]
        // A bad document beside an image is a failure, too.
        let failed = playground.failed.count
        #expect(playground.failed["b.json"] == "invalid-document")
        try expect(excluded, images: 5 - failed, failed: failed, in: playground, sparing: [".git"])
        // The same after a restart, by a scan alone.
        try playground.restart()
        playground.idle()
        try expect(excluded, images: 5 - failed, failed: failed, in: playground, sparing: [".git"])
    }

    @Test("Entries that come and go between scans are counted by their events")
    func events() throws {
        let playground = try Playground(files: ["a.jpg"])
        playground.idle()
        try expect([:], images: 1, in: playground)
        try playground.write("root/notes.txt")
        try playground.makeDirectory("root/folder")
        try playground.write("root/folder/one.txt")
        try playground.write("root/folder/b.jpg")
        try expect([.notAnImage: 2], images: 2, in: playground)
        try playground.move("root/folder", "root/renamed")
        try playground.write("root/renamed/two.txt")
        try expect([.notAnImage: 3], images: 2, in: playground)
        try playground.move("root/renamed/one.txt", "root/renamed/one.jpg")
        try expect([.notAnImage: 2], images: 3, in: playground)
        try playground.remove("root/renamed")
        try playground.remove("root/notes.txt")
        try expect([:], images: 1, in: playground)
    }

    @Test("What happens in a folder that was left out while it was watched counts for nothing")
    func leftOut() throws {
        let playground = try Playground(files: ["a.jpg"])
        try playground.makeDirectory("root/raw/deep")
        try playground.write("root/raw/b.jpg")
        playground.idle()
        try expect([:], images: 2, in: playground)
        var settings = RootSettings()
        settings.exclude = ["raw/"]
        _ = try playground.ingestor.addRoot(playground.path("root"), settings: settings)
        playground.idle()
        try expect([.rule: 1], images: 1, in: playground, sparing: ["raw"])
        for name in ["c.jpg", "c.txt", "deep/d.jpg", "deep/d.txt"] { try playground.write("root/raw/" + name) }
        // The counts of these folders are due before this one's.
        playground.idle()
        try playground.write("root/e.txt")
        playground.idle()
        try expect([.rule: 1, .notAnImage: 1], images: 1, in: playground, sparing: ["raw"])
    }

    @Test("The counts add up at every moment of a load")
    func moments() throws {
        let playground = try Playground(secondsPerImage: 0.002)
        for number in 0..<300 { try playground.write("root/\(number).jpg") }
        for _ in 0..<200 {
            let status = try root(playground)
            let sum = status.indexedCount + status.failedCount + status.waitingCount
            #expect(sum + status.excludedCounts.values.reduce(0, +) == status.entryCount)
            #expect(status.indexedCount <= 300)
            sleep(seconds: 0.002)
        }
        playground.idle()
        try expect([:], images: 300, in: playground)
    }

    @Test("What is left out is listed with its reason, in pages that repeat nothing")
    func list() throws {
        let playground = try Playground(files: ["z.txt", "a.jpg", ".b.jpg"])
        try playground.makeDirectory("root/m/n")
        try playground.makeDirectory("root/m.d")
        try playground.makeDirectory("root/.private")
        for name in ["m/k.txt", "m/n/a.txt", "m/n/b.jpg", "m/z.txt", "m.d/q.txt", ".private/x.jpg"] {
            try playground.write("root/" + name)
        }
        playground.idle()
        var found: [String] = []
        var cursor: FileKey?
        repeat {
            let page = try playground.ingestor.exclusions(reason: nil, after: cursor, limit: 2)
            found += page.map { "\($0.reason.rawValue) \($0.key.path)" }
            cursor = page.count == 2 ? page.last?.key : nil
        } while cursor != nil
        #expect(
            found == [
                "hidden .b.jpg", "hidden .private", "not_an_image m/k.txt", "not_an_image m/n/a.txt",
                "not_an_image m/z.txt", "not_an_image m.d/q.txt", "not_an_image z.txt",
            ]
        )
        let hidden = try playground.ingestor.exclusions(reason: .hidden, after: nil, limit: 10)
        #expect(hidden.map(\.key.path.description) == [".b.jpg", ".private"])
    }

    @Test("A path that is too long for the system is left out, and not a failure for ever")
    func longPath() throws {
        let playground = try Playground(files: ["a.jpg"])
        let name = String(repeating: "d", count: 200)
        // Each step by the folder's descriptor: no call takes so long a path.
        var folder = try OwnedDescriptor.open(playground.path("root"), O_RDONLY | O_DIRECTORY)
        for _ in 0..<21 {
            #expect(mkdirat(folder.rawValue, name, 0o700) == 0)
            folder = try folder.openDirectory(beneath: RelativePath(name))
        }
        let file = openat(folder.rawValue, "x.jpg", O_CREAT | O_WRONLY, 0o600)
        #expect(file >= 0)
        close(file)
        try playground.restart()
        playground.idle()
        #expect(playground.failed.isEmpty)
        let status = try root(playground)
        #expect(status.excludedCounts == [.tooDeep: 1])
        #expect(status.indexedCount == 1)
    }
}
