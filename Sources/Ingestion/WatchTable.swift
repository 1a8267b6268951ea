internal import Catalog
internal import Platform

/// Which directory each inotify watch belongs to.
///
/// The lock is held while a watch is added, so that no event can arrive for a number that is not in the table yet; that
/// call goes through `/proc/self/fd` and touches no disk.
final class WatchTable: Sendable {
    enum Place: Hashable, Sendable {
        case known(FileKey)
        /// Taken back; what is still in the queue means nothing.
        case dying
        case unknown
    }

    private struct State {
        var places: [Int32: FileKey] = [:]
        var watches: [FileKey: Int32] = [:]
        var dying: Set<Int32> = []
    }

    private let state = Monitor(State())
    private let inotify: Inotify

    init(inotify: Inotify) { self.inotify = inotify }

    /// Watched directories.
    var count: Int { state.withLock { $0.places.count } }

    /// Watches an open directory, which the events will call `place`.
    func add(_ directory: borrowing OwnedDescriptor, at place: FileKey) throws(SystemError) {
        let result: Result<Void, SystemError> = state.withLockNotifyingAll { state in
            do throws(SystemError) {
                let watch = try inotify.add(directory)
                state.dying.remove(watch)
                if let old = state.places.updateValue(place, forKey: watch), old != place, state.watches[old] == watch {
                    state.watches[old] = nil
                }
                if let replaced = state.watches.updateValue(watch, forKey: place), replaced != watch {
                    state.places[replaced] = nil
                    retire(replaced, &state)
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    func place(of watch: Int32) -> Place {
        state.withLockNotifyingAll { state in
            if let place = state.places[watch] { return .known(place) }
            return state.dying.contains(watch) ? .dying : .unknown
        }
    }

    /// The kernel ended the watch.
    func forget(_ watch: Int32) {
        state.withLockNotifyingAll { state in
            state.dying.remove(watch)
            if let place = state.places.removeValue(forKey: watch), state.watches[place] == watch {
                state.watches[place] = nil
            }
        }
    }

    /// Ends the watches of a directory and of all below it.
    ///
    /// - Complexity: O(watches).
    func remove(_ root: RootID, _ directory: RelativePath) {
        state.withLockNotifyingAll { state in
            for (place, watch) in state.watches where place.root == root && place.path.isWithin(directory) {
                state.watches[place] = nil
                state.places[watch] = nil
                retire(watch, &state)
            }
        }
    }

    private func retire(_ watch: Int32, _ state: inout State) {
        state.dying.insert(watch)
        inotify.remove(watch)
    }
}
