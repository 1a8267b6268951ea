import Catalog
import Filters
import Foundation
import Platform
import TestSupport
import Testing

/// Random changes to images with documents, and random filters on them, against a plain reading of each image.
///
/// The seed is in every failure's text; `LIKENESS_TESTS_SECONDS` makes the campaign longer.
struct FilterModelTests {
    @Test func filtersFindWhatAPlainReadingFinds() throws {
        try TestEnvironment.campaign(seconds: 3) { seed in
            var campaign = try FilterCampaign(seed: seed)
            try campaign.run(stepCount: 40)
        }
    }
}

private struct FilterCampaign {
    private static let paths = [
        "a.jpg", "b.jpg", "2021/a.jpg", "2021/b.jpg", "2021/05/a.jpg", "2022/05/a.jpg", "2021x/a.jpg",
    ]

    private let fixture: CatalogFixture
    private let seed: UInt64
    private let otherRoot: RootID
    private var draws: FilterDraws

    init(seed: UInt64) throws {
        self.seed = seed
        draws = FilterDraws(seed: seed)
        fixture = try CatalogFixture()
        otherRoot = try fixture.catalog.addRoot(RelativePath("/scans")).id
    }

    mutating func run(stepCount: Int) throws {
        for step in 0..<stepCount {
            let changes = try (0..<Int.random(in: 1...5, using: &draws.random)).map { _ in try change() }
            _ = try fixture.catalog.apply(changes)
            if step % 16 == 15 { try fixture.reopen() }
            if step % 4 == 3 { try compare("step \(step)") }
        }
        #expect(try fixture.catalog.audit() == [], "seed \(seed)")
        var draws = draws
        let filter = draws.filter(builtIns: try builtIns(of: fixture.catalog.images(after: nil, limit: 1000)))
        try remove(filter)
        #expect(try fixture.catalog.audit() == [], "seed \(seed)")
        try fixture.catalog.removeRoot(otherRoot)
        #expect(try fixture.catalog.audit() == [], "seed \(seed)")
        try compare("after a removal")
    }

    // MARK: Changes

    private mutating func change() throws -> CatalogChange {
        let content = Int.random(in: 0..<12, using: &draws.random)
        let key = key()
        let stamp = CatalogFixture.stamp(content * content * 1000)
        switch Int.random(in: 0..<10, using: &draws.random) {
        case 0: return .delete(key: key)
        case 1: return .move(from: key, to: self.key(), stamp: stamp)
        case 2: return .refreshStat(key: key, stamp: stamp)
        case 3, 4: return .setDocument(key: key, document: try document())
        case 5:
            let ids = try fixture.catalog.images(after: nil, limit: 1000).map(\.id)
            return .exclude(ids.randomElement(using: &draws.random) ?? ImageID(rawValue: 1))
        default:
            // Every third content shows its neighbour's picture: other bytes, the same vector.
            let picture = content % 3 == 1 ? content - 1 : content
            return .index(
                key: key,
                stamp: stamp,
                content: CatalogFixture.content(content),
                embedded: ImageFeatures(
                    vector: CatalogFixture.vector(picture),
                    format: content % 2 == 0 ? "jpeg" : "png",
                    width: UInt32(content * 64),
                    height: 480
                ),
                document: try document()
            )
        }
    }

    private mutating func key() -> FileKey {
        let root = Int.random(in: 0..<4, using: &draws.random) == 0 ? otherRoot : fixture.root
        return FileKey(root: root, path: RelativePath(Self.paths.randomElement(using: &draws.random) ?? "a.jpg"))
    }

    /// Some images have none, some have one with more members than are indexed, and some one that is no JSON.
    private mutating func document() throws -> [UInt8] {
        switch Int.random(in: 0..<12, using: &draws.random) {
        case 0: return []
        case 1: return Array("{\"a\":".utf8)
        case 2:
            let many = (0..<200).map { "\"m\($0)\":\($0)" }.joined(separator: ",")
            return Array("{\(many),\"a\":1,\"c\":\"abc\"}".utf8)
        default: return [UInt8](try JSONEncoder().encode(draws.document()))
        }
    }

    // MARK: Comparison

    private func plain(_ image: ImageRecord) -> PlainFilter {
        let builtIns: [String: JSONValue] = [
            "path": .string(image.key.path.description),
            "root": .string(image.key.root == fixture.root ? "/photos" : "/scans"), "format": .string(image.format),
            "width": .number(Double(image.width)), "height": .number(Double(image.height)),
            "bytes": .number(Double(image.byteCount)), "modified": .string(Timestamp.text(image.modified)),
            "added": .string(Timestamp.text(image.added)),
        ]
        let document = JSONDocument.value(of: image.document)
        return PlainFilter(document: document, builtIns: builtIns)
    }

    private func builtIns(of images: [ImageRecord]) -> [String: [JSONValue]] {
        var values: [String: [JSONValue]] = [:]
        for image in images { values.merge(plain(image).builtIns.mapValues { [$0] }) { $0 + $1 } }
        for root in ["/photos", "/scans", "/photo"] {
            values["path"]? += images.prefix(4).map { .string("\(root)/\($0.key.path)") }
        }
        return values
    }

    private mutating func compare(_ moment: String) throws {
        let images = try fixture.catalog.images(after: nil, limit: 1000)
        let builtIns = builtIns(of: images)
        for _ in 0..<12 {
            let json = draws.filter(builtIns: builtIns)
            let place = "seed \(seed), \(moment): \(json)"
            let filter = try Filter(json)
            let expected = images.filter { plain($0).matches(json) }
            let found = try fixture.catalog.images(matching: filter, after: nil, limit: 1000)
            #expect(found.images == expected, "\(place)")
            #expect(found.total == expected.count, "\(place)")
            let cursor = ImageID(rawValue: UInt64.random(in: 0...20, using: &draws.random))
            let page = try fixture.catalog.images(matching: filter, after: cursor, limit: 2).images
            #expect(page == Array(expected.filter { $0.id > cursor }.prefix(2)), "\(place)")
            let hits = try fixture.search(3) { query in
                query.filter = filter
                query.limit = 1000
            }
            #expect(hits.map(\.image.id).sorted() == expected.map(\.id), "\(place)")
        }
    }

    private func remove(_ json: JSONValue) throws {
        let images = try fixture.catalog.images(after: nil, limit: 1000)
        let (gone, kept) = (images.filter { plain($0).matches(json) }, images.filter { !plain($0).matches(json) })
        #expect(try fixture.catalog.excludeImages(matching: Filter(json)) == gone.count, "seed \(seed): \(json)")
        #expect(try fixture.catalog.images(after: nil, limit: 1000) == kept, "seed \(seed): \(json)")
        for image in gone {
            guard case .excluded? = try fixture.catalog.file(image.key)?.state else {
                Issue.record("seed \(seed): \(image.key.path) is not excluded")
                continue
            }
        }
    }
}
