internal import Platform

/// Exact-match candidates: a hash table from a vector's hash to the slots that may hold it; 32 bits of the hash decide,
/// the stored bytes confirm.
///
/// Open addressing with linear probing, 8 bytes an entry at a load of at most 3/4: 11 to 22 bytes a vector.
/// Callable from every thread; the lock is held for one probe.
final class ExactMatchTable: Sendable {
    private struct State {
        /// tag << 32 | slot; `empty` and `tombstone` are slots beyond every real one.
        var entries: [UInt64]
        var used = 0
        var live = 0
    }

    private static let empty: UInt64 = 0xFFFF_FFFF
    private static let tombstone: UInt64 = 0xFFFF_FFFE

    private let state = Monitor(State(entries: [UInt64](repeating: empty, count: 64)))

    func insert(_ hash: UInt64, _ slot: Slot) {
        state.withLockNotifyingAll { state in
            if (state.used + 1) * 4 > state.entries.count * 3 { Self.rebuild(&state) }
            Self.put(&state, tag: UInt32(truncatingIfNeeded: hash), slot.rawValue)
        }
    }

    func remove(_ hash: UInt64, _ slot: Slot) {
        state.withLockNotifyingAll { state in
            let wanted = UInt64(UInt32(truncatingIfNeeded: hash)) << 32 | UInt64(slot.rawValue)
            let mask = state.entries.count - 1
            var at = Int(UInt32(truncatingIfNeeded: hash)) & mask
            while state.entries[at] & 0xFFFF_FFFF != Self.empty {
                if state.entries[at] == wanted {
                    state.entries[at] = Self.tombstone
                    state.live -= 1
                    return
                }
                at = (at + 1) & mask
            }
        }
    }

    /// Slots whose tag is that of `hash`: none or one, but for collisions.
    func candidates(_ hash: UInt64) -> [Slot] {
        state.withLock { state in
            let tag = UInt64(UInt32(truncatingIfNeeded: hash))
            let mask = state.entries.count - 1
            var at = Int(UInt32(truncatingIfNeeded: hash)) & mask
            var found: [Slot] = []
            while state.entries[at] & 0xFFFF_FFFF != Self.empty {
                let entry = state.entries[at]
                if entry >> 32 == tag, entry & 0xFFFF_FFFF != Self.tombstone {
                    found.append(Slot(rawValue: UInt32(truncatingIfNeeded: entry)))
                }
                at = (at + 1) & mask
            }
            return found
        }
    }

    var byteCount: Int { state.withLock { $0.entries.count * MemoryLayout<UInt64>.stride } }

    private static func put(_ state: inout State, tag: UInt32, _ slot: UInt32) {
        let mask = state.entries.count - 1
        var at = Int(tag) & mask
        while state.entries[at] & 0xFFFF_FFFF != empty { at = (at + 1) & mask }
        state.entries[at] = UInt64(tag) << 32 | UInt64(slot)
        state.used += 1
        state.live += 1
    }

    /// Doubles the table, or only clears the tombstones out when those fill it.
    private static func rebuild(_ state: inout State) {
        let old = state.entries
        let count = state.live * 2 >= old.count ? old.count * 2 : old.count
        state = State(entries: [UInt64](repeating: empty, count: count))
        for entry in old where entry & 0xFFFF_FFFF < tombstone {
            put(&state, tag: UInt32(truncatingIfNeeded: entry >> 32), UInt32(truncatingIfNeeded: entry))
        }
    }
}
