import Catalog
import Foundation
import Platform
import TestSupport
import Testing

@testable import Ingestion

/// What happens while the real inotify watches.
@Suite struct WatchTests {
    private func started(_ files: [String] = [], _ configuration: IngestionConfiguration = Playground.quick) throws
        -> Playground
    {
        let ground = try Playground(configuration, files: files)
        ground.idle()
        #expect(ground.state == .live)
        return ground
    }

    @Test func `A copied, a moved-in and a hard-linked file are found, a symbolic link is not`() throws {
        let ground = try started()
        try ground.write("outside.jpg")
        try ground.write("other.jpg")
        try ground.write("root/copied.jpg")
        try ground.move("outside.jpg", "root/moved.jpg")
        try #require(link(ground.path("other.jpg"), ground.path("root/linked.jpg")) == 0)
        try #require(symlink(ground.path("other.jpg"), ground.path("root/symbolic.jpg")) == 0)
        ground.idle()
        #expect(Set(ground.indexed.keys) == ["copied.jpg", "moved.jpg", "linked.jpg"])
    }

    @Test func `With real times dropped files are found by their events, not by the next scan`() throws {
        // The next scan that no event asks for comes after hours.
        let ground = try started([], IngestionConfiguration())
        try ground.write("root/dropped.jpg")
        try ground.write("elsewhere.jpg")
        try #require(link(ground.path("elsewhere.jpg"), ground.path("root/linked.jpg")) == 0)
        try ground.makeDirectory("root/new/folder")
        try ground.write("root/new/folder/c.jpg")
        ground.eventually { ground.indexed.count == 3 }
    }

    @Test func `A renamed file keeps its image and costs no embedding`() throws {
        let ground = try started(["a.jpg", "target.jpg"])
        let before = ground.indexed
        try ground.move("root/a.jpg", "root/b.jpg")
        ground.idle()
        #expect(ground.indexed["b.jpg"] == before["a.jpg"])
        #expect(ground.indexed["a.jpg"] == nil)
        try ground.move("root/b.jpg", "root/target.jpg")
        ground.idle()
        #expect(ground.indexed == ["target.jpg": try #require(before["a.jpg"])])
        #expect(ground.embedder.embeddedCount == 2)
    }

    @Test func `Renamed directories keep their images, and what happens in them is seen under the new name`() throws {
        let ground = try started()
        try ground.makeDirectory("root/one/two")
        for index in 0..<10 { try ground.write("root/one/two/\(index).jpg") }
        ground.idle()
        let before = ground.indexed
        #expect(before.count == 10)
        try ground.move("root/one", "root/three")
        ground.idle()
        let after = ground.indexed
        #expect(after.count == 10)
        #expect(after["three/two/4.jpg"] == before["one/two/4.jpg"])
        try ground.write("root/three/two/late.jpg")
        ground.idle()
        #expect(ground.indexed["three/two/late.jpg"] != nil)
        #expect(ground.embedder.embeddedCount == 11)
        try ground.move("root/three", "away")
        ground.idle()
        #expect(ground.indexed.isEmpty)
    }

    @Test func `A renamed file in a folder that is renamed next keeps its image, though it is debounced long`() throws {
        var configuration = Playground.quick
        // The scan finds the file young and debounces it for longer than a deletion waits.
        configuration.probeInterval = 0.2
        configuration.racyWindow = 1
        let ground = try started(["a.jpg"], configuration)
        try ground.makeDirectory("root/one")
        ground.idle()
        let before = ground.indexed
        try ground.move("root/a.jpg", "root/one/b.jpg")
        try ground.move("root/one", "root/two")
        ground.eventually { ground.indexed.keys.contains("two/b.jpg") }
        ground.idle()
        #expect(ground.indexed == ["two/b.jpg": try #require(before["a.jpg"])])
        #expect(ground.embedder.embeddedCount == 1)
    }

    @Test func `A deleted file goes, and a deleted directory with all in it`() throws {
        let ground = try started(["a.jpg"])
        try ground.makeDirectory("root/d")
        for index in 0..<5 { try ground.write("root/d/\(index).jpg") }
        ground.idle()
        #expect(ground.indexed.count == 6)
        try ground.remove("root/a.jpg")
        try ground.remove("root/d")
        ground.idle()
        #expect(ground.ledger.rows.isEmpty)
        #expect(ground.ledger.images.isEmpty)
    }

    @Test func `Truncated, overwritten and touched files are looked at again`() throws {
        let ground = try started(["a.jpg", "b.jpg", "c.jpg"])
        let before = ground.indexed
        try #require(truncate(ground.path("root/a.jpg"), 0) == 0)
        try ground.write("root/b.jpg", "other bytes")
        try #require(utimes(ground.path("root/c.jpg"), nil) == 0)
        ground.idle()
        #expect(ground.failed == ["a.jpg": "empty"])
        #expect(ground.indexed["b.jpg"] == before["b.jpg"])
        #expect(ground.indexed["c.jpg"] == before["c.jpg"])
        #expect(ground.embedder.embeddedCount == 4)
    }

