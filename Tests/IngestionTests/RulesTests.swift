import Catalog
import Foundation
import Platform
import Testing

@testable import Ingestion

@Suite struct RulesTests {
    @Test(arguments: [
        "a.jpg", "A.JPEG", "photo", "x.png", "scan.tif", "picture.heic", "no-extension", "a.jpg.bak", "trailer.pdf",
        "a b.jpg",
        "\u{e4}.jpg",
    ])
    func `Everything that may be an image is looked at`(_ name: String) {
        #expect(FileNames.verdict(Array(name.utf8)) == .candidate)
    }

    @Test(arguments: [
        ".hidden.jpg", "a.jpg~", "a.tmp", "b.JPG.part", "c.partial", "d.crdownload", "e.download", "f.opdownload",
        ".syncthing.a.jpg.tmp", "~syncthing~a.jpg.tmp", "Thumbs.db", "notes.txt", "film.MP4", "song.mp3", "a.zip",
    ])
    func `Unfinished, hidden and other files are left out`(_ name: String) {
        #expect(FileNames.verdict(Array(name.utf8)) == .skipped)
    }

    @Test func `Documents are told from images`() {
        #expect(FileNames.verdict(Array("a.jpg.JSON".utf8)) == .sidecar)
        #expect(FileNames.verdict([0xFF, 0xFE, 0x2E, 0x6A, 0x70, 0x67]) == .candidate)
    }

    @Test(arguments: [".git", ".~tmp~", ".rsync-partial", "@eaDir", ".Trash-1000", "#recycle", "lost+found"])
    func `Folders of other programs are not entered`(_ name: String) {
        #expect(FileNames.skipsDirectory(Array(name.utf8)))
        #expect(FileNames.skips(RelativePath("a/\(name)/b.jpg")))
        #expect(!FileNames.skips(RelativePath("a/b.jpg")))
    }

    @Test func `Work is needed exactly when the stamp or the time says so`() {
        let stamp = FileStamp(device: 1, inode: 2, byteCount: 3, modified: 4, changed: 5)
        let key = FileKey(root: RootID(rawValue: 1), path: RelativePath("a"))
        func row(_ state: FileRow.State, _ stamp: FileStamp) -> FileRow {
            FileRow(key: key, stamp: stamp, content: nil, state: state)
        }
        func needsWork(_ row: FileRow?, isForced: Bool = false, now: Int64 = 100) -> Bool {
            FileRow.needsWork(row, stamp: stamp, isForced: isForced, now: now)
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
