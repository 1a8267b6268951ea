internal import Catalog
internal import Platform

/// Turns the kernel's events into marks on the agenda. Its thread waits for nothing but the kernel, so that the queue
/// of events stays short; what is lost all the same becomes a rescan.
final class Watcher: Sendable {
    private let inotify: Inotify
    private let board: AgendaBoard
    let table: WatchTable
    /// The same, held from taking events to having noted them.
    private let queue: Monitor<Inotify>
    private let log = Log("watch")

    init(inotify: Inotify, board: AgendaBoard) {
        self.inotify = inotify
        self.board = board
        queue = Monitor(inotify)
        table = WatchTable(inotify: inotify)
    }

    /// The thread's body; returns after `stop`.
    func run() {
        while !board.isStopping {
            guard inotify.waitUntilReadable() else { continue }
            drain()
        }
    }

    func stop() { inotify.wake() }

    /// Notes everything that the kernel has told so far.
    func drain() {
        queue.update { inotify in
            do throws(SystemError) {
                while inotify.isReadable {
                    let events = try inotify.read()
                    if events.isEmpty { return }
                    receive(events)
                }
            } catch {
                log.error("\(error); looking at every file instead")
                board.update { $0.rescan(nil, isForced: false, at: .now) }
            }
        }
    }

    /// Notes events, in order.
    func receive(_ events: [Inotify.Event]) {
        let now = Instant.now
        // One lock for all; consecutive writes to one file are one event.
        var last: Inotify.Event?
        let marks = events.compactMap { event -> Mark? in
            defer { last = event }
            return event == last ? nil : mark(event)
        }
        guard !marks.isEmpty else { return }
        board.update { agenda in
            for mark in marks { mark.apply(to: &agenda, at: now) }
        }
    }

    /// One event as the agenda understands it.
    private enum Mark {
        case file(FileKey, Settling.Cause)
        case newDirectory(FileKey)
        case goneDirectory(FileKey)
        case suspectRoot(RootID)
        case everything

        func apply(to agenda: inout Agenda, at now: Instant) {
            switch self {
            case .file(let key, let cause): agenda.note(key, cause, at: now)
            case .newDirectory(let key): agenda.mark(key.root, key.path, due: now)
            case .goneDirectory(let key):
                agenda.sweep(key.root, key.path, due: now + agenda.configuration.removalDelay)
            case .suspectRoot(let root): agenda.mark(root, .root, due: now)
            case .everything: agenda.rescan(nil, isForced: false, at: now)
            }
        }
    }

    private func mark(_ event: Inotify.Event) -> Mark? {
        if event.change.contains(.overflowed) {
            log.warning("events came faster than the kernel's queue holds; looking at every file instead")
            return .everything
        }
        if event.change.contains(.ignored) {
            table.forget(event.watch)
            return nil
        }
        switch table.place(of: event.watch) {
        case .dying: return nil
        case .unknown: return .everything
        case .known(let place): return event.name.isEmpty ? mark(event.change, of: place) : mark(event, in: place)
        }
    }

    /// An event of the watched directory itself. A directory below a root is its parent's to tell of.
    private func mark(_ change: Inotify.Change, of place: FileKey) -> Mark? {
        let isAway = !change.isDisjoint(with: [.deletedSelf, .movedSelf, .unmounted])
        return isAway && place.path == .root ? .suspectRoot(place.root) : nil
    }

    private func mark(_ event: Inotify.Event, in place: FileKey) -> Mark? {
        let key = FileKey(root: place.root, path: place.path.appending(event.name))
        if event.change.contains(.isDirectory) {
            guard !FileNames.skipsDirectory(event.name) else { return nil }
            if event.change.contains(.movedFrom) { table.remove(key.root, key.path) }
            if !event.change.isDisjoint(with: [.movedFrom, .deleted]) { return .goneDirectory(key) }
            // A change of rights may have opened or closed it.
            return event.change.isDisjoint(with: [.created, .movedTo, .attributes]) ? nil : .newDirectory(key)
        }
        guard FileNames.verdict(event.name) != .skipped else { return nil }
        if !event.change.isDisjoint(with: [.closedAfterWriting, .movedTo]) { return .file(key, .closed) }
        if !event.change.isDisjoint(with: [.deleted, .movedFrom]) { return .file(key, .removed) }
        if !event.change.isDisjoint(with: [.created, .modified]) { return .file(key, .touched) }
        return event.change.contains(.attributes) ? .file(key, .attributes) : nil
    }
}
