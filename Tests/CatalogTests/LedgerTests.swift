import Platform
import Testing

@testable import Catalog

struct LedgerTests {
    /// Around the longest path that fits a key (507 bytes), with bytes that are no UTF-8, and equal up to the cut.
    private static let paths: [[UInt8]] = [
        [0xFF, 0xFE, 0x2F, 0x80], Array("plain.jpg".utf8), Array("ünï/çödé.png".utf8),
        [UInt8](repeating: 0x61, count: 473), [UInt8](repeating: 0x61, count: 474),
        [UInt8](repeating: 0x61, count: 475),
        [UInt8](repeating: 0x61, count: 506), [UInt8](repeating: 0x61, count: 507),
        [UInt8](repeating: 0x61, count: 508),
        [UInt8](repeating: 0x61, count: 509), [UInt8](repeating: 0x61, count: 4095),
        [UInt8](repeating: 0x61, count: 4094) + [0x62], [UInt8](repeating: 0xC3, count: 600),
    ]

    private static func filled() throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        let changes = paths.enumerated().map { index, path in
            CatalogChange.index(
                key: FileKey(root: fixture.root, path: RelativePath(bytes: path)),
                stamp: CatalogFixture.stamp(index),
                content: CatalogFixture.content(index),
                embedded: ImageFeatures(vector: CatalogFixture.vector(index), format: "jpeg", width: 1, height: 1),
                document: []
            )
        }
        _ = try fixture.catalog.apply(changes)
        return fixture
    }

    @Test func everyPathHasItsOwnRow() throws {
        let fixture = try Self.filled()
        for (index, path) in Self.paths.enumerated() {
            let key = FileKey(root: fixture.root, path: RelativePath(bytes: path))
            let row = try fixture.catalog.file(key)
            #expect(row?.key == key && row?.content == CatalogFixture.content(index), "path \(index)")
        }
        let missing = FileKey(root: fixture.root, path: RelativePath(bytes: [UInt8](repeating: 0x61, count: 510)))
        #expect(try fixture.catalog.file(missing) == nil)
        #expect(try fixture.catalog.audit() == [])
    }

    @Test(arguments: [1, 2, 5, 100]) func pagesOfARootHoldEachRowOnce(_ limit: Int) throws {
        let fixture = try Self.filled()
        let other = try fixture.catalog.addRoot(RelativePath("/other"))
        let stray = FileKey(root: other.id, path: RelativePath("a"))
        let failure = FileFailure(kind: "corrupt", message: "", attempts: 1, nextAttempt: nil)
        _ = try fixture.catalog.apply([
            .fail(key: stray, stamp: CatalogFixture.stamp(1), content: nil, failure: failure)
        ])
        var seen: [RelativePath] = []
        while true {
            let page = try fixture.catalog.files(in: fixture.root, after: seen.last, limit: limit)
            #expect(page.count <= limit)
            if page.isEmpty { break }
            seen += page.map(\.key.path)
        }
        #expect(seen.count == Self.paths.count)
        #expect(Set(seen) == Set(Self.paths.map { RelativePath(bytes: $0) }))
        #expect(try fixture.catalog.files(in: other.id, after: nil, limit: 9).map(\.key) == [stray])
    }

    @Test func failuresPageOverAllRoots() throws {
        let fixture = try CatalogFixture()
        let other = try fixture.catalog.addRoot(RelativePath("/other")).id
        let keys = [fixture.root, other].flatMap { root in
            (0..<7).map { FileKey(root: root, path: RelativePath("f\($0)")) }
        }
        _ = try fixture.catalog.apply(
            keys.enumerated().map { index, key in
                let failure = FileFailure(
                    kind: "kind \(index)",
                    message: "why — \(index)",
                    attempts: UInt32(index),
                    nextAttempt: index % 2 == 0 ? nil : Int64(-index)
                )
                return .fail(
                    key: key,
                    stamp: CatalogFixture.stamp(index),
                    content: index % 3 == 0 ? CatalogFixture.content(index) : nil,
                    failure: failure
                )
            }
        )
        try fixture.index("fine", 1)
        var seen: [FileRow] = []
        while case let page = try fixture.catalog.failures(after: seen.last?.key, limit: 3), !page.isEmpty {
            seen += page
        }
        #expect(seen.map(\.key) == keys)
        guard case .failed(let last) = try #require(seen.last).state else { throw CatalogFixture.Unexpected() }
        #expect(last == FileFailure(kind: "kind 13", message: "why — 13", attempts: 13, nextAttempt: -13))
        #expect(fixture.catalog.statistics.failedFileCount == 14)
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func rootsAreMadeOnceAndTheirNumbersAreNotGivenAgain() throws {
        let fixture = try CatalogFixture()
        let path = RelativePath(bytes: [0x2F, 0xFF, 0x61])
        let root = try fixture.catalog.addRoot(path)
        #expect(try fixture.catalog.addRoot(path) == root)
        #expect(try fixture.catalog.roots().map(\.id) == [fixture.root, root.id])
        try fixture.catalog.removeRoot(root.id)
        try fixture.catalog.removeRoot(root.id)
        #expect(try fixture.catalog.roots().map(\.id) == [fixture.root])
        let again = try fixture.catalog.addRoot(path)
        #expect(again.id.rawValue > root.id.rawValue && again.path == path)
    }

    @Test func aRootsIdentityOutlastsARestartAndIsSound() throws {
        let fixture = try CatalogFixture()
        #expect(try fixture.catalog.roots().map(\.identity) == [nil])
        var identity = RootIdentity(inode: 2, born: -5, fileSystem: .max)
        for inode in [2, 77] as [UInt64] {
            identity.inode = inode
            try fixture.catalog.confirmRoot(fixture.root, identity)
            try fixture.reopen()
            #expect(try fixture.catalog.roots().map(\.identity) == [identity])
        }
        // Adding it again changes nothing; a root that is unknown or leaves gets none.
        #expect(try fixture.catalog.addRoot(RelativePath("/photos")).identity == identity)
        try fixture.catalog.confirmRoot(RootID(rawValue: 99), identity)
        #expect(try fixture.catalog.audit() == [])
        let verification = fixture.catalog.verification()
        while let step = try verification.next() {
            if case .finding(let finding) = step { Issue.record("\(finding)") }
        }
    }

    @Test func aRootRowOfAnOlderProgramAndADamagedOneAreToldApart() throws {
        let id = RootID(rawValue: 7)
        let old = RootRow(isRemoved: false, path: RelativePath("/old"))
        #expect(try RootRow(old.encoded(id), id: id).identity == nil)
        var new = old
        new.identity = RootIdentity(inode: 1, born: 2, fileSystem: 3)
        #expect(try RootRow(new.encoded(id), id: id).identity == new.identity)
        var cut = RecordWriter()
        cut.append(UInt8(0))
        cut.append(counted: Array("/cut".utf8))
        cut.append(UInt64(1))
        let bytes = cut.finish(key: RootRow.key(id))
        #expect(throws: CatalogFailure.self) { try RootRow(bytes, id: id) }
    }

    @Test func aRowThatWasReadBeforeItsRootWentStillFindsTheRootsName() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<600).map { fixture.indexing("p\($0)", $0) })
        let isOver = Monitor(false)
        let catalog = fixture.catalog
        let root = fixture.root
        let reader = try WorkerThread(name: "reader") {
            while !isOver.withLock({ $0 }) {
                guard let images = try? catalog.images(after: nil, limit: 10), let named = try? catalog.namedRoots()
                else {
                    continue
                }
                let known = Set(named.map(\.id))
                #expect(images.allSatisfy { known.contains($0.key.root) })
            }
        }
        try catalog.removeRoot(root)
        isOver.withLockNotifyingAll { $0 = true }
        reader.join()
        #expect(try catalog.roots().isEmpty)
        #expect(try catalog.namedRoots().map(\.path) == [RelativePath("/photos")])
    }

    @Test func aRemovedRootTakesItsFilesWithIt() throws {
        let fixture = try CatalogFixture()
        let other = try fixture.catalog.addRoot(RelativePath("/other")).id
        let stray = FileKey(root: other, path: RelativePath("kept"))
        let kept = CatalogChange.index(
            key: stray,
            stamp: CatalogFixture.stamp(1),
            content: CatalogFixture.content(1),
            embedded: ImageFeatures(vector: CatalogFixture.vector(1), format: "jpeg", width: 1, height: 1),
            document: []
        )
        // More rows than one transaction removes; picture 1 lies in both roots.
        _ = try fixture.catalog.apply((0..<600).map { fixture.indexing("p\($0)", $0 % 300) } + [kept])
        try fixture.catalog.removeRoot(fixture.root)
        #expect(try fixture.catalog.roots().map(\.id) == [other])
        #expect(try fixture.search(1) { $0.limit = 1000 }.map(\.image.key) == [stray])
        #expect(try fixture.catalog.files(in: fixture.root, after: nil, limit: 5).isEmpty)
        #expect(fixture.catalog.statistics.fileCount == 1 && fixture.catalog.statistics.vectorCount == 1)
        #expect(try fixture.catalog.apply([fixture.indexing("late", 2)]) == [.notFound])
        let failure = FileFailure(kind: "corrupt", message: "", attempts: 1, nextAttempt: nil)
        let late = CatalogChange.fail(
            key: fixture.key("late"),
            stamp: CatalogFixture.stamp(1),
            content: nil,
            failure: failure
        )
        #expect(try fixture.catalog.apply([late]) == [.notFound])
        #expect(try fixture.catalog.audit() == [])
    }
}
