import Catalog
import Foundation
import Ingestion
import Platform
import TestSupport
import Testing

/// Whether a root's settings and ignore files decide what is indexed, and a change of them embeds nothing again.
@Suite struct SettingsTests {
    private func paths(_ playground: Playground) -> Set<String> { Set(playground.indexed.keys) }

    private func change(_ playground: Playground, _ change: (inout RootSettings) -> Void) throws {
        var settings = RootSettings()
        change(&settings)
        _ = try playground.ingestor.addRoot(playground.path("root"), settings: settings)
        playground.idle()
    }

    @Test("Settings take images out and let them in again, and embed only what comes")
    func settings() throws {
        let playground = try Playground(files: ["a.jpg", "b.png", ".c.jpg"])
        try playground.makeDirectory("root/raw")
        try playground.write("root/raw/d.jpg")
        playground.idle()
        playground.eventually { paths(playground) == ["a.jpg", "b.png", "raw/d.jpg"] }
        let before = playground.indexed
        try change(playground) { $0.exclude = ["raw/", "*.png"] }
        playground.eventually { paths(playground) == ["a.jpg"] }
        #expect(playground.indexed["a.jpg"] == before["a.jpg"])
        #expect(playground.embedder.embeddedCount == 3)
        try change(playground) { $0.hidden = true }
        playground.eventually { paths(playground) == ["a.jpg", "b.png", "raw/d.jpg", ".c.jpg"] }
        #expect(playground.indexed["a.jpg"] == before["a.jpg"])
        #expect(playground.embedder.embeddedCount == 6)
        // What is dropped later obeys them too.
        try change(playground) { $0.include = ["*.png"] }
        try playground.write("root/late.jpg")
        try playground.write("root/late.png")
        playground.eventually { paths(playground) == ["b.png", "late.png"] }
    }

    /// A playground whose files lie with a slow embedder. A scan found them, so that no later look at them is planned.
    private func loading(_ files: [String]) throws -> Playground {
        let playground = try Playground(secondsPerImage: 0.5)
        playground.idle()
        try playground.restart {
            try playground.makeDirectory("root/raw")
            for file in files { try playground.write("root/" + file) }
            // Until their stamps are not racy.
            sleep(seconds: 0.2)
        }
        playground.eventually { playground.embedder.embeddedCount >= 1 }
        return playground
    }

    @Test("What was being read when the settings changed is looked at again")
    func inFlight() throws {
        let playground = try loading(["a.jpg", "raw/b.jpg", "raw/c.jpg", "raw/d.jpg"])
        try change(playground) { $0.exclude = ["raw/"] }
        playground.eventually { paths(playground) == ["a.jpg"] && playground.ingestor.status.waitingCount == 0 }
        playground.idle()
        #expect(paths(playground) == ["a.jpg"])
    }

    @Test("What was being read when more pixels were wanted is left out")
    func pixelsInFlight() throws {
        let playground = try loading(["a.jpg", "b.jpg", "c.jpg"])
        try change(playground) { $0.minimumPixels = 4 }
        playground.eventually { playground.ingestor.status.roots[0].excludedCounts == [.tooSmall: 3] }
        #expect(paths(playground).isEmpty)
    }

    @Test("What was being read when a document was wanted of every image is a failure")
    func documentsInFlight() throws {
        let playground = try loading(["a.jpg", "b.jpg", "c.jpg"])
        try change(playground) { $0.requiresDocument = true }
        playground.eventually { Set(playground.failed.values) == ["document-missing"] && playground.failed.count == 3 }
        try change(playground) { _ in }
        playground.eventually { paths(playground).count == 3 }
    }

    @Test("What waited to be read when an ignore file came is not read")
    func queued() throws {
        let playground = try Playground(secondsPerImage: 0.02)
        try playground.makeDirectory("root/x")
        for number in 0..<600 { try playground.write("root/x/\(number).jpg") }
        try playground.write("root/a.jpg")
        playground.eventually { playground.embedder.embeddedCount >= 10 }
        try playground.write("root/x/.likenessignore", "*.jpg\n")
        playground.eventually { paths(playground) == ["a.jpg"] && playground.ingestor.status.waitingCount == 0 }
        playground.idle()
        #expect(paths(playground) == ["a.jpg"])
        // At most what was in flight and in the embedder's queue then.
        #expect(playground.embedder.embeddedCount < 500)
    }

