import Catalog
import Foundation
import Platform
import TestSupport
import Testing

@testable import Ingestion

/// What happened while nobody watched.
@Suite struct ReconciliationTests {
    @Test func `A first scan indexes every image of two roots, each in its turn`() throws {
        let ground = try Playground(files: (0..<100).map { "\($0).jpg" })
        try ground.makeDirectory("second/deep/er")
        for index in 0..<100 { try ground.write("second/deep/er/\(index).png") }
        let second = try ground.ingestor.addRoot(ground.path("second")).id
        ground.idle()
        #expect(ground.indexed.count == 100)
        #expect(ground.ledger.indexed(second).count == 100)
        #expect(ground.embedder.embeddedCount == 200)
        let status = ground.ingestor.status
        #expect(status.roots.map(\.indexedCount) == [100, 100])
        #expect(status.roots.map(\.entryCount).allSatisfy { $0 >= 0 })
        #expect(status.waitingCount == 0)
        #expect(status.pauseReason == nil)
    }

    @Test func `A second start embeds nothing again`() throws {
        let ground = try Playground(files: (0..<50).map { "\($0).jpg" })
        ground.idle()
        ground.idleWithoutRacyStamps()
        let ids = ground.indexed
        let changeCount = ground.ledger.state.withLock { $0.changeCount }
        try ground.restart()
        ground.idle()
        #expect(ground.indexed == ids)
        #expect(ground.embedder.embeddedCount == 50)
        #expect(ground.ledger.state.withLock { $0.changeCount } == changeCount, "nothing was to be written")
        #expect(ground.ingestor.status.roots.first?.indexedCount == 50)
    }

