internal import Catalog
internal import Platform

/// Which directory each inotify watch belongs to, and which names a watched file has: one with several hard links is
/// watched by itself, since a write through one name sends no event to the directories of the others.
///
/// The lock is held while a watch is added, so that no event can arrive for a number that is not in the table yet; that
/// call goes through `/proc/self/fd` and touches no disk.
final class WatchTable: Sendable {
    enum Place: Hashable, Sendable {
        case known(FileKey)
        /// A file, by all its names that are known.
        case file([FileKey])
        /// Taken back; what is still in the queue means nothing.
        case dying
        case unknown
    }

    private struct State {
        var places: [Int32: FileKey] = [:]
        var watches: [FileKey: Int32] = [:]
        var dying: Set<Int32> = []
        /// Of files.
        var names: [Int32: Set<FileKey>] = [:]
        var files: [FileKey: Int32] = [:]
    }

    private let state = Monitor(State())
    private let inotify: Inotify
    private let fileCapacity: Int

    init(inotify: Inotify, fileCapacity: Int) {
        self.inotify = inotify
        self.fileCapacity = fileCapacity
    }

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
            if let names = state.names[watch] { return .file(Array(names)) }
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
            for name in state.names.removeValue(forKey: watch) ?? [] { state.files[name] = nil }
        }
    }

    // MARK: Files

    /// Watches an open file under one of its names.
    ///
    /// - Returns: false when so many files are watched already that it is not.
    func add(file: borrowing OwnedDescriptor, named name: FileKey) throws(SystemError) -> Bool {
        let result: Result<Bool, SystemError> = state.withLockNotifyingAll { state in
            // A file that is watched already needs no room, but its number is known only afterwards.
            guard state.names.count < fileCapacity || state.files[name] != nil else { return .success(false) }
            do throws(SystemError) {
                let watch = try inotify.add(file: file)
                state.dying.remove(watch)
                if let old = state.files[name], old != watch { drop(name, of: old, &state) }
                state.names[watch, default: []].insert(name)
                state.files[name] = watch
                return .success(true)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Notes another name of a watched file; nothing happens where that is not watched.
    func addName(_ name: FileKey, beside known: FileKey) {
        state.withLockNotifyingAll { state in
            guard let watch = state.files[known], state.files[name] != watch else { return }
            if let old = state.files[name] { drop(name, of: old, &state) }
            state.names[watch]?.insert(name)
            state.files[name] = watch
        }
    }

    /// The file of a name is gone, or has only this one: its directory tells enough.
    func removeName(_ name: FileKey) {
        state.withLockNotifyingAll { state in
            if let watch = state.files[name] { drop(name, of: watch, &state) }
        }
    }

    /// Files that are watched by themselves.
    var fileCount: Int { state.withLock { $0.names.count } }

    private func drop(_ name: FileKey, of watch: Int32, _ state: inout State) {
        state.files[name] = nil
        state.names[watch]?.remove(name)
        guard state.names[watch]?.isEmpty == true else { return }
        state.names[watch] = nil
        retire(watch, &state)
    }

    // MARK: Removal

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
            for (name, watch) in state.files where name.root == root && name.path.isWithin(directory) {
                drop(name, of: watch, &state)
            }
        }
    }

    private func retire(_ watch: Int32, _ state: inout State) {
        state.dying.insert(watch)
        inotify.remove(watch)
    }
}
