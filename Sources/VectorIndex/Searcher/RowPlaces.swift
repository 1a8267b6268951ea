internal import CIndexKernels
internal import Platform
internal import Storage

/// Where the store's map has the vectors of slots, remembered for as long as the store does not change.
///
/// Finding a row costs a descent of the B+tree, a chain of cache misses; reading it costs one. In one snapshot of the store a row
/// lies where it lay, so searches between two commits share what they found. A commit makes everything forgotten, at no cost.
final class RowPlaces: Sendable {
    /// What was found in one snapshot.
    struct View {
        fileprivate let table: Table
        fileprivate let mark: UInt16

        /// Where the row of `slot` lies, if that is known.
        func place(of slot: UInt32) -> UnsafeRawPointer? { CIndexKernels_row_place(table.places, slot, mark) }

        func note(_ slot: UInt32, _ place: UnsafeRawPointer) {
            CIndexKernels_note_row_place(table.places, slot, mark, place)
        }
    }

    /// Good for 65,535 snapshots: then the marks are used up, and another table follows.
    fileprivate final class Table: @unchecked Sendable {
        // `@unchecked`: the C functions access entries atomically.
        let places: OpaquePointer

        init?() {
            guard let places = CIndexKernels_make_row_places() else { return nil }
            self.places = places
        }

        deinit { CIndexKernels_free_row_places(places) }
    }

    private struct State {
        var table: Table?
        var mark: UInt16 = 0
        var snapshot: Snapshot?
    }

    private let state = Monitor(State())

    /// What is known in `snapshot`; nil for a snapshot that is not the latest seen, and without memory.
    func view(of snapshot: Snapshot?) -> View? {
        guard let snapshot else { return nil }
        return state.update { state in
            if let latest = state.snapshot, latest != snapshot, !snapshot.isLater(than: latest) { return nil }
            if state.snapshot != snapshot {
                state.snapshot = snapshot
                if state.table == nil || state.mark == .max {
                    state.table = Table()
                    state.mark = 0
                }
                state.mark += 1
            }
            return state.table.map { View(table: $0, mark: state.mark) }
        }
    }
}
