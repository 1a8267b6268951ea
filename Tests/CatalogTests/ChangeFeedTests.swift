import Foundation
import Platform
import Storage
import TestSupport
import Testing

@testable import Catalog

/// The change feed: one entry a change, in order, never a silent hole.
struct ChangeFeedTests {
    private static func options(always: UInt64, atMost: UInt64) -> CatalogOptions {
        var options = CatalogFixture.options()
        (options.eventLimit, options.feedLimit) = (always, atMost)
        return options
    }

    /// Entries after a number; a gap is an issue.
    private func events(_ catalog: Catalog, after sequence: UInt64 = 0, limit: Int = 10_000) throws -> [ChangeEvent] {
        let page = try catalog.changes(after: sequence, limit: limit)
        guard case .changes(let events, _) = page else {
            Issue.record("\(page)")
            return []
        }
        return events
    }

    private func index(_ fixture: CatalogFixture, _ numbers: Range<Int>) throws {
        for number in numbers { try fixture.index("\(number).jpg", number) }
    }

    @Test func `every change to an image is one entry, in order and with its time`() throws {
        let fixture = try CatalogFixture()
        let catalog = fixture.catalog
        let start = wallClockNanoseconds()
        #expect(catalog.lastChange == 0)
        #expect(try catalog.changes(after: 0, limit: 10) == .changes([], last: 0))
        try index(fixture, 1..<5)
        let key = fixture.key("1.jpg")
        let failure = FileFailure(kind: "corrupt", message: "", attempts: 1, nextAttempt: nil)
        let stamp = CatalogFixture.stamp
        let changes: [(CatalogChange, ChangeEvent.Operation?, UInt64)] = [
            (fixture.indexing("1.jpg", 9), .replaced, 1),
            (.move(from: fixture.key("2.jpg"), to: fixture.key("moved.jpg"), stamp: stamp(2)), .moved, 2),
            (.setDocument(key: key, document: Array("{}".utf8)), .documented, 1),
            (.refreshStat(key: key, stamp: stamp(77)), .refreshed, 1),
            // The same size and time: nothing that an image shows has changed.
            (.refreshStat(key: key, stamp: stamp(77)), nil, 0),
            (.delete(key: fixture.key("3.jpg")), .removed, 3),
            (.exclude(ImageID(rawValue: 4)), .removed, 4),
            // There is no image any more.
            (.exclude(ImageID(rawValue: 4)), nil, 0),
            (.fail(key: key, stamp: stamp(1), content: nil, failure: failure), .removed, 1),
            (.fail(key: key, stamp: stamp(2), content: nil, failure: failure), nil, 0),
        ]
        var expected: [[UInt64]] = (1...4).map { [$0, 1, $0] }
        for (change, operation, image) in changes {
            _ = try catalog.apply([change])
            if let operation { expected.append([UInt64(expected.count + 1), UInt64(operation.rawValue), image]) }
        }
        let found = try events(catalog)
        #expect(found.map { [$0.sequence, UInt64($0.operation.rawValue), $0.image.rawValue] } == expected)
        for event in found { #expect(start...wallClockNanoseconds() ~= event.time ?? 0) }
        #expect(catalog.lastChange == UInt64(expected.count))
        #expect(try catalog.audit() == [])
    }

    @Test func `pages follow each other without a hole and without a repetition`() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<57).map { fixture.indexing("\($0).jpg", $0) })
        var found: [UInt64] = []
        while case let page = try events(fixture.catalog, after: found.last ?? 0, limit: 10), !page.isEmpty {
            #expect(page.count == min(10, 57 - found.count))
            found += page.map(\.sequence)
        }
        #expect(found == Array(1...57))
        #expect(try events(fixture.catalog, after: 3, limit: 0) == [])
    }

    @Test func `a removed root is told image by image`() throws {
        let fixture = try CatalogFixture()
        try index(fixture, 1..<8)
        try fixture.catalog.removeRoot(fixture.root)
        let found = try events(fixture.catalog, after: 7)
        #expect(found.allSatisfy { $0.operation == .removed })
        #expect(found.map(\.image.rawValue).sorted() == Array(1...7))
    }

    @Test func `a batch that meets a damaged record leaves no entry`() throws {
        let fixture = try CatalogFixture()
        try fixture.index("a", 1)
        fixture.catalog.close()
        try StoredBytes.change(in: fixture.folder.path, "img", .integerKey, UInt64(1)) { $0[20] ^= 1 }
        try fixture.reopen()
        #expect(throws: CatalogError.self) {
            try fixture.catalog.apply([fixture.indexing("b", 2), .delete(key: fixture.key("a"))])
        }
        #expect(try events(fixture.catalog).map(\.sequence) == [1])
        try fixture.index("c", 3)
        #expect(try events(fixture.catalog).map(\.image.rawValue) == [1, 2])
    }

    @Test func `without consumers the newest entries are kept, and who is behind them is told so`() throws {
        let fixture = try CatalogFixture(options: Self.options(always: 10, atMost: 20))
        try index(fixture, 0..<35)
        #expect(try events(fixture.catalog, after: 25).map(\.sequence) == Array(26...35))
        #expect(try fixture.catalog.changes(after: 24, limit: 5) == .gap(first: 26, last: 35))
        #expect(try fixture.catalog.changes(after: 0, limit: 5) == .gap(first: 26, last: 35))
        // A number from the future: the collection came out of a backup.
        #expect(try fixture.catalog.changes(after: 36, limit: 5) == .gap(first: 26, last: 35))
        #expect(try fixture.catalog.changes(after: .max, limit: 5) == .gap(first: 26, last: 35))
        #expect(try fixture.catalog.audit() == [])
    }

    @Test func `entries wait for the slowest consumer, which is cut off beyond the bound`() throws {
        let fixture = try CatalogFixture(options: Self.options(always: 10, atMost: 20))
        let catalog = fixture.catalog
        let slow = try catalog.registerConsumer("slow")
        #expect(slow == FeedConsumer(name: "slow", acknowledged: 0, isCutOff: false))
        try catalog.registerConsumer("quick")
        try index(fixture, 0..<18)
        try catalog.acknowledge("quick", through: 18)
        // Within the bound everything is there for the slow one.
        #expect(try events(catalog).map(\.sequence) == Array(1...18))
        try catalog.acknowledge("slow", through: 5)
        #expect(try catalog.changes(after: 4, limit: 1) == .gap(first: 6, last: 18))
        #expect(try events(catalog, after: 5).map(\.sequence) == Array(6...18))
        try index(fixture, 18..<25)
        #expect(try catalog.consumers().map(\.isCutOff) == [false, false])
        try index(fixture, 25..<26)
        #expect(
            try catalog.consumers() == [
                FeedConsumer(name: "quick", acknowledged: 18, isCutOff: false),
                FeedConsumer(name: "slow", acknowledged: 5, isCutOff: true),
            ]
        )
        // Nothing is kept for it any more: the feed goes back to what the quick one and everybody needs.
        try index(fixture, 26..<27)
        #expect(try catalog.changes(after: 5, limit: 1) == .gap(first: 18, last: 27))
        #expect(try catalog.acknowledge("slow", through: 6)?.isCutOff == true)
        // It has synchronised anew and comes back.
        #expect(try catalog.acknowledge("slow", through: 27)?.isCutOff == false)
        #expect(try catalog.consumers().map(\.acknowledged) == [18, 27])
        #expect(try catalog.removeConsumer("quick")?.name == "quick")
        #expect(try catalog.removeConsumer("quick") == nil)
        #expect(try catalog.changes(after: 0, limit: 1) == .gap(first: 18, last: 27))
        #expect(try catalog.audit() == [])
    }

    @Test func `a consumer's place moves forward only, and not beyond the feed`() throws {
        let fixture = try CatalogFixture()
        try index(fixture, 0..<5)
        #expect(try fixture.catalog.registerConsumer("a").acknowledged == 5)
        #expect(try fixture.catalog.registerConsumer("b", after: 2).acknowledged == 2)
        #expect(try fixture.catalog.registerConsumer("b", after: 4).acknowledged == 2)
        #expect(try fixture.catalog.acknowledge("b", through: 1)?.acknowledged == 2)
        #expect(try fixture.catalog.acknowledge("nobody", through: 1) == nil)
        for refused in ["", String(repeating: "x", count: 129)] {
            #expect(throws: CatalogError.self) { try fixture.catalog.registerConsumer(refused) }
        }
        #expect(throws: CatalogError.self) { try fixture.catalog.acknowledge("b", through: 6) }
        #expect(throws: CatalogError.self) { try fixture.catalog.registerConsumer("c", after: 6) }
        #expect(try fixture.catalog.consumers().map(\.name) == ["a", "b"])
    }

    @Test func `there are at most 64 consumers, and those that there are stay`() throws {
        let fixture = try CatalogFixture()
        for number in 0..<64 { try fixture.catalog.registerConsumer("consumer \(number)") }
        #expect(throws: CatalogError.self) { try fixture.catalog.registerConsumer("one more") }
        try fixture.catalog.registerConsumer("consumer 3")
        try fixture.catalog.removeConsumer("consumer 3")
        try fixture.catalog.registerConsumer("one more")
        #expect(try fixture.catalog.consumers().count == 64)
    }

    @Test func `a follower ahead of a restored collection is woken and told of a gap`() throws {
        let fixture = try CatalogFixture()
        try index(fixture, 0..<3)
        #expect(fixture.catalog.waitForChanges(after: 7, until: .now + 60) == 3)
        guard case .gap(_, 3) = try fixture.catalog.changes(after: 7, limit: 10) else {
            Issue.record("no gap")
            return
        }
    }

    @Test func `a large backlog is trimmed step by step`() throws {
        let fixture = try CatalogFixture(options: Self.options(always: 10, atMost: 100_000))
        let catalog = fixture.catalog
        try catalog.registerConsumer("slow")
        for start in stride(from: 0, to: 2000, by: 250) {
            _ = try catalog.apply((start..<start + 250).map { fixture.indexing("\($0).jpg", $0) })
        }
        #expect(try events(catalog).count == 2000)
        var counts: [Int] = []
        try catalog.acknowledge("slow", through: 2000)
        while counts.last != 10, counts.count < 10 {
            guard case .gap(let first, let last) = try catalog.changes(after: 0, limit: 1) else { break }
            counts.append(Int(last - first) + 1)
            try catalog.registerConsumer("slow")
        }
        #expect(counts == [1488, 976, 464, 10])
    }

    @Test func `entries and consumers survive closing, a backup and a change of whitening`() throws {
        let fixture = try CatalogFixture()
        _ = try fixture.catalog.apply((0..<40).map { fixture.indexing("\($0).jpg", $0) })
        try fixture.catalog.registerConsumer("replica", after: 12)
        let (before, consumers) = (try events(fixture.catalog), try fixture.catalog.consumers())
        #expect(before.count == 40)
        func expectTheSame(_ catalog: Catalog) throws {
            #expect(try events(catalog) == before)
            #expect(try catalog.consumers() == consumers)
            #expect(catalog.lastChange == 40)
            #expect(try catalog.audit() == [])
        }
        try fixture.reopen()
        try expectTheSame(fixture.catalog)

        let copy = try fixture.catalog.copy(isCompacting: true)
        var bytes: [UInt8] = []
        while case let piece = try copy.next(), !piece.isEmpty { bytes += piece }
        let folder = try TemporaryDirectory()
        try Data(bytes).write(to: folder.url.appending(path: "data.mdb"))
        let restored = try CatalogFixture.open(folder.path)
        defer { restored.close() }
        try expectTheSame(restored)

        try fixture.catalog.rewrite(whitening: fixture.catalog.learnWhitening())
        try fixture.reopen()
        try expectTheSame(fixture.catalog)
        try fixture.index("next.jpg", 41)
        #expect(try events(fixture.catalog, after: 40).map(\.image.rawValue) == [41])
    }

    @Test func `a thread that waits is woken by a commit and by closing`() throws {
        let fixture = try CatalogFixture()
        let catalog = fixture.catalog
        try index(fixture, 0..<3)
        #expect(catalog.waitForChanges(after: 2, until: .now) == 3)
        #expect(catalog.waitForChanges(after: 3, until: .now) == 3)
        let found = Monitor<[UInt64?]>([])
        let isDone = Monitor(false)
        let thread = try WorkerThread(name: "waiter") {
            var last: UInt64 = 3
            while let next = catalog.waitForChanges(after: last, until: .now + 60) {
                found.withLockNotifyingAll { $0.append(next) }
                last = next
            }
            isDone.withLockNotifyingAll { $0 = true }
        }
        try index(fixture, 3..<5)
        #expect(found.wait(until: .now + 60) { $0.last == 5 ? true : nil } == true)
        catalog.close()
        #expect(isDone.wait(until: .now + 60) { $0 ? true : nil } == true)
        thread.join()
    }

    @Test
    func `an observer is told of every commit that appends, once it is durable and searchable, until it is released`()
        throws
    {
        let fixture = try CatalogFixture()
        let seen = Monitor<[UInt64]>([])
        var observation: ChangeObservation? = fixture.catalog.observeChanges { last in
            seen.withLockNotifyingAll { $0.append(last) }
        }
        try index(fixture, 0..<2)
        // No entry, no call.
        _ = try fixture.catalog.apply([.exclude(ImageID(rawValue: 99))])
        try fixture.catalog.registerConsumer("a")
        _ = try fixture.catalog.apply((2..<5).map { fixture.indexing("\($0).jpg", $0) })
        #expect(seen.wait(until: .now + 60) { $0.last == 5 ? $0 : nil } == [1, 2, 5])
        withExtendedLifetime(observation) {}
        observation = nil
        try index(fixture, 5..<6)
        #expect(fixture.catalog.waitForChanges(after: 5, until: .now + 60) == 6)
        #expect(seen.withLock { $0.last } == 5)
    }

    @Test(arguments: [0, 4, 5, 8, 20]) func `a damaged entry is named, and others are given`(offset: Int) throws {
        let fixture = try CatalogFixture()
        try index(fixture, 0..<5)
        fixture.catalog.close()
        try StoredBytes.change(in: fixture.folder.path, "event", .integerKey, UInt64(3)) { $0[offset] ^= 1 }
        try fixture.reopen()
        // A page ends before it; the page that would begin with it says what is wrong.
        #expect(try events(fixture.catalog, limit: 10).map(\.sequence) == [1, 2])
        let error = #expect(throws: CatalogError.self) { try fixture.catalog.changes(after: 2, limit: 10) }
        guard case .corrupted("event 3", _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try events(fixture.catalog, limit: 2).map(\.sequence) == [1, 2])
        #expect(try events(fixture.catalog, after: 3).map(\.sequence) == [4, 5])
    }

    @Test func `a damaged consumer is named, holds nothing back and can be removed`() throws {
        let fixture = try CatalogFixture(options: Self.options(always: 2, atMost: 100))
        try fixture.catalog.registerConsumer("replica")
        try index(fixture, 0..<5)
        fixture.catalog.close()
        try StoredBytes.change(in: fixture.folder.path, "consumer", [], "replica") { $0[6] ^= 1 }
        let damaged = try CatalogFixture.open(fixture.folder.path, Self.options(always: 2, atMost: 100))
        defer { damaged.close() }
        let calls: [() throws -> [FeedConsumer]] = [
            { try damaged.consumers() }, { [try damaged.registerConsumer("replica")] },
        ]
        for call in calls {
            let error = #expect(throws: CatalogError.self) { try call() }
            guard case .corrupted("consumer replica", _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
        _ = try damaged.apply([fixture.indexing("5.jpg", 5)])
        #expect(try damaged.changes(after: 0, limit: 1) == .gap(first: 5, last: 6))
        #expect(try damaged.removeConsumer("replica")?.name == "replica")
        #expect(try damaged.consumers() == [])
        #expect(try damaged.registerConsumer("replica").acknowledged == 6)
    }

    @Test func `a missing entry is a gap and not passed over`() throws {
        let fixture = try CatalogFixture()
        try index(fixture, 0..<5)
        fixture.catalog.close()
        let environment = try Environment(directory: fixture.folder.path, options: CatalogFixture.options().sizes)
        let transaction = try WriteTransaction(environment)
        try transaction.delete(UInt64(3), in: try transaction.openDatabase("event", .integerKey))
        try transaction.commit()
        environment.close()
        try fixture.reopen()
        #expect(try events(fixture.catalog).map(\.sequence) == [1, 2])
        #expect(try fixture.catalog.changes(after: 2, limit: 10) == .gap(first: 4, last: 5))
        #expect(try events(fixture.catalog, after: 3).map(\.sequence) == [4, 5])
        #expect(try fixture.catalog.audit() == ["the change feed holds 4 entries between 1 and 5"])
    }
}
