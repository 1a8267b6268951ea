import Catalog
import Platform
import TestSupport
import Testing

struct ChangeTests {
    @Test func anIndexedFileIsAnImageARowAndAResult() throws {
        let fixture = try CatalogFixture()
        let catalog = fixture.catalog
        let outcomes = try catalog.apply([fixture.indexing("2021/a.jpg", 1, document: #"{"camera":"X100"}"#)])
        #expect(outcomes == [.done(ImageID(rawValue: 1))])
        let image = try #require(try catalog.image(ImageID(rawValue: 1)))
        #expect(image.key == fixture.key("2021/a.jpg"))
        #expect(image.content == CatalogFixture.content(1))
        #expect(image.format == "jpeg" && image.width == 640 && image.height == 480)
        #expect(image.byteCount == 1001 && image.modified == 1_000_000)
        #expect(abs(image.added - wallClockNanoseconds()) < 60_000_000_000)
        #expect(String(decoding: image.document, as: UTF8.self) == #"{"camera":"X100"}"#)
        let row = try #require(try catalog.file(image.key))
        #expect(row.state == .indexed(image.id) && row.stamp == CatalogFixture.stamp(1))
        #expect(row.content == image.content)
        #expect(try catalog.knowsContent(image.content))
        #expect(try catalog.files(withContent: image.content, limit: 5) == [image.key])
        let hit = try #require(try fixture.search(1).first)
        #expect(hit.image == image && hit.score > 0.999)
        let stored = try #require(try catalog.vector(of: image.id))
        #expect(cosine(stored, CatalogFixture.vector(1)) > 0.99999)
        #expect(try catalog.audit() == [])
    }

    @Test func knownContentNeedsNoVectorAndUnknownContentAsksForOne() throws {
        let fixture = try CatalogFixture()
        #expect(try fixture.catalog.apply([fixture.indexing("a", 1, isEmbedded: false)]) == [.needsVector])
        #expect(try fixture.catalog.file(fixture.key("a")) == nil)
        let first = try fixture.index("a", 1)
        let outcome = try fixture.catalog.apply([fixture.indexing("b", 1, isEmbedded: false)])[0]
        guard case .done(let second?) = outcome else { throw CatalogFixture.Unexpected() }
        #expect(second != first)
        let copy = try #require(try fixture.catalog.image(second))
        #expect(copy.width == 640 && copy.format == "jpeg")
        #expect(fixture.catalog.statistics.imageCount == 2)
        #expect(fixture.catalog.statistics.vectorCount == 1)
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func newBytesUnderAnOldNameKeepTheId() throws {
        let fixture = try CatalogFixture()
        let id = try fixture.index("a", 1)
        #expect(try fixture.index("a", 2) == id)
        #expect(try fixture.search(2).first?.image.id == id)
        #expect(try fixture.search(1)[0].score < 0.999)
        #expect(try !fixture.catalog.knowsContent(CatalogFixture.content(1)))
        #expect(fixture.catalog.statistics.vectorCount == 1)
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func equalVectorsOfDifferentBytesShareASlotUntilTheLastGoes() throws {
        let fixture = try CatalogFixture()
        func change(_ path: String, _ content: Int) -> CatalogChange {
            .index(
                key: fixture.key(path),
                stamp: CatalogFixture.stamp(content),
                content: CatalogFixture.content(content),
                embedded: ImageFeatures(vector: CatalogFixture.vector(7), format: "png", width: 8, height: 9),
                document: []
            )
        }
        _ = try fixture.catalog.apply([change("a", 1), change("b", 2)])
        #expect(fixture.catalog.statistics.vectorCount == 1)
        // The same file with other bytes and the same vector keeps its place beside the vector.
        _ = try fixture.catalog.apply([change("a", 3)])
        #expect(try fixture.catalog.audit() == [])
        #expect(try fixture.search(7).count == 2)
        _ = try fixture.catalog.apply([.delete(key: fixture.key("a"))])
        #expect(try fixture.search(7).map(\.image.key) == [fixture.key("b")])
        #expect(try !fixture.catalog.knowsContent(CatalogFixture.content(3)))
        _ = try fixture.catalog.apply([.delete(key: fixture.key("b"))])
        #expect(fixture.catalog.statistics.vectorCount == 0)
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func aFailureTakesTheImageAndIsListed() throws {
        let fixture = try CatalogFixture()
        let id = try fixture.index("a", 1)
        let failure = FileFailure(kind: "corrupt", message: "broken off", attempts: 2, nextAttempt: 77)
        let key = fixture.key("a")
        let change = CatalogChange.fail(key: key, stamp: CatalogFixture.stamp(2), content: nil, failure: failure)
        #expect(try fixture.catalog.apply([change]) == [.done(nil)])
        #expect(try fixture.catalog.image(id) == nil)
        #expect(try fixture.search(1).isEmpty)
        let row = FileRow(key: key, stamp: CatalogFixture.stamp(2), content: nil, state: .failed(failure))
        #expect(try fixture.catalog.file(key) == row)
        #expect(try fixture.catalog.failures(after: nil, limit: 10) == [row])
        #expect(fixture.catalog.statistics.failedFileCount == 1)
        // Healed: the list is empty again, and the number is a new one.
        #expect(try fixture.index("a", 1) > id)
        #expect(try fixture.catalog.failures(after: nil, limit: 10) == [])
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func aTouchedFileKeepsItsImage() throws {
        let fixture = try CatalogFixture()
        let id = try fixture.index("a", 1)
        let key = fixture.key("a")
        #expect(try fixture.catalog.apply([.refreshStat(key: key, stamp: CatalogFixture.stamp(9))]) == [.done(id)])
        #expect(try fixture.catalog.file(key)?.stamp == CatalogFixture.stamp(9))
        #expect(try fixture.catalog.image(id)?.modified == 9_000_000)
        let absent = CatalogChange.refreshStat(key: fixture.key("b"), stamp: CatalogFixture.stamp(9))
        #expect(try fixture.catalog.apply([absent]) == [.notFound])
    }

    @Test func aRenameKeepsIdVectorAndDocument() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply([fixture.indexing("a", 1, document: "{}")])
        let (from, to) = (fixture.key("a"), fixture.key("deep/er/b"))
        let id = ImageID(rawValue: 1)
        let move = CatalogChange.move(from: from, to: to, stamp: CatalogFixture.stamp(3))
        #expect(try fixture.catalog.apply([move]) == [.done(id)])
        #expect(try fixture.catalog.file(from) == nil)
        #expect(try fixture.catalog.file(to)?.state == .indexed(id))
        #expect(try fixture.catalog.image(id)?.key == to)
        #expect(try fixture.catalog.image(id)?.document == Array("{}".utf8))
        #expect(try fixture.search(1).map(\.image.id) == [id])
        #expect(try fixture.catalog.apply([move]) == [.needsVector])
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func aRenameOntoAnotherFileReplacesIt() throws {
        let fixture = try CatalogFixture()
        let kept = try fixture.index("a", 1)
        let replaced = try fixture.index("b", 2)
        let move = CatalogChange.move(from: fixture.key("a"), to: fixture.key("b"), stamp: CatalogFixture.stamp(1))
        #expect(try fixture.catalog.apply([move]) == [.done(kept)])
        #expect(try fixture.catalog.image(replaced) == nil)
        #expect(fixture.catalog.statistics.imageCount == 1 && fixture.catalog.statistics.vectorCount == 1)
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func aFileThatMovesWithinABatchNeedsNoVector() throws {
        let fixture = try CatalogFixture()
        try fixture.index("a", 1)
        let outcomes = try fixture.catalog.apply([
            .delete(key: fixture.key("a")), fixture.indexing("b", 1, isEmbedded: false),
        ])
        #expect(outcomes == [.done(ImageID(rawValue: 1)), .done(ImageID(rawValue: 2))])
        #expect(try fixture.search(1).map(\.image.key) == [fixture.key("b")])
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func documentsComeChangeAndGo() throws {
        let fixture = try CatalogFixture()
        let id = try fixture.index("a", 1)
        let key = fixture.key("a")
        let document = Array(#"{"year":2020}"#.utf8)
        #expect(try fixture.catalog.apply([.setDocument(key: key, document: document)]) == [.done(id)])
        #expect(try fixture.catalog.image(id)?.document == document)
        _ = try fixture.catalog.apply([.setDocument(key: key, document: [])])
        #expect(try fixture.catalog.image(id)?.document == [])
        let absent = CatalogChange.setDocument(key: fixture.key("b"), document: document)
        #expect(try fixture.catalog.apply([absent]) == [.notFound])
    }

    @Test func anExcludedImageStaysOutUntilItsBytesChange() throws {
        let fixture = try CatalogFixture()
        let id = try fixture.index("a", 1)
        #expect(try fixture.catalog.apply([.exclude(id)]) == [.done(id)])
        #expect(try fixture.catalog.apply([.exclude(id)]) == [.notFound])
        #expect(try fixture.catalog.file(fixture.key("a"))?.state == .excluded)
        #expect(try fixture.search(1).isEmpty)
        #expect(try fixture.catalog.apply([fixture.indexing("a", 1)]) == [.done(nil)])
        #expect(try fixture.search(1).isEmpty)
        #expect(try fixture.index("a", 2) > id)
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func aDeletedFileLeavesNothing() throws {
        let fixture = try CatalogFixture()
        let id = try fixture.index("a", 1)
        #expect(try fixture.catalog.apply([.delete(key: fixture.key("a"))]) == [.done(id)])
        #expect(try fixture.catalog.apply([.delete(key: fixture.key("a"))]) == [.notFound])
        #expect(try fixture.catalog.file(fixture.key("a")) == nil)
        #expect(try fixture.catalog.vector(of: id) == nil)
        let statistics = fixture.catalog.statistics
        #expect(statistics.imageCount == 0 && statistics.vectorCount == 0 && statistics.fileCount == 0)
        #expect(try fixture.catalog.audit() == [])
    }

    @Test(arguments: [Float.nan, .infinity, 0]) func aVectorThatCannotBeComparedIsAFailedFile(_ value: Float) throws {
        let fixture = try CatalogFixture()
        try fixture.index("a", 1)
        let change = CatalogChange.index(
            key: fixture.key("a"),
            stamp: CatalogFixture.stamp(5),
            content: CatalogFixture.content(5),
            embedded: ImageFeatures(
                vector: [Float](repeating: value, count: CatalogFixture.dimension),
                format: "jpeg",
                width: 1,
                height: 1
            ),
            document: []
        )
        #expect(
            try fixture.catalog.apply([change, fixture.indexing("b", 2)]) == [.done(nil), .done(ImageID(rawValue: 2))]
        )
        let failures = try fixture.catalog.failures(after: nil, limit: 2)
        guard case .failed(let failure) = try #require(failures.first).state else { throw CatalogFixture.Unexpected() }
        #expect(failure.kind == "unusable-vector")
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func aVectorOfAnotherLengthIsRefusedBeforeAnythingIsStored() throws {
        let fixture = try CatalogFixture()
        let change = CatalogChange.index(
            key: fixture.key("a"),
            stamp: CatalogFixture.stamp(1),
            content: CatalogFixture.content(1),
            embedded: ImageFeatures(vector: [1, 0], format: "jpeg", width: 1, height: 1),
            document: []
        )
        #expect { try fixture.catalog.apply([fixture.indexing("b", 2), change]) } throws: { error in
            guard case CatalogError.wrongDimension(2, 16) = error else { return false }
            return true
        }
        #expect(fixture.catalog.statistics.fileCount == 0)
    }

    @Test func manyRandomChangesAgreeWithAModel() throws {
        let fixture = try CatalogFixture()
        var generator = SeededGenerator(seed: 20_240_611)
        var pictures: [String: Int] = [:]
        for round in 0..<60 {
            var batch: [CatalogChange] = []
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let path = "p\(Int.random(in: 0..<20, using: &generator))"
                let seed = Int.random(in: 0..<12, using: &generator)
                switch Int.random(in: 0..<6, using: &generator) {
                case 0..<3:
                    batch.append(fixture.indexing(path, seed))
                    pictures[path] = seed
                case 3:
                    batch.append(.delete(key: fixture.key(path)))
                    pictures[path] = nil
                case 4:
                    let failure = FileFailure(kind: "corrupt", message: "", attempts: 1, nextAttempt: nil)
                    batch.append(
                        .fail(key: fixture.key(path), stamp: CatalogFixture.stamp(1), content: nil, failure: failure)
                    )
                    pictures[path] = nil
                default:
                    let to = "p\(Int.random(in: 0..<20, using: &generator))"
                    batch.append(
                        .move(from: fixture.key(path), to: fixture.key(to), stamp: CatalogFixture.stamp(seed))
                    )
                    if let picture = pictures[path], to != path {
                        pictures[to] = picture
                        pictures[path] = nil
                    }
                }
            }
            _ = try fixture.catalog.apply(batch)
            if round % 20 == 19 { try fixture.reopen() }
            #expect(try fixture.catalog.audit() == [], "round \(round)")
            let stored = try fixture.catalog.images(after: nil, limit: 100)
            #expect(Set(stored.map(\.key.path.description)) == Set(pictures.keys), "round \(round)")
            #expect(fixture.catalog.statistics.vectorCount == Set(pictures.values).count, "round \(round)")
            for image in stored {
                let path = image.key.path.description
                #expect(image.content == CatalogFixture.content(pictures[path] ?? -1), "round \(round) \(path)")
            }
        }
    }
}

/// SplitMix64: the same changes on every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
