import Filters
import Platform
import Storage
import TestSupport
import Testing
import VectorIndex

@testable import Catalog

/// The records for filters: what they cannot say, how older collections get them, and what becomes of damage.
struct FilterTests {
    private func filter(_ text: String) throws -> Filter { try Filter(text: Array(text.utf8)) }

    private func paths(_ text: String, in catalog: Catalog) throws -> [String] {
        try catalog.images(matching: filter(text), after: nil, limit: 1000).images.map(\.key.path.description).sorted()
    }

    @Test func imagesOfOneVectorMatchEachForItself() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply([
            fixture.indexing("a", 1, document: #"{"camera":"X100"}"#),
            fixture.indexing("b", 1, document: #"{"camera":"M10"}"#), fixture.indexing("c", 1),
            fixture.indexing("d", 2, document: #"{"camera":"M10"}"#),
        ])
        func found(_ text: String, limit: Int = 10) throws -> [String] {
            try fixture.search(1) { query in
                query.filter = try? filter(text)
                query.limit = limit
            }.map(\.image.key.path.description)
        }
        #expect(try found(#"{"camera":"M10"}"#) == ["b", "d"])
        #expect(try found(#"{"camera":{"$ne":"X100"}}"#) == ["b", "c", "d"])
        #expect(try found(#"{"camera":{"$exists":false}}"#) == ["c"])
        #expect(try found(#"{"camera":{"$ne":"X100"}}"#, limit: 1) == ["b"])
        #expect(try found(#"{"camera":"none"}"#).isEmpty)
        var query = CatalogQuery(vector: CatalogFixture.vector(1))
        query.filter = try filter(#"{"camera":"M10"}"#)
        query.excluded = ImageID(rawValue: 2)
        let results = try fixture.catalog.search(query)
        #expect(results.hits.map(\.image.key.path.description) == ["d"])
        #expect(results.total == 2)
        // The first image of the vector goes: the next one stands at its slot from then on.
        _ = try fixture.catalog.apply([.delete(key: fixture.key("a"))])
        #expect(try found(#"{"camera":{"$ne":"X100"}}"#) == ["b", "c", "d"])
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func whatIsNotIndexedIsFoundAllTheSame() throws {
        let fixture = try CatalogFixture()
        let long = String(repeating: "x", count: 300)
        let many = (0..<400).map { "\"m\($0)\":\($0)" }.joined(separator: ",")
        let deepName = String(repeating: "n", count: 200)
        let deepFolder = (0..<20).map { "f\($0)/" }.joined()
        _ = try fixture.catalog.apply([
            fixture.indexing("a", 1, document: #"{"text":"\#(long)a"}"#),
            fixture.indexing("b", 2, document: #"{"text":"\#(long)b"}"#),
            fixture.indexing("c", 3, document: "{\(many)}"),
            fixture.indexing("d", 4, document: #"{"\#(deepName)":1}"#), fixture.indexing("\(deepFolder)e", 5),
            fixture.indexing("\(long)/f", 6),
        ])
        #expect(try paths(#"{"text":"\#(long)b"}"#, in: fixture.catalog) == ["b"])
        #expect(try paths(#"{"text":{"$gt":"\#(long)a"}}"#, in: fixture.catalog) == ["b"])
        #expect(try paths(#"{"text":{"$prefix":"xx"}}"#, in: fixture.catalog) == ["a", "b"])
        #expect(try paths(#"{"m399":399}"#, in: fixture.catalog) == ["c"])
        #expect(try paths(#"{"m399":{"$exists":true}}"#, in: fixture.catalog) == ["c"])
        #expect(try paths(#"{"m399":{"$ne":399}}"#, in: fixture.catalog).count == 5)
        #expect(try paths(#"{"\#(deepName)":1}"#, in: fixture.catalog) == ["d"])
        #expect(try paths(#"{"path":{"$prefix":"\#(deepFolder)"}}"#, in: fixture.catalog) == ["\(deepFolder)e"])
        #expect(try paths(#"{"path":{"$prefix":"f0/"}}"#, in: fixture.catalog) == ["\(deepFolder)e"])
        #expect(try paths(#"{"path":{"$prefix":"\#(long)/"}}"#, in: fixture.catalog) == ["\(long)/f"])
        #expect(try paths(#"{"path":{"$lt":"b"}}"#, in: fixture.catalog) == ["a"])
        #expect(try fixture.catalog.audit() == [])
    }

    /// Their doubles are one: the records for filters cannot tell them apart, and the images themselves decide.
    @Test func largeWholeNumbersAreFoundAndRemovedExactly() throws {
        let fixture = try CatalogFixture()
        let ids = ["1234567890123456788", "1234567890123456789", "1234567890123456790", "18446744073709551615", "1.5"]
        _ = try fixture.catalog.apply(
            ids.enumerated().map { place, id in fixture.indexing("\(place)", place, document: "{\"id\":\(id)}") }
        )
        let catalog = fixture.catalog
        for (place, id) in ids.enumerated() { #expect(try paths("{\"id\":\(id)}", in: catalog) == ["\(place)"]) }
        #expect(try paths(#"{"id":1234567890123456791}"#, in: catalog).isEmpty)
        #expect(try paths(#"{"id":{"$in":[1234567890123456788,1234567890123456790]}}"#, in: catalog) == ["0", "2"])
        #expect(try paths(#"{"id":{"$gt":1234567890123456788}}"#, in: catalog) == ["1", "2", "3"])
        #expect(try paths(#"{"id":{"$lte":1234567890123456789}}"#, in: catalog) == ["0", "1", "4"])
        #expect(try paths(#"{"id":{"$gte":1234567890123456789,"$lt":1e19}}"#, in: catalog) == ["1", "2"])
        #expect(try paths(#"{"id":{"$ne":1234567890123456789}}"#, in: catalog) == ["0", "2", "3", "4"])
        #expect(try catalog.excludeImages(matching: filter(#"{"id":1234567890123456789}"#)) == 1)
        #expect(try paths(#"{"id":{"$exists":true}}"#, in: catalog) == ["0", "2", "3", "4"])
        #expect(try catalog.audit() == [])
    }

    /// Stores of programs that knew doubles only have these keys: they stay as they were.
    @Test func theKeyOfALargeWholeNumberIsThatOfTheNearestDouble() throws {
        let keys = ["9007199254740993", "9007199254740992.0", "9007199254740992"].map { number in
            FieldTokens(
                ImageRecord(
                    id: ImageID(rawValue: 1),
                    key: FileKey(root: RootID(rawValue: 1), path: RelativePath("a")),
                    content: CatalogFixture.content(1),
                    format: "jpeg",
                    width: 1,
                    height: 1,
                    byteCount: 1,
                    modified: 0,
                    added: 0,
                    document: Array("{\"id\":\(number)}".utf8)
                )
            ).keys
        }
        #expect(keys[0] == keys[1] && keys[1] == keys[2])
        #expect(keys[0].contains([3, 0x69, 0x64, 0, 4, 0xC3, 0x40, 0, 0, 0, 0, 0, 0]))
    }

    @Test func absolutePathsAreThoseBelowTheirRoot() throws {
        let fixture = try CatalogFixture()
        let other = try fixture.catalog.addRoot(RelativePath("/photos2")).id
        _ = try fixture.catalog.apply([
            fixture.indexing("2021/a.jpg", 1), fixture.indexing("2022/b.jpg", 2), fixture.indexing("c.jpg", 3),
            .move(
                from: fixture.key("c.jpg"),
                to: FileKey(root: other, path: RelativePath("2021/c.jpg")),
                stamp: CatalogFixture.stamp(3)
            ),
            .index(
                key: FileKey(root: fixture.root, path: RelativePath(bytes: [0x64, 0xFF])),
                stamp: CatalogFixture.stamp(4),
                content: CatalogFixture.content(4),
                embedded: ImageFeatures(vector: CatalogFixture.vector(4), format: "png", width: 1, height: 1),
                document: []
            ),
        ])
        let catalog = fixture.catalog
        #expect(try paths(#"{"path":"/photos/2021/a.jpg"}"#, in: catalog) == ["2021/a.jpg"])
        #expect(try paths(#"{"path":"/photos2/2021/a.jpg"}"#, in: catalog).isEmpty)
        #expect(try paths(#"{"path":{"$prefix":"/photos/2021/"}}"#, in: catalog) == ["2021/a.jpg"])
        #expect(try paths(#"{"path":{"$prefix":"/photos/202"}}"#, in: catalog) == ["2021/a.jpg", "2022/b.jpg"])
        #expect(try paths(#"{"path":{"$prefix":"/photos2"}}"#, in: catalog) == ["2021/c.jpg"])
        #expect(try paths(#"{"path":{"$prefix":"/photos"}}"#, in: catalog).count == 4)
        #expect(try paths(#"{"path":{"$in":["/photos2/2021/c.jpg","2022/b.jpg"]}}"#, in: catalog).count == 2)
        #expect(try paths(#"{"path":{"$not":{"$prefix":"/photos/"}}}"#, in: catalog) == ["2021/c.jpg"])
        #expect(try paths(#"{"path_bytes":"/photos/d%FF"}"#, in: catalog).count == 1)
        #expect(try paths(#"{"path_bytes":"d%FF"}"#, in: catalog).count == 1)
        #expect(try paths(#"{"path_bytes":"d%FE"}"#, in: catalog).isEmpty)
        #expect(try catalog.excludeImages(matching: filter(#"{"path":"/photos/2022/b.jpg"}"#)) == 1)
    }

    /// A slot's bitmap goes over many records, and from lists of numbers to bits and back.
    @Test func manyImagesFillRecords() throws {
        let fixture = try CatalogFixture()
        for start in stride(from: 0, to: 1200, by: 400) {
            _ = try fixture.catalog.apply(
                (start..<start + 400).map {
                    fixture.indexing("p\($0)", $0, document: #"{"n":\#($0),"odd":\#($0 % 2)}"#)
                }
            )
        }
        #expect(try paths(#"{"odd":{"$gte":0}}"#, in: fixture.catalog).count == 1000)
        #expect(try fixture.catalog.images(matching: filter(#"{"odd":1}"#), after: nil, limit: 1).total == 600)
        #expect(
            try fixture.catalog.images(matching: filter(#"{"n":{"$gt":99,"$lte":1100}}"#), after: nil, limit: 1).total
                == 1001
        )
        #expect(try fixture.catalog.excludeImages(matching: filter(#"{"n":{"$lt":900}}"#)) == 900)
        #expect(try fixture.catalog.images(matching: filter("{}"), after: nil, limit: 1).total == 300)
        #expect(try fixture.catalog.audit() == [])
    }

    // MARK: Older collections

    /// Takes what format 2 added out of a closed collection.
    private func makeOld(_ directory: String) throws {
        try FilterRecords.write(directory) { tables, transaction in
            let key = Array("cfg".utf8)
            var bytes = try #require(try transaction.get(key, in: tables.catalog))
            bytes[8] = 1
            let body = bytes.withStorageBytes { CRC32C.checksum($0.extracting(4..<bytes.count)) }
            let checksum = key.withStorageBytes { CRC32C.checksum($0, continuing: body) }
            bytes.replaceSubrange(0..<4, with: checksum.littleEndianBytes)
            try transaction.put(key, bytes, in: tables.catalog)
            try transaction.delete("field", in: tables.catalog)
            try transaction.removeAll(from: tables.fields)
        }
    }

    @Test func anOlderCollectionIsIndexedWhileItIsUsed() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply(
            (0..<1500).map { fixture.indexing("p\($0)", $0 % 1000, document: #"{"n":\#($0)}"#) }
        )
        fixture.catalog.close()
        try makeOld(fixture.folder.path)
        // Closed again and again in the middle of it.
        var isComplete = false
        for attempt in 0..<100 where !isComplete {
            try fixture.reopen()
            #expect(try paths(#"{"n":{"$gte":1400}}"#, in: fixture.catalog).count == 100 - attempt)
            let path = "p\(1499 - attempt)"
            _ = try fixture.catalog.apply([.delete(key: fixture.key(path)), fixture.indexing("q\(attempt)", attempt)])
            let removed = Set((0...attempt).map { 1499 - $0 })
            let expected = Set((1000..<1500).filter { !removed.contains($0) }.map { "p\($0)" })
            #expect(Set(try paths(#"{"n":{"$gte":1000}}"#, in: fixture.catalog)) == expected)
            if attempt > 3 {
                #expect(eventually { !fixture.catalog.store.counts.lacksFields })
            }
            isComplete = !fixture.catalog.store.counts.lacksFields
            #expect(try fixture.catalog.audit() == [])
        }
        #expect(isComplete)
    }

    // MARK: Damage

    @Test func aDamagedRecordIsNamedAndMadeAnewByTheNextChange() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<20).map { fixture.indexing("p\($0)", $0, document: #"{"n":\#($0 % 2)}"#) })
        fixture.catalog.close()
        let key = FieldKey.prefix(container: 0) + FieldKey.suffix(.document(Array("n\0".utf8)), .present)
        try FilterRecords.write(fixture.folder.path) { tables, transaction in
            var bytes = try #require(try transaction.get(key, in: tables.fields))
            bytes[5] ^= 1
            try transaction.put(key, bytes, in: tables.fields)
        }
        try fixture.reopen()
        #expect {
            try fixture.catalog.images(matching: filter(#"{"n":{"$exists":true}}"#), after: nil, limit: 10)
        } throws: {
            guard case CatalogError.corrupted(let record, _) = $0 else { return false }
            return record == FieldKey.name(key)
        }
        #expect(throws: CatalogError.self) { try fixture.catalog.audit() }
        #expect(try paths(#"{"n":1}"#, in: fixture.catalog).count == 10)
        _ = try fixture.catalog.apply([fixture.indexing("new", 50, document: #"{"n":1}"#)])
        #expect(try paths(#"{"n":{"$exists":true}}"#, in: fixture.catalog).count == 21)
        #expect(eventually { !fixture.catalog.store.counts.lacksFields })
        #expect(try paths(#"{"n":{"$exists":true}}"#, in: fixture.catalog).count == 21)
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func anAuditFindsRecordsThatDoNotAgree() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply([fixture.indexing("a", 1, document: #"{"n":1}"#)])
        fixture.catalog.close()
        let suffix = FieldKey.suffix(.document(Array("n\0".utf8)), .present)
        try FilterRecords.write(fixture.folder.path) { tables, transaction in
            try transaction.delete(FieldKey.prefix(container: 0) + suffix, in: tables.fields)
            var words = [UInt64](repeating: 0, count: PositionSet.wordCount)
            words[0] = 1
            let key = FieldKey.prefix(container: 7) + suffix
            try transaction.put(key, try #require(FieldContainer.encoded(words, key: key)), in: tables.fields)
        }
        try fixture.reopen()
        #expect(
            try fixture.catalog.audit() == [
                "the records for filters of container 0 do not agree with its images",
                "there are records for filters of container 7, which has no images",
            ]
        )
    }

    // MARK: Parts

    @Test func positionsAreInTheOrderOfTheirChunks() {
        let positions = [
            ImagePosition(Slot(rawValue: 0)), ImagePosition(Slot(rawValue: 8191)), ImagePosition(Slot(rawValue: 8192)),
            ImagePosition(Slot(rawValue: 1 << 28 - 1)), ImagePosition(ImageID(rawValue: 1)),
            ImagePosition(ImageID(rawValue: 1 << 40)),
        ]
        #expect(positions == positions.sorted())
        for position in positions {
            #expect(ImagePosition(container: position.container, offset: position.offset) == position)
            #expect((position.slot == nil) != (position.image == nil))
        }
        var set = PositionSet()
        for position in positions.reversed() { set.insert(position) }
        var found: [ImagePosition] = []
        set.forEach { found.append($0) }
        #expect(found == positions)
        #expect(set.count == 6)
        #expect(set.slots == SlotSet([0, 8191, 8192, 1 << 28 - 1].map { Slot(rawValue: $0) }))
        var rest = set
        rest.subtract(PositionSet())
        #expect(rest == set)
        rest.formIntersection(PositionSet())
        #expect(rest.isEmpty)
    }
}

/// Reaches below a closed collection.
private enum FilterRecords {
    static func write(
        _ directory: String,
        _ body: (CatalogTables, borrowing WriteTransaction) throws -> Void
    ) throws {
        let environment = try Environment(directory: directory, options: CatalogFixture.options().sizes)
        defer { environment.close() }
        let transaction = try WriteTransaction(environment)
        try body(try CatalogTables(transaction), transaction)
        try transaction.commit()
    }
}
