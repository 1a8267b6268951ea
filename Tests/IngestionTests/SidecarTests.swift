import Catalog
import Foundation
import Harness
import Platform
import TestSupport
import Testing

@testable import Ingestion

/// Names of sidecar files, and bad ones as rows with their reason.
struct SidecarTests {
    // MARK: Names

    private func names(_ image: String) -> [String] {
        SidecarNames.names(for: Array(image.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        ("a.jpg", ["a.jpg.json", "a.json", "a.jpg.supplemental-metadata.json"]),
        ("a", ["a.json", "a.supplemental-metadata.json"]),
        (
            "a(2).jpg",
            [
                "a(2).jpg.json", "a(2).json", "a(2).jpg.supplemental-metadata.json",
                "a.jpg.supplemental-metadata(2).json",
                "a.jpg(2).json",
            ]
        ),
        // 51 bytes with the ending, as Takeout cuts them.
        ("IMG_20250112_100426_0123.jpg", ["", "", "IMG_20250112_100426_0123.jpg.supplemental-meta.json"]),
        (
            "IMG_20250112_100426_012345678901234567890.jpg",
            ["", "", "IMG_20250112_100426_012345678901234567890.jpg..json"]
        ),
        (
            "IMG_20250112_100426_01234567890123456789.jpg",
            ["", "", "IMG_20250112_100426_01234567890123456789.jpg.s.json"]
        ),
        (
            "IMG_20250112_100426_0123456789012345678901234.jpg",
            ["", "", "IMG_20250112_100426_0123456789012345678901234..json"]
        ),
        (
            "IMG_20250112_100426_01234567890123456789(12).jpg",
            [
                "", "", "IMG_20250112_100426_01234567890123456789(12).j.json",
                "IMG_20250112_100426_01234567890123456789.jpg.s(12).json", "",
            ]
        ),
    ])
    func `A document is looked for under the names that programs give it`(_ image: String, _ expected: [String]) {
        let found = names(image)
        #expect(found.count == expected.count, "\(found)")
        for (name, wanted) in zip(found, expected) where !wanted.isEmpty { #expect(name == wanted) }
    }

    @Test func `A name too long for a file system is not looked for`() {
        let name = String(repeating: "x", count: 246)
        #expect(names("\(name).jpg").map(\.utf8.count) == [255, 251, 51])
        #expect(names("\(name)x.jpg").map(\.utf8.count) == [252, 51])
        #expect(names("\(name)xxxxx.jpg").map(\.utf8.count) == [51])
    }

    /// Each of an image's names leads back to the image.
    @Test(arguments: [
        "a.jpg", "a", "a.b.jpg", "a(2).jpg", "a(2)(3).jpg", "(2).jpg", "a(2)", "a.supplemental-metadata.jpg",
        "a(x).jpg",
        "IMG_20250112_100426_0123.jpg", "IMG_20250112_100426_012345678901234567890(1).jpg",
        "IMG_20250112_100426_01234567890123456789012345678901234567890(1).jpg",
        "IMG.20250112_100426_01234567890123456789012345678901234567890(1)",
        "Bäume im Wald bei Überlingen, Frühjahr 2021 (2).jpg",
        "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü(7).jpeg",
    ])
    func `A document leads to every image that it may be of`(_ image: String) {
        let bytes = Array(image.utf8)
        for name in SidecarNames.names(for: bytes) {
            let images = SidecarNames.images(beside: name)
            let isFound = images.names.contains(bytes) || images.prefixes.contains { bytes.starts(with: $0) }
            #expect(isFound, "\(String(decoding: name, as: UTF8.self))")
        }
    }

    @Test func `Takeout's documents belong to their images`() throws {
        let long = "IMG_20250112_100426_01234567890123456789.jpg"
        let ground = try Playground(files: ["a.jpg", "a(1).jpg", "b.jpg", "b(1).jpg", "c.jpg", long])
        try ground.write("root/a.jpg.supplemental-metadata.json", #"{"n":1}"#)
        try ground.write("root/a.jpg.supplemental-metadata(1).json", #"{"n":2}"#)
        try ground.write("root/b.jpg.json", #"{"n":3}"#)
        try ground.write("root/b.jpg(1).json", #"{"n":4}"#)
        try ground.write("root/c.json", #"{"n":5}"#)
        try ground.write("root/c.jpg.supplemental-metadata.json", #"{"n":50}"#)
        try ground.write("root/\(long).s.json", #"{"n":6}"#)
        ground.idle()
        func document(_ name: String) -> String {
            let image = ground.indexed[name].flatMap { ground.ledger.images[$0] }
            return String(decoding: image?.document ?? [], as: UTF8.self)
        }
        for (name, number) in [("a.jpg", 1), ("a(1).jpg", 2), ("b.jpg", 3), ("b(1).jpg", 4), ("c.jpg", 5), (long, 6)] {
            #expect(document(name) == "{\"n\":\(number)}", "\(name)")
        }
        // One after the other, by events.
        try ground.write("root/a.jpg.supplemental-metadata(1).json", #"{"n":20}"#)
        try ground.write("root/\(long).s.json", #"{"n":60}"#)
        try ground.remove("root/c.json")
        ground.idle()
        #expect(document("a(1).jpg") == #"{"n":20}"#)
        #expect(document(long) == #"{"n":60}"#)
        #expect(document("c.jpg") == #"{"n":50}"#, "the weaker one takes its place")
        #expect(ground.failed.isEmpty)
    }

    @Test func `The longest names have documents`() throws {
        let stem = String(repeating: "x", count: 250)
        let ground = try Playground(files: ["\(stem).jpg"])
        try ground.write("root/\(stem).json", #"{"n":1}"#)
        ground.idle()
        func document() -> [UInt8]? { ground.ledger.images.values.first?.document }
        #expect(document() == Array(#"{"n":1}"#.utf8))
        try ground.write("root/\(stem).json", #"{"n":2}"#)
        ground.idle()
        #expect(document() == Array(#"{"n":2}"#.utf8))
        try ground.remove("root/\(stem).json")
        ground.idle()
        #expect(document() == [])
        #expect(ground.failed.isEmpty)
    }

    // MARK: Bad documents

    private func message(_ ground: Playground, _ path: String) -> String? {
        let row = ground.ledger.rows.values.first { $0.key.path == RelativePath(path) }
        guard case .failed(let failure)? = row?.state else { return nil }
        return failure.message
    }

    private static let bad = "{\n  \"n\": 1,\n}"
    private static let isListed = ["a.jpg.json": "invalid-document"]

    @Test(arguments: [
        (Array(bad.utf8), "a name in quotes is missing at line 3, column 1 (byte 12)"),
        (Array("[1]".utf8), "a document is an object"), ([0xFF, 0xFE, 0x7B, 0, 0x7D, 0], "the text is UTF-16"),
        ([0x7B, 0x22, 0xFC, 0x22], "the text is not UTF-8 at line 1, column 3 (byte 2)"), ([], "the text ends early"),
        (
            Array((String(repeating: "{\"a\":", count: 40) + "1" + String(repeating: "}", count: 40)).utf8),
            "more than 32 levels"
        ),
        ([UInt8](repeating: 0x20, count: 1 << 20 + 1), "it has 1048577 bytes; at most 1048576 are read"),
    ])
    func `A bad document is a row of its own, and the image has none`(_ bytes: [UInt8], _ reason: String) throws {
        let ground = try Playground(files: ["a.jpg"])
        ground.idle()
        try Data(bytes).write(to: URL(filePath: ground.path("root/a.jpg.json")))
        ground.eventually { ground.failed == Self.isListed }
        ground.idle()
        #expect(message(ground, "a.jpg.json")?.hasPrefix(reason) == true, "\(message(ground, "a.jpg.json") ?? "")")
        #expect(ground.ledger.images.values.map(\.document) == [[]])
        #expect(ground.indexed.count == 1)
        #expect(ground.ingestor.status.roots.first?.failedCount == 1)
        #expect(ground.embedder.embeddedCount == 1, "the image is not read again")
    }

    @Test func `A bad document is listed by event, by scan and over restarts, until it is good or gone`() throws {
        let ground = try Playground(files: ["a.jpg", "b.jpg"])
        // Written before the images are committed, or after.
        try ground.write("root/a.jpg.json", Self.bad)
        ground.eventually { ground.failed == Self.isListed }
        ground.idle()
        func documents() -> [String] {
            ["a.jpg", "b.jpg"].map { name in
                let image = ground.indexed[name].flatMap { ground.ledger.images[$0] }
                return String(decoding: image?.document ?? [], as: UTF8.self)
            }
        }
        // Good, by event; bad again, by event.
        try ground.write("root/a.jpg.json", #"{"n":1}"#)
        ground.eventually { ground.failed.isEmpty && documents()[0] == #"{"n":1}"# }
        try ground.write("root/a.jpg.json", Self.bad)
        ground.eventually { ground.failed == Self.isListed && documents()[0].isEmpty }
        // As it was, over a restart.
        try ground.restart()
        ground.idle()
        #expect(ground.failed == Self.isListed)
        // Good, and another one bad, while nobody looks.
        try ground.restart {
            try ground.write("root/a.jpg.json", #"{"n":2}"#)
            try ground.write("root/b.json", "{")
        }
        ground.eventually { ground.failed == ["b.json": "invalid-document"] && documents()[0] == #"{"n":2}"# }
        // Gone, while nobody looks.
        try ground.restart { try ground.remove("root/b.json") }
        ground.eventually { ground.failed.isEmpty }
        // Bad and gone, by event.
        try ground.write("root/b.json", "{")
        ground.eventually { ground.failed == ["b.json": "invalid-document"] }
        try ground.remove("root/b.json")
        ground.eventually { ground.failed.isEmpty }
        ground.idle()
        #expect(ground.ingestor.status.roots.first?.failedCount == 0)
        #expect(ground.embedder.embeddedCount == 2)
    }

    @Test func `Without an image beside it a bad document is none`() throws {
        let ground = try Playground(files: ["other.jpg"])
        try ground.write("root/package.json", "{")
        ground.idle()
        #expect(ground.failed.isEmpty)
        // The image comes: it is one.
        try ground.write("root/package.jpg")
        ground.eventually { ground.failed == ["package.json": "invalid-document"] }
        // The image gets another name, and another folder; then the document follows it.
        try ground.move("root/package.jpg", "root/b.jpg")
        ground.eventually { ground.failed.isEmpty && ground.indexed["b.jpg"] != nil }
        try ground.move("root/package.json", "root/b.json")
        ground.eventually { ground.failed == ["b.json": "invalid-document"] }
        try ground.makeDirectory("root/sub")
        try ground.move("root/b.jpg", "root/sub/b.jpg")
        ground.eventually { ground.failed.isEmpty && ground.indexed["sub/b.jpg"] != nil }
        try ground.move("root/b.json", "root/sub/b.json")
        ground.eventually { ground.failed == ["sub/b.json": "invalid-document"] }
        // The folder moves with both; then the image goes.
        try ground.move("root/sub", "root/moved")
        ground.eventually {
            ground.failed == ["moved/b.json": "invalid-document"] && ground.indexed["moved/b.jpg"] != nil
        }
        try ground.remove("root/moved/b.jpg")
        ground.eventually { ground.failed.isEmpty }
        // And what nobody saw.
        try ground.restart { try ground.write("root/moved/b.jpg") }
        ground.eventually { ground.failed == ["moved/b.json": "invalid-document"] }
        try ground.restart { try ground.remove("root/moved/b.jpg") }
        ground.eventually { ground.failed.isEmpty }
        try ground.write("root/moved/b.jpg")
        ground.eventually { !ground.failed.isEmpty }
        try ground.remove("root/moved")
        ground.eventually { ground.failed.isEmpty && ground.indexed.count == 1 }
        ground.idle()
        #expect(ground.ingestor.status.roots.first?.failedCount == 0)
    }

    @Test func `A bad document beside a bad image is listed too`() throws {
        let ground = try Playground()
        try ground.write("root/a.jpg", "")
        try ground.write("root/a.json", "{")
        ground.eventually { ground.failed == ["a.jpg": "empty", "a.json": "invalid-document"] }
        try ground.restart()
        ground.idle()
        #expect(ground.failed == ["a.jpg": "empty", "a.json": "invalid-document"])
        #expect(ground.ingestor.status.roots.first?.failedCount == 2)
        try ground.write("root/a.jpg", "good")
        ground.eventually { ground.failed == ["a.json": "invalid-document"] }
        try ground.write("root/a.json", "{}")
        ground.eventually { ground.failed.isEmpty }
    }

    @Test func `A retry of a bad document reads a document and no image`() throws {
        let ground = try Playground(files: ["a.jpg"])
        try ground.write("root/a.jpg.json", Self.bad)
        ground.eventually { ground.failed == Self.isListed }
        ground.idle()
        ground.ingestor.rescan(nil)
        ground.idle()
        #expect(ground.failed == Self.isListed)
        // As a retry of everything that failed puts it.
        var scheduler = SchedulerState(configuration: Playground.quick)
        let record = RootRecord(id: ground.root, path: RelativePath(ground.path("root")))
        scheduler.rootAdded(record, PathRules(), at: .now)
        scheduler.rootOpened(try OpenRoot(finding: record, excluding: []), at: .now)
        let sidecar = FileKey(root: ground.root, path: RelativePath("a.jpg.json"))
        scheduler.fileNeedsReading(sidecar, at: .now)
        #expect(scheduler.takeVisit(at: .now) == nil)
        scheduler.fileNeedsReading(FileKey(root: ground.root, path: RelativePath("a.jpg")), at: .now)
        #expect(scheduler.takeVisit(at: .now)?.key.path == RelativePath("a.jpg"))
    }

    @Test func `What the rules leave out, or is no file, is no bad document`() throws {
        let ground = try Playground(files: ["a.jpg", "b.jpg"])
        try ground.write("root/b.json", Self.bad)
        try ground.write("root/a.jpg.json", Self.bad)
        ground.eventually { ground.failed.count == 2 }
        // A link takes the place of one, a folder that of the other.
        try ground.remove("root/a.jpg.json")
        #expect(symlink("b.json", ground.path("root/a.jpg.json")) == 0)
        ground.eventually { ground.failed == ["b.json": "invalid-document"] }
        try ground.remove("root/b.json")
        try ground.makeDirectory("root/b.json")
        ground.eventually { ground.failed.isEmpty }
        try ground.write("root/.likenessignore", "*.json")
        try ground.remove("root/b.json")
        try ground.write("root/b.json", Self.bad)
        ground.idle()
        #expect(ground.failed.isEmpty)
        try ground.restart { try ground.write("root/a.json", Self.bad) }
        ground.idle()
        #expect(ground.failed.isEmpty)
        // Both are bad again, without an event of their own.
        try ground.remove("root/.likenessignore")
        ground.eventually { ground.failed == ["a.json": "invalid-document", "b.json": "invalid-document"] }
    }

    /// Documents of all forms, good and bad, and images come, change, move and go, with restarts between; then each image has the
    /// document that the folder says, and each bad one beside an image is listed.
    @Test func `A long random life of documents ends as the folder says`() throws {
        try TestEnvironment.campaign(seconds: 2) { seed in
            var random = SeededRandom(seed: seed)
            let ground = try Playground()
            let folders = ["root", "root/a"]
            try ground.makeDirectory("root/a")
            let long = "IMG_20250112_100426_01234567890123456789"
            let images = ["x.jpg", "x.png", "x(1).jpg", "\(long).jpg", "\(long)(1).jpg"]
            let sidecars = Set(images.flatMap(names)).sorted()
            var count = 0
            func pick(_ names: [String]) -> String {
                "\(folders.randomElement(using: &random) ?? "")/\(names.randomElement(using: &random) ?? "")"
            }
            func step() throws {
                count += 1
                switch Int.random(in: 0..<10, using: &random) {
                case 0, 1: try ground.write(pick(images), "image \(count)")
                case 2, 3: try ground.write(pick(sidecars), "{\"n\":\(count)}")
                case 4, 5: try ground.write(pick(sidecars), "{\"n\":\(count),}")
                case 6: unlink(ground.path(pick(images)))
                case 7: unlink(ground.path(pick(sidecars)))
                case 8: rename(ground.path(pick(images)), ground.path(pick(images)))
                default: rename(ground.path(pick(sidecars)), ground.path(pick(sidecars)))
                }
            }
            for _ in 0..<4 {
                for _ in 0..<Int.random(in: 1...30, using: &random) {
                    try step()
                    if Int.random(in: 0..<4, using: &random) == 0 { sleep(seconds: 0.02) }
                }
                if Bool.random(using: &random) {
                    try ground.restart { for _ in 0..<Int.random(in: 0...10, using: &random) { try step() } }
                }
            }
            ground.idle()
            let (documents, bad) = try expected(ground)
            func found() -> [String: String] {
                ground.indexed.mapValues { String(decoding: ground.ledger.images[$0]?.document ?? [], as: UTF8.self) }
            }
            ground.eventually { found() == documents && Set(ground.failed.keys) == bad }
            #expect(found() == documents, "seed \(seed)")
            #expect(Set(ground.failed.keys) == bad, "seed \(seed)")
            ground.eventually { ground.ingestor.status.roots.first?.failedCount == bad.count }
            #expect(ground.ingestor.status.roots.first?.failedCount == bad.count, "seed \(seed)")
        }
    }

    /// The document of each image, and the bad ones beside images, as a walk says.
    private func expected(_ ground: Playground) throws -> (documents: [String: String], bad: Set<String>) {
        var texts: [String: String] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: ground.path("root")) {
            texts[name] = try? String(contentsOfFile: ground.path("root/\(name)"), encoding: .utf8)
        }
        var documents: [String: String] = [:]
        var bad: Set<String> = []
        for image in texts.keys where !image.hasSuffix(".json") {
            let places = Sidecars.places(for: RelativePath(image)).map(\.description).filter { texts[$0] != nil }
            let text = places.first.flatMap { texts[$0] } ?? ""
            documents[image] = text.hasSuffix(",}") ? "" : text
            bad.formUnion(places.filter { texts[$0]?.hasSuffix(",}") ?? false })
        }
        return (documents, bad)
    }

    // MARK: Required documents

    @Test func `Where a document is required, an image without a good one is a failed file until it comes`() throws {
        var settings = RootSettings()
        settings.requiresDocument = true
        let ground = try Playground(files: ["a.jpg", "b.jpg"], settings: settings)
        try ground.write("root/b.json", "{}")
        ground.eventually { ground.failed == ["a.jpg": "document-missing"] && ground.indexed["b.jpg"] != nil }
        #expect(message(ground, "a.jpg") == "no document lies beside it, such as a.jpg.json")
        // Bad, good, gone, by events.
        try ground.write("root/a.jpg.json", Self.bad)
        ground.eventually { ground.failed["a.jpg.json"] == "invalid-document" }
        #expect(ground.failed["a.jpg"] == "document-missing")
        try ground.write("root/a.jpg.json", "{}")
        ground.eventually { ground.failed.isEmpty && ground.indexed.count == 2 }
        try ground.remove("root/a.jpg.json")
        ground.eventually { ground.failed == ["a.jpg": "document-missing"] && ground.indexed.count == 1 }
        // While nobody looks.
        try ground.restart {
            try ground.write("root/a.jpg.json", "{}")
            try ground.remove("root/b.json")
        }
        ground.eventually { ground.failed == ["b.jpg": "document-missing"] && ground.indexed["a.jpg"] != nil }
        ground.idle()
        #expect(ground.ingestor.status.roots.first?.failedCount == 1)
    }

    @Test func `What was required and is no longer becomes an image with the next scan, and the other way round`()
        throws
    {
        let ground = try Playground(files: ["a.jpg"])
        ground.idle()
        var strict = RootSettings()
        strict.requiresDocument = true
        _ = try ground.ingestor.addRoot(ground.path("root"), settings: strict)
        ground.eventually { ground.failed == ["a.jpg": "document-missing"] }
        _ = try ground.ingestor.addRoot(ground.path("root"))
        ground.eventually { ground.failed.isEmpty && ground.indexed.count == 1 }
    }
}
