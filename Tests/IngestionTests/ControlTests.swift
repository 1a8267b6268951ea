import Catalog
import Embedding
import Foundation
import Inference
import Ingestion
import Platform
import TestSupport
import Testing

/// Pause, resume, cancel, retry, and a look at one place.
@Suite struct ControlTests {
    private func root(_ playground: Playground) throws -> RootStatus {
        try #require(playground.ingestor.status.roots.first { $0.root.id == playground.root })
    }

    @Test("A paused root is watched and not read, and its counts add up")
    func pause() throws {
        let playground = try Playground(files: ["a.jpg"])
        playground.idle()
        playground.ingestor.pause(nil, reason: "a test", drops: false)
        try playground.write("root/b.jpg")
        playground.eventually { (try? root(playground).entryCount) == 2 }
        playground.idle()
        #expect(try root(playground).waitingCount == 1)
        let paused = try root(playground)
        #expect(paused.state == .paused)
        #expect(paused.detail == "a test")
        #expect(Set(playground.indexed.keys) == ["a.jpg"])
        playground.ingestor.resume(nil)
        playground.eventually { Set(playground.indexed.keys) == ["a.jpg", "b.jpg"] }
        playground.idle()
        #expect(try root(playground).state == .live)
    }

    @Test("What was cancelled is found again when loading goes on")
    func cancel() throws {
        let playground = try Playground(secondsPerImage: 0.01)
        for number in 0..<200 { try playground.write("root/\(number).jpg") }
        playground.eventually { !playground.indexed.isEmpty }
        playground.ingestor.pause(playground.root, reason: "cancelled", drops: true)
        playground.idle()
        let count = playground.indexed.count
        sleep(seconds: 0.1)
        #expect(playground.indexed.count == count)
        let status = try root(playground)
        #expect(status.waitingCount == status.entryCount - status.indexedCount)
        playground.ingestor.resume(playground.root)
        playground.eventually { playground.indexed.count == 200 }
    }

    @Test("Failed files are tried again: all, those of a kind, those at a place")
    func retry() throws {
        let playground = try Playground()
        try playground.makeDirectory("root/sub")
        for name in ["a.jpg", "sub/b.jpg", "sub/c.jpg"] { try playground.write("root/" + name, "broken \(name)") }
        playground.idle()
        playground.eventually { playground.failed.count == 3 }
        let ingestor = playground.ingestor
        func count(_ kind: String?, _ path: String?) throws -> Int {
            let place = path.map { FileKey(root: playground.root, path: RelativePath($0)) }
            return try ingestor.retryFailures(kind: kind, below: place)
        }
        #expect(try count(nil, nil) == 3)
        #expect(try count("corrupt", "sub") == 2)
        #expect(try count(nil, "sub/b.jpg") == 1)
        #expect(try count("unreadable", nil) == 0)
        playground.idle()
        #expect(playground.failed.count == 3)
    }

    @Test("A folder or one file is looked at again on demand, failed files too")
    func rescan() throws {
        let playground = try Playground()
        try playground.makeDirectory("root/sub")
        try playground.write("root/a.jpg")
        try playground.write("root/sub/b.jpg")
        playground.idle()
        playground.embedder.fail(with: .backend(.nonFinite(images: [0])))
        try playground.write("root/sub/c.jpg")
        try playground.write("root/d.jpg")
        playground.eventually {
            playground.failed.keys.contains("d.jpg") && playground.failed.keys.contains("sub/c.jpg")
        }
        playground.embedder.fail(with: nil)
        playground.ingestor.rescan(FileKey(root: playground.root, path: RelativePath("d.jpg")))
        playground.eventually { playground.indexed.keys.contains("d.jpg") }
        #expect(playground.failed.keys.contains("sub/c.jpg"))
        playground.ingestor.rescan(FileKey(root: playground.root, path: RelativePath("sub")))
        playground.eventually { playground.indexed.keys.contains("sub/c.jpg") }
        // What is not there any more is no fault.
        playground.ingestor.rescan(FileKey(root: playground.root, path: RelativePath("gone/x.jpg")))
        playground.idle()
        #expect(playground.failed.isEmpty)
    }
}