    @Test("Many files that settings leave out are not taken for missing ones")
    func many() throws {
        var configuration = Playground.quick
        configuration.guardCount = 10
        configuration.guardDelay = 3600
        let playground = try Playground(configuration, files: ["a.jpg"])
        try playground.makeDirectory("root/raw")
        for number in 0..<50 { try playground.write("root/raw/\(number).jpg") }
        playground.eventually { paths(playground).count == 51 }
        try change(playground) { $0.exclude = ["raw/"] }
        #expect(paths(playground) == ["a.jpg"])
    }

    @Test("Settings that changed while nothing ran are obeyed at the start")
    func whileStopped() throws {
        var settings = RootSettings()
        settings.minimumPixels = 4
        let playground = try Playground(files: ["a.jpg"], settings: settings)
        try playground.write("root/broken.jpg", "broken")
        playground.idle()
        playground.eventually { playground.failed == ["a.jpg": "too-small", "broken.jpg": "corrupt"] }
        playground.settings.minimumPixels = 3
        try playground.restart()
        playground.eventually { paths(playground) == ["a.jpg"] }
        playground.settings.exclude = ["a.*"]
        try playground.restart()
        playground.eventually { paths(playground).isEmpty && playground.failed == ["broken.jpg": "corrupt"] }
    }

    @Test("An ignore file holds for its folder from the moment that it is written, and no longer than it is there")
    func ignoreFile() throws {
        let playground = try Playground(files: ["a.jpg"])
        try playground.makeDirectory("root/x/y")
        try playground.write("root/x/b.jpg")
        try playground.write("root/x/y/c.jpg")
        playground.eventually { paths(playground) == ["a.jpg", "x/b.jpg", "x/y/c.jpg"] }
        try playground.write("root/x/.likenessignore", "/y/\n")
        playground.eventually { paths(playground) == ["a.jpg", "x/b.jpg"] }
        try playground.write("root/x/y/d.jpg")
        try playground.write("root/x/.likenessignore", "b.*\n")
        playground.eventually { paths(playground) == ["a.jpg", "x/y/c.jpg", "x/y/d.jpg"] }
        try playground.remove("root/x/.likenessignore")
        playground.eventually { paths(playground) == ["a.jpg", "x/b.jpg", "x/y/c.jpg", "x/y/d.jpg"] }
        try playground.write("root/x/y/.nomedia", "")
        playground.eventually { paths(playground) == ["a.jpg", "x/b.jpg"] }
        try playground.restart()
        playground.idle()
        #expect(paths(playground) == ["a.jpg", "x/b.jpg"])
        try playground.remove("root/x/y/.nomedia")
        playground.eventually { paths(playground) == ["a.jpg", "x/b.jpg", "x/y/c.jpg", "x/y/d.jpg"] }
    }

    @Test("Files of few bytes and images of few pixels are left out, and come when the settings let them")
    func sizes() throws {
        let playground = try Playground(files: ["a.jpg"])
        try playground.write("root/tiny.jpg", "1")
        playground.idle()
        playground.eventually { paths(playground) == ["a.jpg", "tiny.jpg"] }
        try change(playground) { $0.minimumBytes = 5 }
        playground.eventually { paths(playground) == ["a.jpg"] }
        playground.eventually { playground.ingestor.status.roots[0].excludedCounts == [.tooSmall: 1] }
        #expect(playground.ingestor.status.roots[0].tooSmallCount == 0)
        // The fake's images are of 4 x 3 pixels.
        try change(playground) { $0.minimumPixels = 4 }
        playground.eventually { paths(playground).isEmpty }
        playground.eventually { playground.ingestor.status.roots[0].excludedCounts == [.tooSmall: 2] }
        #expect(playground.ingestor.status.roots[0].entryCount == 2)
        #expect(playground.ingestor.status.roots[0].tooSmallCount == 2)
        try change(playground) { _ in }
        playground.eventually { paths(playground) == ["a.jpg", "tiny.jpg"] }
        #expect(playground.ingestor.status.roots[0].excludedCounts.isEmpty)
    }
}
