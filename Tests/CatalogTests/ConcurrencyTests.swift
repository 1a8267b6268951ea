import Catalog
import Foundation
import Platform
import TestSupport
import Testing

struct ConcurrencyTests {
    @Test func eightThreadsCommitTogetherAndFindTheirOwnAtOnce() throws {
        let fixture = try CatalogFixture()
        let catalog = fixture.catalog
        let perThread = 40
        let threads = try (0..<8).map { thread in
            let changes = (0..<perThread).map { number -> CatalogChange in
                fixture.indexing("t\(thread)/\(number)", thread * perThread + number)
            }
            return try WorkerThread(name: "caller \(thread)") {
                do {
                    for (number, change) in changes.enumerated() {
                        guard case .done(let id?) = try catalog.apply([change])[0] else {
                            throw CatalogFixture.Unexpected()
                        }
                        let seed = thread * perThread + number
                        let first = try catalog.search(CatalogQuery(vector: CatalogFixture.vector(seed))).hits.first
                        #expect(first?.image.id == id)
                        if number % 4 == 3 {
                            _ = try catalog.apply([.exclude(id)])
                            let hits = try catalog.search(CatalogQuery(vector: CatalogFixture.vector(seed))).hits
                            #expect(!hits.contains { $0.image.id == id })
                        }
                    }
                } catch { Issue.record(error) }
            }
        }
        for thread in threads { thread.join() }
        #expect(catalog.statistics.imageCount == 8 * perThread * 3 / 4)
        #expect(catalog.statistics.fileCount == 8 * perThread)
        #expect(try catalog.audit() == [])
        try fixture.reopen()
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func searchesFillTheirPageWhileImagesComeAndGo() throws {
        let fixture = try CatalogFixture()
        let catalog = fixture.catalog
        _ = try catalog.apply((0..<200).map { fixture.indexing("p\($0)", $0) })
        let isDone = Monitor(false)
        let searcher = try WorkerThread(name: "searcher") {
            do {
                var seed = 0
                while !isDone.withLock({ $0 }) {
                    var query = CatalogQuery(vector: CatalogFixture.vector(seed % 300))
                    query.limit = 50
                    let results = try catalog.search(query)
                    #expect(results.hits.count == 50)
                    seed += 1
                }
            } catch { Issue.record(error) }
        }
        for round in 0..<60 {
            _ = try catalog.apply([
                fixture.indexing("p\(200 + round)", 200 + round), .delete(key: fixture.key("p\(round)")),
            ])
        }
        isDone.withLockNotifyingAll { $0 = true }
        searcher.join()
    }

    @Test func aKilledProcessLosesNothingThatItAcknowledged() async throws {
        let folder = try TemporaryDirectory()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String] in
            let catalog = try CatalogFixture.open(path + "/store")
            let root = try catalog.addRoot(RelativePath("/photos")).id
            let notes = open(path + "/acknowledged", O_CREAT | O_WRONLY | O_APPEND, 0o600)
            let acknowledged = Monitor(0)
            let killer = try WorkerThread(name: "killer") {
                _ = acknowledged.wait { $0 > 20 ? true : nil }
                sleep(seconds: .random(in: 0...0.1))
                kill(getpid(), SIGKILL)
            }
            for number in 0... {
                let key = FileKey(root: root, path: RelativePath("p\(number)"))
                let isRemoval = number % 5 == 4
                let change: CatalogChange =
                    isRemoval
                    ? .delete(key: FileKey(root: root, path: RelativePath("p\(number - 1)")))
                    : .index(
                        key: key,
                        stamp: CatalogFixture.stamp(number),
                        content: CatalogFixture.content(number),
                        embedded: ImageFeatures(
                            vector: CatalogFixture.vector(number),
                            format: "jpeg",
                            width: 1,
                            height: 1
                        ),
                        document: []
                    )
                _ = try catalog.apply([change])
                let line = Array("\(isRemoval ? "-\(number - 1)" : "+\(number)")\n".utf8)
                _ = line.withUnsafeBytes { write(notes, $0.baseAddress, $0.count) }
                acknowledged.withLockNotifyingAll { $0 += 1 }
            }
            killer.join()
        }
        let text = try String(contentsOf: folder.url.appending(path: "acknowledged"), encoding: .utf8)
        let notes = text.split(separator: "\n")
        #expect(notes.count > 20)
        var expected: Set<String> = []
        for note in notes {
            if note.hasPrefix("+") {
                expected.insert("p\(note.dropFirst())")
            } else {
                expected.remove("p\(note.dropFirst())")
            }
        }
        let catalog = try CatalogFixture.open(folder.path + "/store")
        defer { catalog.close() }
        #expect(try catalog.audit() == [])
        let found = Set(try catalog.images(after: nil, limit: 100_000).map(\.key.path.description))
        // One change can be stored and not acknowledged.
        #expect(found.symmetricDifference(expected).count <= 1)
        // The one may be a removal of what is expected.
        for note in notes.suffix(20) where found.intersection(expected).contains("p\(note.dropFirst())") {
            let query = CatalogQuery(vector: CatalogFixture.vector(Int(note.dropFirst()) ?? 0))
            #expect(try catalog.search(query).hits.first?.image.key.path.description == "p\(note.dropFirst())")
        }
    }
}
