/// The internal id of a stored vector: its row number in memory and its key on disk.
///
/// Dense from 0; the slot of a removed vector is given to a later one.
package struct Slot: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static func < (a: Slot, b: Slot) -> Bool { a.rawValue < b.rawValue }

    package var description: String { String(rawValue) }

    /// Level 0 for 15 slots of 16, level 1 for 15 of the next 16, and so on: the distribution of HNSW with M = 16
    /// (arXiv:1603.09320, section 4.1), drawn from the slot's number so that no file has to keep it.
    var level: Int {
        var bits = UInt64(rawValue) &+ 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return min(bits.trailingZeroBitCount / 4, Slot.highestLevel)
    }

    static let highestLevel = 7
}
