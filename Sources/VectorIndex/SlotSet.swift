/// A set of slots as a bitmap: what a filter lets through.
///
/// Takes a bit for every slot up to the largest member; operations on whole sets go 64 slots at a time.
package struct SlotSet: Hashable, Sendable {
    /// Bit s % 64 of word s / 64 says whether slot s is a member; no word after the last that is not zero matters.
    private(set) var words: [UInt64] = []

    package init() {}

    /// The slots that `words` names; bit s % 64 of word s / 64 stands for slot s.
    package init(words: [UInt64]) { self.words = words }

    package init(_ slots: some Sequence<Slot>) {
        for slot in slots { insert(slot) }
    }

    /// How many members; O(words).
    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    package func contains(_ slot: Slot) -> Bool {
        let word = Int(slot.rawValue / 64)
        return word < words.count && words[word] & Self.bit(slot) != 0
    }

    package mutating func insert(_ slot: Slot) {
        let word = Int(slot.rawValue / 64)
        if word >= words.count { words += [UInt64](repeating: 0, count: word + 1 - words.count) }
        words[word] |= Self.bit(slot)
    }

    package mutating func remove(_ slot: Slot) {
        let word = Int(slot.rawValue / 64)
        if word < words.count { words[word] &= ~Self.bit(slot) }
    }

    package mutating func formUnion(_ other: SlotSet) {
        if words.count < other.words.count {
            words += [UInt64](repeating: 0, count: other.words.count - words.count)
        }
        for (index, word) in other.words.enumerated() { words[index] |= word }
    }

    package mutating func formIntersection(_ other: SlotSet) {
        if words.count > other.words.count { words.removeLast(words.count - other.words.count) }
        for index in words.indices { words[index] &= other.words[index] }
    }

    package mutating func subtract(_ other: SlotSet) {
        for index in 0..<min(words.count, other.words.count) { words[index] &= ~other.words[index] }
    }

    /// The members in rising order.
    package func forEach<E: Error>(_ body: (Slot) throws(E) -> Void) throws(E) {
        for (index, word) in words.enumerated() {
            var rest = word
            while rest != 0 {
                try body(Slot(rawValue: UInt32(index * 64 + rest.trailingZeroBitCount)))
                rest &= rest - 1
            }
        }
    }

    package static func == (a: SlotSet, b: SlotSet) -> Bool {
        let common = min(a.words.count, b.words.count)
        return a.words[..<common] == b.words[..<common] && a.words[common...].allSatisfy { $0 == 0 }
            && b.words[common...].allSatisfy { $0 == 0 }
    }

    package func hash(into hasher: inout Hasher) {
        forEach { hasher.combine($0) }
    }

    private static func bit(_ slot: Slot) -> UInt64 { 1 << UInt64(slot.rawValue % 64) }
}
