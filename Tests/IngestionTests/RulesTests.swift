import Catalog
import Filters
import Foundation
import Platform
import Testing

@testable import Ingestion

@Suite struct RulesTests {
    private func verdict(
        _ path: String,
        isFolder: Bool = false,
        _ settings: RootSettings = RootSettings(),
        _ stack: IgnoreStack = IgnoreStack()
    ) -> PathRules.Verdict {
        PathRules(settings).verdict(RelativePath(path), isFolder: isFolder, stack)
    }

    @Test func `Settings say what is looked at`() throws {
        var settings = RootSettings()
        settings.hidden = true
        #expect(verdict(".a.jpg", isFolder: false, settings) == .candidate)
        #expect(verdict(".likenessignore", isFolder: false, settings) == .excluded(.notAnImage))
        settings.exclude = ["raw/", "*.jpg", "!keep.jpg", "/top.png"]
        #expect(verdict("a/raw", isFolder: true, settings) == .excluded(.rule))
        #expect(verdict("a/raw", isFolder: false, settings) == .candidate)
        #expect(verdict("a/b.jpg", isFolder: false, settings) == .excluded(.rule))
        #expect(verdict("a/keep.jpg", isFolder: false, settings) == .candidate)
        #expect(verdict("top.png", isFolder: false, settings) == .excluded(.rule))
        #expect(verdict("a/top.png", isFolder: false, settings) == .candidate)
        settings = RootSettings()
        settings.include = ["2024/", "*.png"]
        #expect(verdict("2024/x/a.jpg", isFolder: false, settings) == .candidate)
        #expect(verdict("2023/x/a.png", isFolder: false, settings) == .candidate)
        #expect(verdict("2023/x/a.jpg", isFolder: false, settings) == .excluded(.rule))
        #expect(verdict("2023", isFolder: true, settings) == .enter)
    }

    @Test func `A setting that cannot be used is named`() throws {
        let cases: [(String, JSONValue)] = [
            ("exclude", .array([.string("#")])), ("include", .array([.string("")])), ("exclude", .string("*.jpg")),
            ("maximum_depth", .number(0)), ("minimum_pixels", .number(-1)), ("rescan_interval_s", .number(1)),
            ("minimum_bytes", .number(1.5)), ("hidden", .number(1)),
        ]
        for (member, value) in cases {
            var settings = RootSettings()
            let error = #expect(throws: RuleError.self) { try settings.apply([member: value]) }
            #expect(error?.member == member)
        }
        var settings = RootSettings()
        let error = #expect(throws: RuleError.self) { try settings.apply(["exlude": .array([])]) }
        #expect(error?.description == "exlude: unknown; did you mean `exclude`?")
    }

    @Test func `Settings come back as the members that differ`() throws {
        let object: [String: JSONValue] = [
            "exclude": .array([.string("raw/")]), "minimum_pixels": .number(64), "hidden": .bool(true),
        ]
        var settings = RootSettings()
        try settings.apply(object)
        #expect(settings.minimumPixels == 64)
        #expect(settings.differences() == object)
        #expect(RootSettings().differences() == [:])
    }

    @Test func `A Photos library is entered for its originals alone`() {
        #expect(verdict("x.photoslibrary", isFolder: true) == .enter)
        #expect(verdict("x.photoslibrary/originals", isFolder: true) == .enter)
        #expect(verdict("x.photoslibrary/resources", isFolder: true) == .excluded(.rule))
        #expect(verdict("a/resources", isFolder: true) == .enter)
    }

    @Test(arguments: [
        ".snapshot", ".zfs", ".recycle", ".Trash-1000", ".@__thumb", ".git", "files_trashbin", ".stversions",
    ])
    func `Bins and snapshots stay out where hidden names are looked at, unless bins are wanted too`(_ name: String) {
        var settings = RootSettings()
        settings.hidden = true
        #expect(verdict("a/\(name)", isFolder: true, settings) == .excluded(.rule))
        #expect(verdict(".config", isFolder: true, settings) == .enter)
        #expect(verdict("._a.jpg", isFolder: false, settings) == .excluded(.rule))
        settings.bins = false
        #expect(verdict("a/\(name)", isFolder: true, settings) == .enter)
        #expect(verdict("a.jpg_original", isFolder: false, settings) == .candidate)
    }

    @Test func `Only a file whose name has an extension before it is a copy of exiftool's`() {
        #expect(verdict("a.jpg_original") == .excluded(.rule))
        #expect(verdict("a.HEIC_Original") == .excluded(.rule))
        #expect(verdict("Holiday_original", isFolder: true) == .enter)
        #expect(verdict("a.jpg_original", isFolder: true) == .enter)
        #expect(verdict("Holiday_original") == .candidate)
        #expect(verdict("a_original.jpg") == .candidate)
    }