    @Test func `A tree made and filled at once is found whole`() throws {
        let ground = try started()
        for branch in 0..<10 {
            try ground.makeDirectory("root/\(branch)/x/y/z")
            for (index, depth) in ["", "/x", "/x/y", "/x/y/z"].enumerated() {
                try ground.write("root/\(branch)\(depth)/\(index).jpg", "\(branch) \(index)")
            }
        }
        ground.idle()
        #expect(ground.indexed.count == 40)
    }

    @Test func `More events than can be kept become a scan`() throws {
        var configuration = Playground.quick
        configuration.debounceCapacity = 4
        configuration.dirtyDirectoryCapacity = 2
        let ground = try started([], configuration)
        for branch in 0..<6 {
            try ground.makeDirectory("root/\(branch)")
            for index in 0..<10 { try ground.write("root/\(branch)/\(index).jpg", "\(branch) \(index)") }
        }
        ground.eventually {
            ground.idle()
            return ground.indexed.count == 60
        }
    }

    @Test func `Lost events and an unknown watch mean a scan of everything`() throws {
        let ground = try started()
        let watcher = try #require(ground.ingestor.watcher)
        for change in [Inotify.Change.overflowed, .created] {
            // Deaf for a moment: the events of this file never arrive.
            watcher.table.remove(ground.root, .root)
            sleep(seconds: 0.02)
            try ground.write("root/\(change.rawValue).jpg")
            sleep(seconds: 0.1)
            #expect(ground.indexed["\(change.rawValue).jpg"] == nil)
            watcher.receive([Inotify.Event(watch: change == .created ? 99_999 : -1, change: change, name: [])])
            ground.idle()
            #expect(ground.indexed["\(change.rawValue).jpg"] != nil)
        }
    }

    @Test func `Documents that went unnoticed go with the next scan`() throws {
        let ground = try started()
        try ground.write("root/a.jpg")
        try ground.write("root/a.jpg.json", #"{"n":1}"#)
        try ground.write("root/b.jpg")
        try ground.write("root/b.json", #"{"n":2}"#)
        try ground.write("root/b.jpg.json", #"{"n":3}"#)
        ground.idle()
        let watcher = try #require(ground.ingestor.watcher)
        watcher.table.remove(ground.root, .root)
        sleep(seconds: 0.1)
        try ground.remove("root/a.jpg.json")
        try ground.remove("root/b.jpg.json")
        watcher.receive([Inotify.Event(watch: -1, change: .overflowed, name: [])])
        ground.eventually {
            let documents = ["a.jpg", "b.jpg"].map { ground.indexed[$0].flatMap { ground.ledger.images[$0]?.document } }
            return documents == [[], Array(#"{"n":2}"#.utf8)]
        }
    }

    @Test func `A long random life ends with a ledger equal to the folder`() throws {
        let ground = try started()
        var random = SystemRandomNumberGenerator()
        let names = (0..<12).map { "\($0).jpg" }
        let folders = ["root", "root/a", "root/b"]
        for folder in folders { try ground.makeDirectory(folder) }
        func place() -> String {
            "\(folders.randomElement(using: &random) ?? "")/\(names.randomElement(using: &random) ?? "")"
        }
        var log: [String] = []
        for step in 0..<400 {
            let path = place()
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                try ground.write(path, "content \(Int.random(in: 0..<30, using: &random))")
                log.append("write \(path)")
            case 5..<8:
                let target = place()
                if rename(ground.path(path), ground.path(target)) == 0 { log.append("move \(path) \(target)") }
            default:
                if unlink(ground.path(path)) == 0 { log.append("delete \(path)") }
            }
            if step % 20 == 0 { sleep(seconds: 0.03) }
        }
        ground.idle()
        var expected: [String: String] = [:]
        for case let name as String in try #require(FileManager.default.enumerator(atPath: ground.path("root"))) {
            if let data = FileManager.default.contents(atPath: ground.path("root/" + name)), name.hasSuffix(".jpg") {
                expected[name] = SHA256Digest(of: [UInt8](data)).description
            }
        }
        func found() -> [String: String] {
            var found: [String: String] = [:]
            for (key, row) in ground.ledger.rows { found[key.path.description] = row.content?.description }
            return found
        }
        // What was written in place within one tick of the clock is found when its racy stamp is looked at again.
        ground.eventually { found() == expected && ground.ledger.images.count == expected.count }
        #expect(found() == expected, "after \(log.suffix(60))")
        #expect(ground.ledger.images.count == expected.count)
    }
}
