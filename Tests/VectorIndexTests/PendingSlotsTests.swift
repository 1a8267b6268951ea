import Platform
import Testing

@testable import VectorIndex

/// The queue of vectors that no linker has been at, and its snapshots.
struct PendingSlotsTests {
    private func slots(_ snapshot: PendingSlots.Snapshot) -> [UInt32] {
        var found: [UInt32] = []
        snapshot.forEachBlock { block in
            #expect(!block.isEmpty && block.count <= PendingSlots.Snapshot.blockLimit)
            found += block
        }
        return found
    }

    /// Lengths on both sides of a block's and a chunk's end.
    @Test(arguments: [0, 1, 1023, 1024, 1025, 4095, 4096, 4097, 10_000])
    func slotsComeBackInOrder(count: Int) {
        var queue = PendingSlots()
        let added = (0..<UInt32(count)).map { $0 &* 2_654_435_761 }
        queue.append(Array(added.prefix(count / 3)))
        queue.append(Array(added.dropFirst(count / 3)))
        #expect(queue.count == count)
        #expect(slots(queue.snapshot(linking: [])) == added)
        for (taken, slot) in added.enumerated() {
            #expect(queue.popFirst() == slot)
            if taken % 1000 == 0 { #expect(slots(queue.snapshot(linking: [])) == Array(added[(taken + 1)...])) }
        }
        #expect(queue.isEmpty)
        #expect(queue.popFirst() == nil)
        queue.append([7])
        #expect(slots(queue.snapshot(linking: [])) == [7])
    }

    @Test func aSnapshotKeepsWhatIsTakenAddedAndRemovedAfterIt() {
        var queue = PendingSlots()
        let added = (0..<UInt32(9000)).map { $0 }
        queue.append(added)
        let first = queue.popFirst()
        #expect(first == 0)
        let snapshot = queue.snapshot(linking: [0])
        #expect(snapshot.count == 9000)
        for _ in 0..<5000 { _ = queue.popFirst() }
        queue.append(Array(20_000..<30_000))
        #expect(queue.remove(Set(8000..<8100)) == Array(8000..<8100))
        #expect(slots(snapshot) == added)
        #expect(slots(queue.snapshot(linking: [])) == Array(5001..<8000) + Array(8100..<9000) + Array(20_000..<30_000))
    }

    @Test func whatIsLinkedAfterASnapshotIsStillInIt() {
        let queue = LinkQueue()
        queue.append([3, 5, 8])
        queue.open()
        queue.start()
        let before = queue.pending
        guard case .link(let slot) = queue.next() else {
            Issue.record("nothing to link")
            return
        }
        #expect(slot == Slot(rawValue: 3))
        #expect(Set(slots(queue.pending)) == [3, 5, 8])
        queue.finish(slot)
        #expect(Set(slots(queue.pending)) == [5, 8])
        #expect(slots(before) == [3, 5, 8])
        #expect(queue.pendingCount == 2)
    }

    @Test func snapshotsBesideAWriterAndATakerAreRunsOfTheQueue() throws {
        let queue = LinkQueue()
        queue.open()
        queue.start()
        let total: UInt32 = 40_000
        let writer = try WorkerThread(name: "writer") {
            for start in stride(from: 0, to: total, by: 100) { queue.append(Array(start..<start + 100)) }
        }
        let taker = try WorkerThread(name: "taker") {
            for _ in 0..<total {
                guard case .link(let slot) = queue.next() else { continue }
                queue.finish(slot)
            }
        }
        for _ in 0..<300 {
            let found = slots(queue.pending).sorted()
            #expect(zip(found, found.dropFirst()).allSatisfy { $1 == $0 + 1 })
        }
        writer.join()
        taker.join()
    }
}