    @Test func `Added, changed, touched, renamed and deleted files are found out at the next start`() throws {
        let ground = try Playground(files: ["same.jpg", "changed.jpg", "touched.jpg", "old.jpg", "gone.jpg"])
        ground.idle()
        ground.idleWithoutRacyStamps()
        let before = ground.indexed
        try ground.restart {
            try ground.write("root/added.jpg")
            try ground.write("root/changed.jpg", "new content")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1)],
                ofItemAtPath: ground.path("root/touched.jpg")
            )
            try ground.makeDirectory("root/below")
            try ground.move("root/old.jpg", "root/below/new.jpg")
            try ground.remove("root/gone.jpg")
            sleep(seconds: 0.1)
        }
        ground.idle()
        let after = ground.indexed
        #expect(Set(after.keys) == ["same.jpg", "changed.jpg", "touched.jpg", "below/new.jpg", "added.jpg"])
        #expect(after["below/new.jpg"] == before["old.jpg"], "a rename keeps the image")
        #expect(after["changed.jpg"] == before["changed.jpg"], "a change keeps the image")
        #expect(after["touched.jpg"] == before["touched.jpg"])
        #expect(ground.embedder.embeddedCount == 7, "only what is new was embedded")
    }

    @Test(arguments: [true, false])
    func `Files that moved to another root keep their images, whichever is looked at first`(_ isForward: Bool) throws {
        let ground = try Playground(files: (0..<40).map { "\($0).jpg" })
        try ground.makeDirectory("second/below")
        for index in 40..<80 { try ground.write("second/below/\(index).jpg") }
        let second = try ground.ingestor.addRoot(ground.path("second")).id
        ground.idle()
        let before = (ground.indexed, ground.ledger.indexed(second))
        try ground.restart {
            for index in isForward ? 0..<20 : 40..<60 {
                let (here, there) = ("root/\(index).jpg", "second/below/\(index).jpg")
                try ground.move(isForward ? here : there, isForward ? there : here)
            }
        }
        ground.idle()
        let after = (ground.indexed, ground.ledger.indexed(second))
        #expect(after.0.count == (isForward ? 20 : 60))
        #expect(after.1.count == (isForward ? 60 : 20))
        #expect(Set(after.0.values).union(after.1.values) == Set(before.0.values).union(before.1.values))
        #expect(ground.embedder.embeddedCount == 80)
        #expect(ground.ingestor.status.roots.map(\.indexedCount) == (isForward ? [20, 60] : [60, 20]))
    }

    @Test func `A directory in place of a file, a file in place of a directory, and links are told apart`() throws {
        let ground = try Playground(files: ["a.jpg", "b.jpg"])
        try ground.makeDirectory("root/d.jpg")
        try ground.write("root/d.jpg/c.jpg")
        ground.idle()
        try ground.restart {
            try ground.remove("root/a.jpg")
            try ground.makeDirectory("root/a.jpg")
            try ground.write("root/a.jpg/inside.jpg")
            try ground.remove("root/d.jpg")
            try ground.write("root/d.jpg")
            try ground.remove("root/b.jpg")
            try FileManager.default.createSymbolicLink(
                atPath: ground.path("root/b.jpg"),
                withDestinationPath: ground.path("root/d.jpg")
            )
            try FileManager.default.createSymbolicLink(
                atPath: ground.path("root/linked"),
                withDestinationPath: ground.path("root/a.jpg")
            )
            sleep(seconds: 0.1)
        }
        ground.idle()
        #expect(Set(ground.indexed.keys) == ["a.jpg/inside.jpg", "d.jpg"])
    }

    @Test func `Names that are not UTF-8 are names`() throws {
        let ground = try Playground()
        let top = try OwnedDescriptor.open(ground.path("root"), 0)
        let name: [UInt8] = [0xFF, 0x20, 0x0A, 0xE4, 0x2E, 0x6A, 0x70, 0x67]
        let path = Array(ground.path("root/").utf8) + name + [0]
        let number = path.withUnsafeBytes {
            open($0.bindMemory(to: CChar.self).baseAddress!, O_CREAT | O_WRONLY, 0o600)
        }
        try #require(number >= 0)
        _ = write(number, "image", 5)
        close(number)
        ground.idle()
        #expect(try top.status(ofEntry: name) != nil)
        #expect(ground.ledger.rows.keys.map(\.path) == [RelativePath(bytes: name)])
        unlink(path.map { CChar(bitPattern: $0) })
        ground.idle()
        #expect(ground.ledger.rows.isEmpty)
    }

    @Test func `Every file that is no image has a row with a reason, other kinds of files have none`() throws {
        var configuration = Playground.quick
        configuration.maximumFileByteCount = 1000
        let ground = try Playground(configuration, files: ["good.jpg", "notes.txt", ".hidden.jpg", "half.jpg.part"])
        try ground.write("root/bad.jpg", "broken")
        try ground.write("root/empty.png", "")
        try ground.write("root/big.jpg", String(repeating: "x", count: 1001))
        try ground.write("root/locked.jpg")
        mkfifo(ground.path("root/pipe.jpg"), 0o600)
        ground.idle()
        #expect(Set(ground.indexed.keys) == ["good.jpg", "locked.jpg"])
        #expect(ground.failed == ["bad.jpg": "corrupt", "empty.png": "empty", "big.jpg": "limit-exceeded"])
        #expect(ground.ingestor.status.roots.first?.failedCount == 3)
        // Not tried again by itself, tried again when asked, well again when the file is.
        try ground.restart()
        ground.idle()
        let batchCount = ground.ledger.state.withLock { $0.batchCount }
        ground.ingestor.rescan(ground.root)
        ground.idle()
        #expect(ground.ledger.state.withLock { $0.batchCount } > batchCount)
        try ground.write("root/bad.jpg", "mended")
        ground.idle()
        #expect(ground.failed == ["empty.png": "empty", "big.jpg": "limit-exceeded"])
    }

    @Test func `Equal files are embedded once`() throws {
        let ground = try Playground(secondsPerImage: 0.05)
        for index in 0..<20 { try ground.write("root/\(index).jpg", "all the same") }
        ground.idle()
        #expect(ground.indexed.count == 20)
        #expect(Set(ground.indexed.values).count == 20)
        #expect(ground.embedder.embeddedCount == 1)
    }

    @Test func `An excluded file stays out until its bytes change`() throws {
        let ground = try Playground(files: ["a.jpg"])
        ground.idle()
        ground.idleWithoutRacyStamps()
        _ = try ground.ledger.apply([.exclude(try #require(ground.indexed["a.jpg"]))])
        try ground.restart()
        ground.ingestor.rescan(nil)
        ground.idle()
        #expect(ground.indexed.isEmpty)
        try ground.write("root/a.jpg", "image root/a.jpg")
        ground.idle()
        #expect(ground.indexed.isEmpty, "written again with the same bytes")
        try ground.write("root/a.jpg", "another")
        ground.idle()
        #expect(ground.indexed.count == 1)
    }

    @Test func `A scan finds more than the backlog holds`() throws {
        var configuration = Playground.quick
        configuration.backlogCapacity = 7
        configuration.inFlightCapacity = 3
        configuration.racyWindow = 0
        let ground = try Playground(configuration, files: (0..<60).map { "\($0).jpg" })
        ground.idle()
        #expect(ground.indexed.count == 60)
        #expect(ground.embedder.embeddedCount == 60)
    }

    @Test func `A folder that takes a file's name takes the image out`() throws {
        let ground = try Playground(files: ["a.jpg", "b.jpg"])
        ground.idle()
        try ground.remove("root/a.jpg")
        try ground.makeDirectory("root/a.jpg")
        try ground.write("root/a.jpg/c.jpg")
        ground.eventually { Set(ground.indexed.keys) == ["b.jpg", "a.jpg/c.jpg"] }
    }

    @Test func `Documents follow their files`() throws {
        let ground = try Playground(files: ["a.jpg", "b.png"])
        try ground.write("root/a.jpg.json", #"{"n":1}"#)
        try ground.write("root/b.json", "[]")
        ground.idle()
        func document(_ name: String) throws -> String {
            let id = try #require(ground.indexed[name])
            return String(decoding: try #require(ground.ledger.images[id]).document, as: UTF8.self)
        }
        #expect(try document("a.jpg") == #"{"n":1}"#)
        #expect(try document("b.png").isEmpty, "an array is no document")
        try ground.write("root/a.jpg.json", #"{"n":2}"#)
        try ground.write("root/b.json", #"{"m":2}"#)
        ground.idle()
        #expect(try document("a.jpg") == #"{"n":2}"#)
        #expect(try document("b.png") == #"{"m":2}"#)
        try ground.restart {
            try ground.remove("root/a.jpg.json")
            try ground.write("root/b.json", #"{"m":3}"#)
        }
        ground.idle()
        #expect(try document("a.jpg").isEmpty)
        #expect(try document("b.png") == #"{"m":3}"#)
        try ground.remove("root/b.json")
        ground.idle()
        #expect(try document("b.png").isEmpty)
        #expect(ground.embedder.embeddedCount == 2)
    }

    @Test func `An image's file is opened only while it is the one that was indexed`() throws {
        let ground = try Playground(files: ["a.jpg"])
        ground.idle()
        let image = try #require(ground.ledger.images.values.first)
        #expect(try ground.ingestor.open(image).readAll(limit: 100) == Array("image root/a.jpg".utf8))
        try ground.write("root/a.jpg", "another size of image")
        #expect(throws: SystemError.self) { _ = try ground.ingestor.open(image).rawValue }
    }

    @Test func `Roots overlap neither way, and the same folder is the same root`() throws {
        let ground = try Playground(files: ["a.jpg"])
        ground.idle()
        try ground.makeDirectory("root/below")
        #expect(try ground.ingestor.addRoot(ground.path("root/")).id == ground.root)
        #expect(throws: IngestionError.self) { try ground.ingestor.addRoot(ground.path("root/below")) }
        #expect(throws: IngestionError.self) { try ground.ingestor.addRoot(ground.folder.path) }
        #expect(throws: IngestionError.self) { try ground.ingestor.addRoot(ground.path("nowhere")) }
        #expect(throws: IngestionError.self) { try ground.ingestor.addRoot(ground.path("root/a.jpg")) }
        #expect(throws: IngestionError.self) { try ground.ingestor.removeRoot(ground.path("nowhere")) }
        try ground.ingestor.removeRoot(ground.path("root"))
        ground.idle()
        #expect(ground.ledger.rows.isEmpty)
        #expect(ground.ingestor.status.roots.isEmpty)
        try ground.write("root/b.jpg")
        ground.idle()
        #expect(ground.ledger.rows.isEmpty)
    }
}
