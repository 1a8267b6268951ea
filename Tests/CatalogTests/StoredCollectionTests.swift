import Foundation
import Platform
import Storage
import TestSupport
import Testing

@testable import Catalog

/// Collections that earlier programs wrote open with this one. `Fixtures/README.md` says what they hold.
struct StoredCollectionTests {
    private let folder: TemporaryDirectory
    private let photos = RootID(rawValue: 1)
    private let scans = RootID(rawValue: 2)

    init() throws {
        folder = try TemporaryDirectory()
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
        try FileManager.default.copyItem(
            at: fixtures.appending(path: "collection-2.mdb"),
            to: folder.url.appending(path: "data.mdb")
        )
    }

    /// The image of a number as the program wrote it, but for the time at which it was added.
    private func image(
        _ id: UInt64,
        _ root: RootID,
        _ path: String,
        _ number: Int,
        document: String = ""
    ) -> ImageRecord {
        let stamp = CatalogFixture.stamp(number)
        return ImageRecord(
            id: ImageID(rawValue: id),
            key: FileKey(root: root, path: RelativePath(path)),
            content: CatalogFixture.content(number),
            format: number % 4 == 0 ? "png" : "jpeg",
            width: UInt32(100 + number),
            height: 200,
            byteCount: stamp.byteCount,
            modified: stamp.modified,
            added: 0,
            document: Array(document.utf8)
        )
    }

    private var expectedImages: [ImageRecord] {
        var images = (0..<20).map { image(UInt64($0 + 1), photos, "2021/\($0).jpg", $0, document: #"{"n":\#($0)}"#) }
        images += (20..<38).map { image(UInt64($0 + 1), scans, "\($0).jpg", $0) }
        images += [image(39, scans, "copy 0.jpg", 0), image(40, scans, "copy 1.jpg", 1)]
        images[2] = image(3, photos, "2021/2.jpg", 50, document: #"{"n":2}"#)
        images[3].key = FileKey(root: photos, path: RelativePath("2022/3.jpg"))
        images[4].document = Array(#"{"n":4,"new":true}"#.utf8)
        images[6].byteCount = CatalogFixture.stamp(60).byteCount
        images[6].modified = CatalogFixture.stamp(60).modified
        return images.filter { ![6, 8, 31].contains($0.id.rawValue) }
    }

    private func expectEverything(in catalog: Catalog) throws {
        var images = try catalog.images(after: nil, limit: 100)
        #expect(images.allSatisfy { $0.added > 1_700_000_000_000_000_000 })
        for index in images.indices { images[index].added = 0 }
        #expect(images == expectedImages)
        #expect(try catalog.roots().map(\.path) == [RelativePath("/photos"), RelativePath("/scans")])
        for image in expectedImages where image.id.rawValue != 7 {
            #expect(try catalog.file(image.key)?.state == .indexed(image.id))
        }
        let excluded = try #require(try catalog.file(FileKey(root: photos, path: RelativePath("2021/7.jpg"))))
        #expect(excluded.state == .excluded && excluded.content == CatalogFixture.content(7))
        #expect(
            try catalog.failures(after: nil, limit: 10) == [
                FileRow(
                    key: FileKey(root: scans, path: RelativePath("30.jpg")),
                    stamp: CatalogFixture.stamp(31),
                    content: nil,
                    state: .failed(
                        FileFailure(kind: "unreadable", message: "no access", attempts: 2, nextAttempt: 77)
                    )
                ),
                FileRow(
                    key: FileKey(root: scans, path: RelativePath("bad.jpg")),
                    stamp: CatalogFixture.stamp(90),
                    content: CatalogFixture.content(90),
                    state: .failed(FileFailure(kind: "corrupt", message: "broken off", attempts: 1, nextAttempt: nil))
                ),
            ]
        )
        for (number, ids) in [(0, [1, 39]), (1, [2, 40]), (50, [3]), (3, [4]), (37, [38])] as [(Int, [UInt64])] {
            var query = CatalogQuery(vector: CatalogFixture.vector(number))
            query.minimumScore = 0.999
            #expect(try catalog.search(query).hits.map(\.image.id.rawValue) == ids)
        }
        #expect(try catalog.audit() == [])
    }

    @Test func `a collection of commit 986971f opens with everything that it held`() throws {
        for _ in 0..<2 {
            let catalog = try CatalogFixture.open(folder.path)
            defer { catalog.close() }
            try expectEverything(in: catalog)
            let verification = catalog.verification()
            while let step = try verification.next() {
                if case .finding(let finding) = step { Issue.record("\(finding)") }
            }
        }
    }

    /// The entries that the earlier program wrote.
    private var expectedEvents: [ChangeEvent] {
        let later: [(ChangeEvent.Operation, UInt64)] = [
            (.replaced, 3), (.moved, 4), (.documented, 5), (.removed, 6), (.removed, 8), (.removed, 31),
        ]
        let all = (1...40).map { (.added, $0) } + later
        return all.enumerated().map { number, event in
            ChangeEvent(
                sequence: UInt64(number + 1),
                operation: event.0,
                image: ImageID(rawValue: event.1),
                time: nil
            )
        }
    }

    @Test func `its events of every operation are read, and the feed goes on behind them`() throws {
        let catalog = try CatalogFixture.open(folder.path)
        #expect(try catalog.changes(after: 0, limit: 100) == .changes(expectedEvents, last: 46))
        #expect(try catalog.changes(after: 43, limit: 2) == .changes(Array(expectedEvents[43..<45]), last: 46))
        #expect(try catalog.consumers() == [])
        #expect(try catalog.registerConsumer("replica", after: 40).isCutOff == false)
        let key = FileKey(root: photos, path: RelativePath("2021/0.jpg"))
        _ = try catalog.apply([.setDocument(key: key, document: [])])
        catalog.close()

        // Old and new rows lie side by side, also for the reader that knows no LMDB.
        let verification = try CatalogVerification(file: folder.path + "/data.mdb")
        while let step = try verification.next() {
            if case .finding(let finding) = step { Issue.record("\(finding)") }
        }
        let again = try CatalogFixture.open(folder.path)
        defer { again.close() }
        guard case .changes(let events, last: 47) = try again.changes(after: 0, limit: 100) else {
            Issue.record("the feed has a gap")
            return
        }
        #expect(Array(events.dropLast()) == expectedEvents)
        #expect(events.last?.operation == .documented && events.last?.image == ImageID(rawValue: 1))
        #expect(abs((events.last?.time ?? 0) - wallClockNanoseconds()) < 3_600_000_000_000)
        #expect(try again.consumers().map(\.acknowledged) == [40])
        #expect(try again.audit() == [])
    }

    @Test func `a program that does not know consumers refuses it once this one has opened it`() throws {
        func version() throws -> UInt16 {
            let environment = try Environment(directory: folder.path, options: CatalogFixture.options().sizes)
            defer { environment.close() }
            let transaction = try WriteTransaction(environment)
            let stored = try transaction.get("cfg", in: try transaction.openDatabase("catalog"))
            return stored?.withStorageBytes { $0.integer(at: 8) } ?? 0
        }
        #expect(try version() == 2)
        try CatalogFixture.open(folder.path).close()
        #expect(try version() == 4)
    }
}
