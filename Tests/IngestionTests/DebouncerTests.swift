import Catalog
import Platform
import Testing

@testable import Ingestion

@Suite struct DebouncerTests {
    private let key = FileKey(root: RootID(rawValue: 1), path: RelativePath("a.jpg"))
    private let configuration = IngestionConfiguration()

    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: 1_000_000_000_000) + seconds }

    private func look(_ byteCount: UInt64) throws -> FileStatus {
        var status = try OwnedDescriptor.open("/", 0).status()
        status.byteCount = byteCount
        return status
    }

    @Test func `A closed file is quiescent after 200 ms`() {
        var debouncer = Debouncer(configuration: configuration)
        #expect(debouncer.record(key, .closed, at: at(0)) == true)
        #expect(debouncer.waitingCount(in: key.root) == 1)
        #expect(debouncer.takeDue(at: at(0.19)) == nil)
        #expect(debouncer.takeDue(at: at(0.21)) == .check(key, .closed, since: at(0)))
        #expect(debouncer.waitingCount(in: key.root) == 0)
        #expect(debouncer.takeDue(at: at(10)) == nil)
    }

    @Test func `A write after the close starts the wait anew`() {
        var debouncer = Debouncer(configuration: configuration)
        _ = debouncer.record(key, .closed, at: at(0))
        _ = debouncer.record(key, .closed, at: at(0.15))
        #expect(debouncer.takeDue(at: at(0.21)) == nil)
        #expect(debouncer.takeDue(at: at(0.36)) == .check(key, .closed, since: at(0)))
    }

    @Test func `Setting the time after the close does not cost a probe`() {
        var debouncer = Debouncer(configuration: configuration)
        _ = debouncer.record(key, .closed, at: at(0))
        _ = debouncer.record(key, .attributes, at: at(0.1))
        #expect(debouncer.takeDue(at: at(0.25)) == nil)
        #expect(debouncer.takeDue(at: at(0.31)) == .check(key, .closed, since: at(0)))
    }

    @Test func `A linked file is quiescent after two equal looks, within 2 seconds`() throws {
        var debouncer = Debouncer(configuration: configuration)
        _ = debouncer.record(key, .touched, at: at(0))
        #expect(debouncer.takeDue(at: at(0.51)) == .probe(key))
        #expect(debouncer.observe(key, try look(1), at: at(0.51)) == false)
        #expect(debouncer.takeDue(at: at(0.6)) == nil)
        #expect(debouncer.takeDue(at: at(1.02)) == .probe(key))
        #expect(debouncer.observe(key, try look(1), at: at(1.02)) == true)
        #expect(debouncer.takeDue(at: at(5)) == nil)
    }

    @Test func `A growing file is looked at until it is quiescent, but not for ever`() throws {
        var debouncer = Debouncer(configuration: configuration)
        _ = debouncer.record(key, .touched, at: at(0))
        var now = 0.0
        var size: UInt64 = 0
        while now < configuration.quiescenceTimeout + 2 {
            now += 0.51
            size += 1
            if debouncer.takeDue(at: at(now)) == .probe(key) {
                #expect(debouncer.observe(key, try look(size), at: at(now)) == false)
            }
        }
        #expect(debouncer.waitingCount(in: key.root) == 0)
    }

    @Test func `A vanished file is checked at once`() {
        var debouncer = Debouncer(configuration: configuration)
        _ = debouncer.record(key, .touched, at: at(0))
        #expect(debouncer.takeDue(at: at(0.51)) == .probe(key))
        #expect(debouncer.observe(key, nil, at: at(0.51)) == true)
    }

    @Test func `A deletion waits a second, and a new file of the name takes its place`() {
        var debouncer = Debouncer(configuration: configuration)
        _ = debouncer.record(key, .removed, at: at(0))
        #expect(debouncer.takeDue(at: at(0.9)) == nil)
        _ = debouncer.record(key, .closed, at: at(0.95))
        #expect(debouncer.takeDue(at: at(1.16)) == .check(key, .closed, since: at(0)))
        _ = debouncer.record(key, .removed, at: at(2))
        #expect(debouncer.takeDue(at: at(3.01)) == .check(key, .removed, since: at(2)))
    }

    @Test func `A recheck is nobody's wait and yields to every event`() {
        var debouncer = Debouncer(configuration: configuration)
        _ = debouncer.record(key, .recheck, at: at(0))
        #expect(debouncer.waitingCount(in: key.root) == 0)
        #expect(debouncer.takeDue(at: at(2.1)) == nil)
        _ = debouncer.record(key, .closed, at: at(2.1))
        #expect(debouncer.waitingCount(in: key.root) == 1)
        #expect(debouncer.takeDue(at: at(2.31)) == .check(key, .closed, since: at(2.1)))
    }

    @Test func `A file that was read is looked at again three times, and reading it anew begins anew`() {
        var debouncer = Debouncer(configuration: configuration)
        _ = debouncer.record(key, .recheck, at: at(0))
        #expect(debouncer.record(key, .later, at: at(0)) == true)
        #expect(debouncer.takeDue(at: at(2.21)) == .check(key, .recheck, since: at(0)))
        #expect(debouncer.takeDue(at: at(14.9)) == nil)
        #expect(debouncer.takeDue(at: at(15.1)) == .check(key, .later, since: at(0)))
        #expect(debouncer.takeDue(at: at(59)) == nil)
        _ = debouncer.record(key, .later, at: at(59))
        #expect(debouncer.takeDue(at: at(73)) == nil)
        #expect(debouncer.takeDue(at: at(74.1)) == .check(key, .later, since: at(59)))
        #expect(debouncer.takeDue(at: at(119.1)) == .check(key, .later, since: at(59)))
        #expect(debouncer.takeDue(at: at(1000)) == nil)
        #expect(debouncer.nextDue == nil)
        #expect(debouncer.waitingCount(in: key.root) == 0)
    }

    @Test func `Looks that nobody waits for never take the place of a file that waits`() {
        var small = configuration
        small.debounceCapacity = 8
        var debouncer = Debouncer(configuration: small)
        func file(_ number: Int) -> FileKey { FileKey(root: key.root, path: RelativePath("\(number)")) }
        for number in 0..<100 { #expect(debouncer.record(file(number), .later, at: at(0)) == true) }
        for number in 100..<108 { #expect(debouncer.record(file(number), .closed, at: at(0)) == true) }
        #expect(debouncer.record(key, .closed, at: at(0)) == false)
        #expect(debouncer.waitingCount(in: key.root) == 8)
        var looks = 0
        while let task = debouncer.takeDue(at: at(15.1)) {
            if case .check(_, .later, _) = task { looks += 1 }
        }
        #expect(looks == 2)
    }

    @Test func `What arrives is told from what goes`() {
        var debouncer = Debouncer(configuration: configuration)
        let one = FileKey(root: key.root, path: RelativePath("1.jpg"))
        let two = FileKey(root: key.root, path: RelativePath("2.jpg"))
        _ = debouncer.record(one, .removed, at: at(0))
        _ = debouncer.record(two, .touched, at: at(0))
        _ = debouncer.record(key, .recheck, at: at(0))
        #expect(debouncer.arrivingCount == 1)
        _ = debouncer.record(one, .closed, at: at(0))
        #expect(debouncer.arrivingCount == 2)
        debouncer.removeAll(in: key.root)
        #expect(debouncer.arrivingCount == 0)
        #expect(debouncer.waitingCount(in: key.root) == 0)
    }

    @Test func `A full table says so`() {
        var small = configuration
        small.debounceCapacity = 2
        var debouncer = Debouncer(configuration: small)
        for name in ["a", "b"] {
            #expect(debouncer.record(FileKey(root: key.root, path: RelativePath(name)), .closed, at: at(0)) == true)
        }
        #expect(debouncer.record(key, .closed, at: at(0)) == false)
        debouncer.removeAll(in: key.root)
        #expect(debouncer.record(key, .closed, at: at(0)) == true)
    }

    @Test func `A hundred thousand writes to one file keep one deadline`() {
        var debouncer = Debouncer(configuration: configuration)
        for step in 0..<100_000 { _ = debouncer.record(key, .touched, at: at(Double(step) * 1e-5)) }
        #expect(debouncer.takeDue(at: at(0.99)) == nil)
        #expect(debouncer.takeDue(at: at(1.6)) == .probe(key))
    }

    @Test func `Deadlines come in order`() {
        var deadlines = Deadlines<Int>()
        var random = SystemRandomNumberGenerator()
        let times = (0..<500).map { _ in Int64.random(in: 0..<1000, using: &random) }
        for (index, time) in times.enumerated() { deadlines.insert(index, due: Instant(nanoseconds: time)) }
        var taken: [Int64] = []
        while let (due, index) = deadlines.take(at: Instant(nanoseconds: 2000)) {
            #expect(due.nanoseconds == times[index])
            taken.append(due.nanoseconds)
        }
        #expect(taken == times.sorted())
    }
}
