import CIndexKernels
import Platform
import Storage
import Synchronization

@testable import VectorIndex

extension IndexFixture {
    /// What is wrong with the graph at rest: links that lead to slots outside it or below their level, repeated links,
    /// an entry that is missing or outside, slots that are both free and named.
    func violations() -> [String] {
        let graph = index.state.graph
        var found: [String] = []
        var named: Set<UInt32> = []
        var linkedCount = 0
        graph.forEachBlock(CINDEXKERNELS_LINKED) { slots in
            linkedCount += slots.count
            for slot in slots.map({ Slot(rawValue: $0) }) {
                for level in 0...slot.level {
                    let list = graph.list(slot, level: level)
                    if Set(list).count < list.count { found.append("\(slot) names a slot twice: \(list)") }
                    for link in list.map({ Slot(rawValue: $0) }) {
                        if link == slot { found.append("\(slot) names itself") }
                        if graph.flags(link) & CINDEXKERNELS_LINKED == 0 {
                            found.append("\(slot) names \(link), not linked")
                        }
                        if link.level < level { found.append("\(slot) names \(link) at level \(level)") }
                    }
                    named.formUnion(list)
                }
            }
        }
        if let entry = graph.entry {
            if graph.flags(entry) & CINDEXKERNELS_LINKED == 0 { found.append("the entry \(entry) is not linked") }
        } else if linkedCount > 0, index.state.liveCount.load(ordering: .relaxed) > index.maintenance.pendingCount {
            found.append("no entry, \(linkedCount) linked")
        }
        let free =
            index.writer.shared.withLock { $0.free.map(\.slot.rawValue) }
            + index.maintenance.detached.withLock { $0.map(\.slot.rawValue) }
        if Set(free).count < free.count { found.append("a slot is free twice") }
        for slot in free where named.contains(slot) { found.append("\(slot) is free and named") }
        return found
    }

    /// Live linked slots that no list at level 0 names, the entry left out.
    func slotsWithoutInLink() -> [UInt32] {
        let graph = index.state.graph
        var named: Set<UInt32> = []
        graph.forEachBlock(CINDEXKERNELS_LINKED) { slots in
            for slot in slots { named.formUnion(graph.list(Slot(rawValue: slot), level: 0)) }
        }
        var found: [UInt32] = []
        graph.forEachBlock(CINDEXKERNELS_LINKED | CINDEXKERNELS_LIVE) { slots in
            found += slots.filter { !named.contains($0) && graph.entry?.rawValue != $0 }
        }
        return found
    }

    /// Adds vectors in one transaction, each in a slot of its own.
    @discardableResult
    func addApart(_ vectors: [[Float]]) throws -> [Slot] {
        let transaction = try WriteTransaction(environment)
        var slots: [Slot] = []
        for vector in vectors { slots.append(try index.stage(vector, in: transaction, mayShare: { _ in false })) }
        try transaction.commit()
        index.publish()
        return slots
    }

    /// The live slots, as a search for more than there are returns them.
    func everything(near vector: [Float]) throws -> Set<Slot> {
        Set(try search(vector, index.statistics.vectorCount + 10).map(\.slot))
    }
}
