import Testing

@testable import VectorIndex

@Suite("Sets of slots")
struct SlotSetTests {
    private func set(_ slots: [UInt32]) -> SlotSet { SlotSet(slots.map { Slot(rawValue: $0) }) }

    private func members(_ set: SlotSet) -> [UInt32] {
        var members: [UInt32] = []
        set.forEach { members.append($0.rawValue) }
        return members
    }

    @Test("agree with sets of numbers", arguments: [1, 2, 3] as [UInt64])
    func agreesWithSet(seed: UInt64) {
        var random = SeededGenerator(seed)
        func numbers() -> Set<UInt32> {
            Set(
                (0..<200).map { _ in
                    UInt32.random(in: 0..<UInt32.random(in: 1...700, using: &random), using: &random)
                }
            )
        }
        let a = numbers()
        let b = numbers()
        #expect(members(set(Array(a))) == a.sorted())
        #expect(set(Array(a)).count == a.count)
        var union = set(Array(a))
        union.formUnion(set(Array(b)))
        #expect(members(union) == a.union(b).sorted())
        var common = set(Array(a))
        common.formIntersection(set(Array(b)))
        #expect(members(common) == a.intersection(b).sorted())
        var rest = set(Array(a))
        rest.subtract(set(Array(b)))
        #expect(members(rest) == a.subtracting(b).sorted())
        for number in 0..<800 as Range<UInt32> {
            #expect(rest.contains(Slot(rawValue: number)) == (a.contains(number) && !b.contains(number)))
        }
    }

    @Test("are equal whatever zeros follow their last member")
    func equality() {
        var a = set([3, 700])
        a.remove(Slot(rawValue: 700))
        #expect(a == set([3]))
        #expect(a.hashValue == set([3]).hashValue)
        #expect(a != set([3, 4]))
        a.remove(Slot(rawValue: 3))
        #expect(a.isEmpty)
        #expect(a == SlotSet())
    }
}
