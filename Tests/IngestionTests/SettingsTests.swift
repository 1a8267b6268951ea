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
        // The fake's images are of 4 x 3 pixels.
        try change(playground) { $0.minimumPixels = 4 }
        playground.eventually { paths(playground).isEmpty }
        playground.eventually { playground.ingestor.status.roots[0].excludedCounts == [.tooSmall: 2] }
        #expect(playground.ingestor.status.roots[0].entryCount == 2)
        try change(playground) { _ in }
        playground.eventually { paths(playground) == ["a.jpg", "tiny.jpg"] }
        #expect(playground.ingestor.status.roots[0].excludedCounts.isEmpty)
    }
}
