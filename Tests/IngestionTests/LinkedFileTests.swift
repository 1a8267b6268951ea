import Catalog
import Foundation
import Platform
import TestSupport
import Testing

@testable import Ingestion

/// Bytes that change without an event in the directory of a name: through another hard link, or through a map.
@Suite struct LinkedFileTests {
    private func digest(_ text: String) -> SHA256Digest { SHA256Digest(of: Array(text.utf8)) }

    private func content(_ ground: Playground, _ path: String) -> SHA256Digest? {
        ground.ledger.rows[FileKey(root: ground.root, path: RelativePath(path))]?.content
    }

    /// Writes in place, without truncating first.
    private func overwrite(_ path: String, _ text: String) throws {
        let number = open(path, O_WRONLY)
        try #require(number >= 0)
        #expect(pwrite(number, text, text.utf8.count, 0) == text.utf8.count)
        close(number)
    }

    @Test func `A write through another name, inside or outside of the root, is seen under all names`() throws {
        let ground = try Playground()
        try ground.write("root/a.jpg", "first")
        try ground.makeDirectory("root/sub")
        try #require(link(ground.path("root/a.jpg"), ground.path("root/sub/b.jpg")) == 0)
        try #require(link(ground.path("root/a.jpg"), ground.path("outside.jpg")) == 0)
        ground.idle()
        for (name, text) in [("root/sub/b.jpg", "secnd"), ("outside.jpg", "third"), ("root/a.jpg", "forth")] {
            try overwrite(ground.path(name), text)
            ground.eventually {
                content(ground, "a.jpg") == digest(text) && content(ground, "sub/b.jpg") == digest(text)
            }
        }
        #expect(ground.ingestor.watcher?.table.fileCount == 1)
        try ground.remove("root/sub/b.jpg")
        try ground.remove("outside.jpg")
        ground.eventually { ground.ingestor.watcher?.table.fileCount == 0 }
        try overwrite(ground.path("root/a.jpg"), "fifth")
        ground.eventually { content(ground, "a.jpg") == digest("fifth") }
    }

    @Test func `A file that gets a second name while it is watched is watched by itself from then on`() throws {
        let ground = try Playground(files: ["a.jpg"])
        ground.idle()
        #expect(ground.ingestor.watcher?.table.fileCount == 0)
        try #require(link(ground.path("root/a.jpg"), ground.path("root/b.jpg")) == 0)
        ground.eventually { ground.indexed.count == 2 }
        ground.idle()
        #expect(ground.embedder.embeddedCount == 1)
        try overwrite(ground.path("root/b.jpg"), "other")
        // Five bytes of "image root/a.jpg" are others now.
        let expected = digest("other root/a.jpg")
        ground.eventually { content(ground, "a.jpg") == expected && content(ground, "b.jpg") == expected }
    }

    @Test func `More such files than can be watched make the root polled, and its detail says why`() throws {
        var configuration = Playground.quick
        configuration.linkedCapacity = 1
        let ground = try Playground(configuration)
        try ground.makeDirectory("outside")
        for index in 0..<3 {
            try ground.write("root/\(index).jpg", "first \(index)")
            try #require(link(ground.path("root/\(index).jpg"), ground.path("outside/\(index).jpg")) == 0)
        }
        ground.eventually { ground.state == .polling }
        #expect(ground.ingestor.status.roots.first?.detail.contains("hard links") == true)
        ground.eventually { ground.indexed.count == 3 }
        for index in 0..<3 { try overwrite(ground.path("outside/\(index).jpg"), "secnd \(index)") }
        ground.eventually { (0..<3).allSatisfy { content(ground, "\($0).jpg") == digest("secnd \($0)") } }
        for index in 0..<3 { try ground.remove("outside/\(index).jpg") }
        ground.eventually { ground.state == .live }
    }

    /// A file that is mapped for writing.
    private final class Mapping {
        let bytes: UnsafeMutableRawPointer
        let byteCount: Int

        init(_ path: String, byteCount: Int) throws {
            let number = open(path, O_RDWR)
            try #require(number >= 0)
            bytes = try #require(mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0))
            try #require(bytes != MAP_FAILED)
            close(number)
            self.byteCount = byteCount
        }

        func write(_ text: String) { bytes.copyMemory(from: Array(text.utf8), byteCount: text.utf8.count) }

        deinit { munmap(bytes, byteCount) }
    }

    @Test func `What is written through a map is read when the map ends, though it changed no stamp`() throws {
        let ground = try Playground()
        try ground.write("root/a.jpg", "0 bytes")
        ground.idleWithoutRacyStamps()
        do {
            let mapping = try Mapping(ground.path("root/a.jpg"), byteCount: 7)
            mapping.write("1 bytes")
            // The first write to the page changed the stamp and sent no event. Have it read by an event of another kind.
            try #require(chmod(ground.path("root/a.jpg"), 0o640) == 0)
            ground.eventually { content(ground, "a.jpg") == digest("1 bytes") }
            ground.idleWithoutRacyStamps()
            mapping.write("2 bytes")
            withExtendedLifetime(mapping) {}
        }
        ground.eventually { content(ground, "a.jpg") == digest("2 bytes") }
    }

    @Test func `A writer that pauses with its map in place is found by a later look`() throws {
        let ground = try Playground()
        try ground.write("root/a.jpg", "0 bytes")
        let mapping = try Mapping(ground.path("root/a.jpg"), byteCount: 7)
        ground.eventually { content(ground, "a.jpg") == digest("0 bytes") }
        // No event tells of this, and the map stays.
        mapping.write("1 bytes")
        ground.eventually { content(ground, "a.jpg") == digest("1 bytes") }
        withExtendedLifetime(mapping) {}
    }
}
