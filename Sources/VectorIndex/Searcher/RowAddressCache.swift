internal import CIndexKernels
internal import Platform
internal import Storage

/// A cache of row addresses: where the store's map has the vectors of slots, valid for as long as the store does not
/// change.
///
/// Finding a row costs a descent of the B+tree, a chain of cache misses; reading it costs one. In one snapshot of the
/// store a row lies where it lay, so searches between two commits share what they found. A commit invalidates
/// everything, at no cost.
final class RowAddressCache: Sendable {
    /// What was found in one snapshot.
    struct View {
        fileprivate let table: Table
        fileprivate let tag: UInt16

        /// Where the row of `slot` lies, if that is known.
        func address(of slot: UInt32) -> UnsafeRawPointer? { CIndexKernels_row_address(table.addresses, slot, tag) }

        func store(_ address: UnsafeRawPointer, for slot: UInt32) {
            CIndexKernels_set_row_address(table.addresses, slot, tag, address)
        }
    }

    /// Good for 65,535 snapshots: then the tags are used up, and another table follows.
    fileprivate final class Table: @unchecked Sendable {
        // `@unchecked`: the C functions access entries atomically.
        let addresses: OpaquePointer

        init?() {
            guard let addresses = CIndexKernels_make_row_addresses() else { return nil }
            self.addresses = addresses
        }

        deinit { CIndexKernels_free_row_addresses(addresses) }
    }

    private struct State {
        var table: Table?
        var tag: UInt16 = 0
        var snapshot: Snapshot?
    }

    private let state = Monitor(State())

    /// What is known in `snapshot`; nil for a snapshot that is not the latest seen, and without memory.
    func view(of snapshot: Snapshot?) -> View? {
        guard let snapshot else { return nil }
        return state.withLockNotifyingAll { state in
            if let latest = state.snapshot, latest != snapshot, !snapshot.isLater(than: latest) { return nil }
            if state.snapshot != snapshot {
                state.snapshot = snapshot
                if state.table == nil || state.tag == .max {
                    state.table = Table()
                    state.tag = 0
                }
                state.tag += 1
            }
            return state.table.map { View(table: $0, tag: state.tag) }
        }
    }
}