    @Test func `A mark of UTF-8 is no part of the first pattern`() throws {
        let file = try IgnoreFile([0xEF, 0xBB, 0xBF] + Array("*.jpg\n*.png".utf8))
        let stack = IgnoreStack().entering(.root, file)
        #expect(verdict("x.jpg", stack: stack) == .excluded(.rule))
        #expect(verdict("x.png", stack: stack) == .excluded(.rule))
        #expect(verdict("x.gif", stack: stack) == .candidate)
    }

    @Test func `An image that is left out for its pixels is due when the settings want fewer`() throws {
        let failure = try #require(FileFailure.tooSmall(640, 48, 64))
        var settings = RootSettings()
        for (minimum, isDue) in [(0, true), (48, true), (49, false), (64, false)] {
            settings.minimumPixels = minimum
            #expect(failure.isDue(settings, now: .max) == isDue, "\(minimum)")
        }
        let corrupt = FileFailure(kind: "corrupt", message: "1 x 1", attempts: 1, nextAttempt: nil)
        #expect(!corrupt.isDue(settings, now: .max))
    }

    @Test func `What settings leave out is known without the disk`() {
        var settings = RootSettings()
        settings.exclude = ["raw/"]
        settings.maximumDepth = 2
        let rules = PathRules(settings)
        #expect(rules.leavesOut(folder: RelativePath("a/raw/b")))
        #expect(rules.leavesOut(folder: RelativePath("a/b/c")))
        #expect(!rules.leavesOut(folder: RelativePath("a/b")))
        #expect(!rules.leavesOut(folder: .root))
        #expect(rules.leavesOut(RelativePath("a/x.part")))
        #expect(!rules.leavesOut(RelativePath("a/x.json")))
    }

    @Test func `The deepest ignore file decides, and its last pattern`() throws {
        let top = try IgnoreFile(Array("*.jpg\n/b/c.png\n".utf8))
        let below = try IgnoreFile(Array("# comment\n!a.jpg\r\n/d.png\n".utf8))
        let stack = IgnoreStack().entering(.root, top).entering(RelativePath("b"), below)
        #expect(verdict("b/x.jpg", stack: stack) == .excluded(.rule))
        #expect(verdict("b/a.jpg", stack: stack) == .candidate)
        #expect(verdict("b/c.png", stack: stack) == .excluded(.rule))
        #expect(verdict("b/d.png", stack: stack) == .excluded(.rule))
        #expect(verdict("b/e/d.png", stack: stack) == .candidate)
    }

    private func verdict(_ path: String, stack: IgnoreStack) -> PathRules.Verdict {
        verdict(path, isFolder: false, RootSettings(), stack)
    }

    @Test(arguments: [
        "a.jpg", "A.JPEG", "photo", "x.png", "scan.tif", "picture.heic", "no-extension", "a.jpg.bak", "trailer.pdf",
        "a b.jpg",
        "\u{e4}.jpg",
    ])
    func `Everything that may be an image is looked at`(_ name: String) {
        #expect(verdict(name) == .candidate)
    }

