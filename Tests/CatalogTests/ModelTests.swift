import Catalog
import Foundation
import Platform
import TestSupport
import Testing

/// Random changes against a dictionary that says what the collection must hold.
///
/// The seed is in every failure's text; `LIKENESS_TESTS_SECONDS` makes the campaign longer.
struct ModelTests {
    @Test func theCollectionIsWhatADictionarySaysItIs() throws {
        try TestEnvironment.campaign(seconds: 3) { seed in
            var model = try CatalogModel(seed: seed)
            try model.run(stepCount: 120)
        }
    }
}

/// What the collection must hold, and the collection.
private struct CatalogModel {
    private enum Row: Equatable {
        /// `content` names the bytes; the picture they show is `picture(content)`.
        case indexed(ImageID, content: Int)
        case failed
        case excluded(content: Int)
    }

    /// Few paths and few contents, so that they meet often.
    private static let pathCount = 24
    private static let contentCount = 30

    private let fixture: CatalogFixture
    private let seed: UInt64
    private var random: RandomBits
    private var rows: [String: Row] = [:]
    private var lastImage: UInt64 = 0

    init(seed: UInt64) throws {
        self.seed = seed
        random = RandomBits(state: seed)
        fixture = try CatalogFixture()
    }

    /// Every third content is another encoding of its neighbour's picture: other bytes, the same vector.
    private static func picture(_ content: Int) -> Int { content % 3 == 1 ? content - 1 : content }

    mutating func run(stepCount: Int) throws {
        for step in 0..<stepCount {
            switch Int.random(in: 0..<20, using: &random) {
            case 0: try reopen()
            case 1: try failToCommit()
            default: try applySome()
            }
            if step % 10 == 9 { try compare("step \(step)") }
        }
        try reopen()
    }

    // MARK: Steps

    private mutating func applySome() throws {
        var draft = rows
        var draftImage = lastImage
        let changes = draw(&draft, &draftImage)
        let outcomes = try fixture.catalog.apply(changes)
        #expect(outcomes.count == changes.count, "seed \(seed)")
        rows = draft
        lastImage = draftImage
    }

    /// The disk takes nothing, or the last page of a commit goes wrong: nothing of the batch may be there.
    private mutating func failToCommit() throws {
        let isPanic = Bool.random(using: &random)
        var draft = rows
        var draftImage = lastImage
        let changes = draw(&draft, &draftImage)
        let fault = try #require(
            DescriptorFault(isPanic ? .meta : .pages, in: fixture.folder.path, by: "/dev/full", flags: O_WRONLY)
        )
        #expect(throws: CatalogError.self, "seed \(seed)") { try fixture.catalog.apply(changes) }
        if isPanic { fault.discard() } else { fault.repair() }
        try compare("after a failed commit")
    }

    private mutating func reopen() throws {
        try fixture.reopen()
        #expect(try fixture.catalog.audit() == [], "seed \(seed)")
        try compare("after opening")
    }

    // MARK: Changes

    private mutating func draw(_ rows: inout [String: Row], _ lastImage: inout UInt64) -> [CatalogChange] {
        (0..<Int.random(in: 1...6, using: &random)).map { _ in drawOne(&rows, &lastImage) }
    }

    private mutating func drawOne(_ rows: inout [String: Row], _ lastImage: inout UInt64) -> CatalogChange {
        let path = "p\(Int.random(in: 0..<Self.pathCount, using: &random))"
        let content = Int.random(in: 0..<Self.contentCount, using: &random)
        let stamp = CatalogFixture.stamp(content)
        switch Int.random(in: 0..<12, using: &random) {
        case 0:
            rows[path] = nil
            return .delete(key: fixture.key(path))
        case 1:
            if case .excluded? = rows[path] {} else { rows[path] = .failed }
            let failure = FileFailure(kind: "corrupt", message: "broken", attempts: 1, nextAttempt: nil)
            return .fail(key: fixture.key(path), stamp: stamp, content: nil, failure: failure)
        case 2, 3:
            let target = "p\(Int.random(in: 0..<Self.pathCount, using: &random))"
            if case .indexed? = rows[path] {
                let row = rows.removeValue(forKey: path)
                rows[target] = row
            }
            return .move(from: fixture.key(path), to: fixture.key(target), stamp: stamp)
        case 4:
            let ids = rows.values.compactMap { if case .indexed(let id, _) = $0 { id } else { nil } }.sorted()
            let id = ids.randomElement(using: &random) ?? ImageID(rawValue: 1 << 40)
            for case (let path, .indexed(id, let content)) in rows { rows[path] = .excluded(content: content) }
            return .exclude(id)
        case 5:
            return .setDocument(key: fixture.key(path), document: Array("{\"n\":\(content)}".utf8))
        case 6:
            return .refreshStat(key: fixture.key(path), stamp: stamp)
        default:
            switch rows[path] {
            case .excluded(content): break
            case .indexed(let id, _): rows[path] = .indexed(id, content: content)
            default:
                lastImage += 1
                rows[path] = .indexed(ImageID(rawValue: lastImage), content: content)
            }
            return .index(
                key: fixture.key(path),
                stamp: stamp,
                content: CatalogFixture.content(content),
                embedded: ImageFeatures(
                    vector: CatalogFixture.vector(Self.picture(content)),
                    format: "jpeg",
                    width: 640,
                    height: 480
                ),
                document: []
            )
        }
    }

    // MARK: Comparison

    private func compare(_ moment: String) throws {
        let catalog = fixture.catalog
        let place = "seed \(seed), \(moment)"
        var contents: [ImageID: Int] = [:]
        var paths: [ImageID: String] = [:]
        for case (let path, .indexed(let id, let content)) in rows {
            contents[id] = content
            paths[id] = path
        }
        let images = try catalog.images(after: nil, limit: 1000)
        #expect(images.map(\.id) == contents.keys.sorted(), "\(place)")
        for image in images {
            #expect(image.key.path.description == paths[image.id], "\(place)")
            #expect(contents[image.id].map(CatalogFixture.content) == image.content, "\(place)")
        }
        #expect(catalog.statistics.imageCount == contents.count, "\(place)")
        #expect(catalog.statistics.vectorCount == Set(contents.values.map(Self.picture)).count, "\(place)")
        #expect(catalog.statistics.fileCount == rows.count, "\(place)")
        #expect(catalog.statistics.failedFileCount == rows.values.count { $0 == .failed }, "\(place)")
        for picture in Set((0..<Self.contentCount).map(Self.picture)) {
            let expected = contents.keys.filter { contents[$0].map(Self.picture) == picture }.sorted()
            let hits = try fixture.search(picture) { $0.limit = 1000 }
            let own = hits.prefix { $0.score >= 0.999 }.map(\.image.id)
            #expect(own == expected, "\(place), picture \(picture)")
            #expect(hits.count == contents.count, "\(place), picture \(picture)")
        }
    }
}

/// SplitMix64: the same numbers in every run.
private struct RandomBits: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
