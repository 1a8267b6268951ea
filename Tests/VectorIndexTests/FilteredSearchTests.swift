import CIndexKernels
import Platform
import Storage
import Synchronization
import Testing

@testable import VectorIndex

@Suite("Searches among members")
struct FilteredSearchTests {
    /// Linked vectors and some pending ones, and what brute force finds among them.
    private struct World {
        let fixture: IndexFixture
        let vectors: [[Float]]
        let slots: [Slot]
        let queries: [[Float]]

        /// With `traverses` the graph is searched however small a set is; without `scansOutOfDistribution` wherever its
        /// members are.
        init(traverses: Bool, scansOutOfDistribution: Bool = false, pendingCount: Int = 50) throws {
            var parameters = IndexParameters()
            if traverses {
                parameters.scannedMembers = 0
                parameters.scannedShare = 0
                if !scansOutOfDistribution { parameters.scannedOutOfDistribution = 0 }
            }
            fixture = try IndexFixture(dimension: 32, isGraphForced: true, parameters: parameters)
            var source = FeatureSource(dimension: 32, clusterCount: 20)
            let drawn = source.next(1200)
            // As they are stored: the rounding to binary16 must not make another order.
            vectors = drawn.map { [fixture] in fixture.index.halves(of: $0).floats }
            queries = source.next(12)
            let linked = try fixture.add(Array(drawn.dropLast(pendingCount)))
            // By one linker: the same graph at every run.
            try fixture.link(threadCount: 1)
            slots = linked + (try fixture.add(drawn.suffix(pendingCount)))
        }

        /// All slots, the nearest to `query` first.
        func ranking(_ query: [Float]) -> [Slot] {
            let scores = vectors.map { zip($0, query).reduce(0) { $0 + $1.0 * $1.1 } }
            return zip(slots, scores).sorted { $0.1 > $1.1 }.map(\.0)
        }

        func search(_ query: [Float], _ count: Int, among members: SlotSet, isExact: Bool = false) throws -> [IndexHit]
        {
            let transaction = try ReadTransaction(fixture.environment)
            return try fixture.index.search(
                query,
                count: count,
                isExact: isExact,
                among: members,
                transaction: transaction
            )
        }

        /// Share of the true nearest members that searches find; checks what holds for every search.
        func recall(_ set: (_ ranking: [Slot]) -> SlotSet, count: Int = 10) throws -> Double {
            var found = 0
            var wanted = 0
            for query in queries {
                let ranking = ranking(query)
                let members = set(ranking)
                let truth = ranking.filter { members.contains($0) }.prefix(count)
                let hits = try search(query, count, among: members)
                #expect(hits.count == truth.count)
                #expect(hits.allSatisfy { members.contains($0.slot) })
                #expect(Set(hits.map(\.slot)).count == hits.count)
                #expect(zip(hits, hits.dropFirst()).allSatisfy { $0.score >= $1.score })
                found += Set(hits.map(\.slot)).intersection(truth).count
                wanted += truth.count
                let exact = try search(query, count, among: members, isExact: true)
                #expect(Set(exact.map(\.slot)) == Set(truth))
            }
            return wanted == 0 ? 1 : Double(found) / Double(wanted)
        }
    }

    @Test("find what brute force finds, of every share", arguments: [0, 1, 12, 120, 600, 1080, 1200], [false, true])
    func everyShare(memberCount: Int, traverses: Bool) throws {
        let world = try World(traverses: traverses)
        var random = SeededGenerator(UInt64(memberCount) + 5)
        let members = SlotSet(world.slots.shuffled(using: &random).prefix(memberCount))
        let recall = try world.recall { _ in members }
        #expect(recall >= (traverses ? 0.95 : 0.99), "\(memberCount) members")
    }

    @Test(
        "find what is near and what is far, whatever the members have to do with the query",
        arguments: [60, 300, 900]
    )
    func correlatedSets(memberCount: Int) throws {
        let world = try World(traverses: true, scansOutOfDistribution: true)
        #expect(try world.recall { SlotSet($0.prefix(memberCount)) } >= 0.98)
        #expect(try world.recall { SlotSet($0.suffix(memberCount)) } >= 0.98)
        let centre = world.ranking(world.vectors[7])
        #expect(try world.recall { _ in SlotSet(centre.prefix(memberCount)) } >= 0.95)
    }