    @Test(arguments: [
        ".hidden.jpg", "a.jpg~", "a.tmp", "b.JPG.part", "c.partial", "d.crdownload", "e.download", "f.opdownload",
        ".syncthing.a.jpg.tmp", "~syncthing~a.jpg.tmp", "Thumbs.db", "notes.txt", "film.MP4", "song.mp3", "a.zip",
        "b.jpg_original",
    ])
    func `Unfinished, hidden and other files are left out`(_ name: String) {
        guard case .excluded = verdict(name) else { return #expect(Bool(false), "\(name) is looked at") }
    }

    @Test func `Documents are told from images`() {
        #expect(verdict("a.jpg.JSON") == .sidecar)
        let raw = RelativePath(bytes: [0xFF, 0xFE, 0x2E, 0x6A, 0x70, 0x67])
        #expect(PathRules().verdict(raw, isFolder: false, IgnoreStack()) == .candidate)
    }

    @Test(arguments: [
        ".git", ".~tmp~", ".rsync-partial", "@eaDir", ".Trash-1000", "#recycle", "lost+found", "@Recycle",
        "@Recently-Snapshot", "#snapshot", "$RECYCLE.BIN", "System Volume Information", "Catalog Previews.lrdata",
    ])
    func `Folders of other programs are not entered`(_ name: String) {
        #expect(verdict(name, isFolder: true) != .enter)
        #expect(verdict("a/\(name)", isFolder: true) != .enter)
        #expect(verdict("a", isFolder: true) == .enter)
    }

    @Test func `Work is needed exactly when the stamp or the time says so`() {
        let stamp = FileStamp(device: 1, inode: 2, byteCount: 3, modified: 4, changed: 5)
        let key = FileKey(root: RootID(rawValue: 1), path: RelativePath("a"))
        func row(_ state: FileRow.State, _ stamp: FileStamp) -> FileRow {
            FileRow(key: key, stamp: stamp, content: nil, state: state)
        }
        func needsWork(_ row: FileRow?, isForced: Bool = false, now: Int64 = 100) -> Bool {
            FileRow.needsWork(row, stamp: stamp, RootSettings(), isForced: isForced, now: now)
        }
        #expect(needsWork(nil))
        #expect(!needsWork(row(.indexed(ImageID(rawValue: 1)), stamp)))
        #expect(!needsWork(row(.indexed(ImageID(rawValue: 1)), stamp), isForced: true))
        #expect(!needsWork(row(.excluded, stamp), isForced: true))
        #expect(needsWork(row(.excluded, stamp.smudged)))
        var remounted = stamp
        remounted.device = 9
        #expect(!needsWork(row(.excluded, remounted)), "device numbers change with a reboot")
        for change in [\FileStamp.modified, \FileStamp.changed] {
            var other = stamp
            other[keyPath: change] += 1
            #expect(needsWork(row(.excluded, other)))
        }
        let permanent = FileFailure(kind: "corrupt", message: "", attempts: 1, nextAttempt: nil)
        #expect(!needsWork(row(.failed(permanent), stamp)))
        #expect(needsWork(row(.failed(permanent), stamp), isForced: true))
        let transient = FileFailure(kind: "unreadable", message: "", attempts: 1, nextAttempt: 50)
        #expect(needsWork(row(.failed(transient), stamp)))
        #expect(!needsWork(row(.failed(transient), stamp), now: 49))
    }

    @Test func `Transient errors back off: they wait longer each time, then for a change`() {
        let delays = IngestionConfiguration().backoffDelays
        var row: FileRow?
        var waits: [Int64?] = []
        for _ in 0..<6 {
            let failure = FileFailure.transient("unreadable", "no", after: row, delays: delays, now: 0)
            waits.append(failure.nextAttempt.map { $0 / 1_000_000_000 })
            let stamp = FileStamp(device: 0, inode: 0, byteCount: 0, modified: 0, changed: 0)
            let key = FileKey(root: RootID(rawValue: 1), path: RelativePath("a"))
            row = FileRow(key: key, stamp: stamp, content: nil, state: .failed(failure))
        }
        #expect(waits == [60, 300, 1800, 21_600, 86_400, nil])
    }

    @Test func `A young stamp is racy, an old or absurd one is not`() {
        let now: Int64 = 1_000_000_000_000
        func isRacy(_ modified: Int64) -> Bool {
            FileStamp(device: 0, inode: 0, byteCount: 0, modified: modified, changed: 0).isRacy(at: now, within: 2)
        }
        #expect(isRacy(now) && isRacy(now - 1_900_000_000) && isRacy(now + 1_900_000_000))
        #expect(!isRacy(now - 2_100_000_000) && !isRacy(.min) && !isRacy(.max))
    }

    @Test func `Progress knows rate and rest, and forgets them at rest`() throws {
        func at(_ seconds: Double) -> Instant { Instant(nanoseconds: 0) + seconds }
        var progress = Progress()
        progress.setBusy(true, at: at(0))
        for second in 1...10 { progress.add(fileCount: 5, imageCount: 4, at: at(Double(second))) }
        #expect(progress.doneCount == 50)
        #expect(abs(progress.imagesPerSecond(at: at(10)) - 4) < 0.01)
        #expect(abs(try #require(progress.remainingSeconds(waitingCount: 8, at: at(10))) - 2) < 0.01)
        progress.setBusy(false, at: at(10))
        #expect(progress.imagesPerSecond(at: at(11)) == 0)
        progress.setBusy(true, at: at(11))
        #expect(progress.doneCount == 50, "a short pause is the same load")
        progress.setBusy(false, at: at(12))
        progress.setBusy(true, at: at(20))
        #expect(progress.doneCount == 0)
        #expect(progress.remainingSeconds(waitingCount: 1, at: at(20)) == nil)
    }
}