    @Test("are scans for few members and for queries that are out of distribution")
    func paths() throws {
        let scanned = try World(traverses: false)
        let traversed = try World(traverses: true, scansOutOfDistribution: true)
        let query = traversed.queries[0]
        let ranking = traversed.ranking(query)
        let near = SlotSet(ranking.prefix(400))
        #expect(try scanned.fixture.index.path(of: query, among: near, count: 10) == .scan)
        #expect(try traversed.fixture.index.path(of: query, among: near, count: 10) == .twoHop)
        let far = SlotSet(ranking.suffix(400))
        #expect(try traversed.fixture.index.path(of: query, among: far, count: 10) == .scan)
    }

    @Test("return as many as were asked for while so many are live", arguments: [false, true])
    func counts(traverses: Bool) throws {
        let world = try World(traverses: traverses)
        let members = SlotSet(world.slots.enumerated().filter { $0.offset % 3 == 0 }.map(\.element))
        for count in [1, 64, 200, 399, 400, 401, 2000] {
            let hits = try world.search(world.queries[0], count, among: members)
            #expect(hits.count == min(count, 400))
            #expect(hits.allSatisfy { members.contains($0.slot) })
        }
        #expect(try world.search(world.queries[0], 0, among: members).isEmpty)
    }

    @Test("pass over members that are removed or never were", arguments: [false, true])
    func deadMembers(traverses: Bool) throws {
        let world = try World(traverses: traverses)
        let ranking = world.ranking(world.queries[0])
        let removed = Array(ranking.prefix(40))
        try world.fixture.remove(removed)
        var members = SlotSet(ranking.prefix(60))
        for number in [1200, 5000, 1 << 20] as [UInt32] { members.insert(Slot(rawValue: number)) }
        let hits = try world.search(world.queries[0], 30, among: members)
        #expect(Set(hits.map(\.slot)) == Set(ranking[40..<60]))
        #expect(try world.search(world.queries[0], 5, among: SlotSet(removed)).isEmpty)
    }

    @Test("find pending members, and an equal one first", arguments: [false, true])
    func pendingMembers(traverses: Bool) throws {
        let world = try World(traverses: traverses)
        let pending = Array(world.slots.suffix(50))
        let vector = world.vectors[1180]
        #expect(world.fixture.index.statistics.pendingCount == 50)
        #expect(try world.search(vector, 50, among: SlotSet(pending)).count == 50)
        let hits = try world.search(vector, 10, among: SlotSet(world.slots.suffix(700)))
        #expect(hits.first?.slot == world.slots[1180])
        var others = SlotSet(world.slots)
        others.remove(world.slots[1180])
        #expect(try world.search(vector, 10, among: others).allSatisfy { $0.slot != world.slots[1180] })
    }

    @Test("return nothing that was removed before they began", arguments: [false, true])
    func removalMeanwhile(traverses: Bool) throws {
        let world = try World(traverses: traverses, pendingCount: 0)
        let members = SlotSet(world.slots.prefix(900))
        let removedCount = Atomic<Int>(0)
        let remover = try WorkerThread(name: "remover") {
            for batch in 0..<30 {
                let slots = Array(world.slots[batch * 20..<batch * 20 + 20])
                guard (try? world.fixture.remove(slots)) != nil else { return }
                removedCount.store(batch * 20 + 20, ordering: .releasing)
            }
        }
        for round in 0..<60 {
            let gone = SlotSet(world.slots.prefix(removedCount.load(ordering: .acquiring)))
            let hits = try world.search(world.queries[round % 12], 10, among: members)
            #expect(hits.allSatisfy { members.contains($0.slot) && !gone.contains($0.slot) })
            #expect(hits.count == 10)
        }
        remover.join()
        #expect(removedCount.load(ordering: .acquiring) == 600)
        #expect(try world.search(world.queries[0], 1000, among: members).count == 300)
    }

    @Test("are the same with every instruction set", arguments: [false, true])
    func instructionSets(traverses: Bool) throws {
        let world = try World(traverses: traverses)
        let index = world.fixture.index
        let entry = try #require(index.state.graph.entry)
        let members = SlotSet(world.slots.enumerated().filter { $0.offset % 5 < 2 }.map(\.element))
        for query in world.queries {
            var expected: [UInt32]?
            for kernels in KernelTests.variants {
                let context = SearchContext(dimension: 32, number: 0)
                context.query.set(query, quantizer: index.state.codes.quantizer, kernels: kernels)
                var search = MemberSearch(
                    index.state,
                    members,
                    entry,
                    index.state.graph.slotCount,
                    index.state.codes,
                    context
                )
                search.kernels = kernels
                let (found, path) = search.candidates(10, ef: 64, wanted: 40)
                #expect(path == (traverses ? .twoHop : .scan))
                let slots = try #require(found).map(\.slot)
                #expect(slots == expected ?? slots, "\(kernels.name)")
                expected = slots
            }
        }
    }
}
