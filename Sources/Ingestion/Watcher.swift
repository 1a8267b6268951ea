internal import Catalog
internal import Platform

/// Turns the kernel's events into changes of the scheduler state. Its thread waits for nothing but the kernel, so that the queue
/// of events stays short; what is lost all the same becomes a rescan.
final class Watcher: Sendable {
    private let inotify: Inotify
    private let workQueue: WorkQueue
    let table: WatchTable
    /// The same, held from taking events to having noted them.
    private let queue: Monitor<Inotify>
    private let log = Log("watch")

    init(inotify: Inotify, workQueue: WorkQueue) {
        self.inotify = inotify
        self.workQueue = workQueue
        queue = Monitor(inotify)
        table = WatchTable(inotify: inotify)
    }

    /// The thread's body; returns after `stop`.
    func run() {
        while !workQueue.isStopping {
            guard inotify.waitUntilReadable() else { continue }
            drain()
        }
    }

    func stop() { inotify.wake() }

    /// Notes everything that the kernel has told so far.
    func drain() {
        queue.withLockNotifyingAll { inotify in
            do throws(SystemError) {
                while inotify.isReadable {
                    let events = try inotify.read()
                    if events.isEmpty { return }
                    receive(events)
                }
            } catch {
                log.error("\(error); looking at every file instead")
                workQueue.update { $0.eventsLost(at: .now) }
            }
        }
    }

    /// Notes events, in order.
    func receive(_ events: [Inotify.Event]) {
        let now = Instant.now
        // One lock for all; consecutive writes to one file are one event.
        var last: Inotify.Event?
        let changes = events.compactMap { event -> Change? in
            defer { last = event }
            return event == last ? nil : change(event)
        }
        guard !changes.isEmpty else { return }
        workQueue.update { scheduler in
            for change in changes { change.apply(to: &scheduler, at: now) }
        }
    }

    /// One event as the scheduler understands it.
    private enum Change {
        case file(FileKey, Debouncer.Cause)
        /// It appeared, may be readable now, or is a root in whose place another may stand.
        case directory(FileKey)
        case removedDirectory(FileKey)
        case everything

        func apply(to scheduler: inout SchedulerState, at now: Instant) {
            switch self {
            case .file(let key, let cause): scheduler.fileChanged(key, cause, at: now)
            case .directory(let key): scheduler.directoryChanged(key, due: now)
            case .removedDirectory(let key): scheduler.directoryRemoved(key, at: now)
            case .everything: scheduler.eventsLost(at: now)
            }
        }
    }

    private func change(_ event: Inotify.Event) -> Change? {
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
        case .known(let place): return event.name.isEmpty ? change(event.change, of: place) : change(event, in: place)
        }
    }

    /// An event of the watched directory itself. A directory below a root is its parent's to tell of.
    private func change(_ change: Inotify.Change, of place: FileKey) -> Change? {
        let isAway = !change.isDisjoint(with: [.deletedSelf, .movedSelf, .unmounted])
        return isAway && place.path == .root ? .directory(place) : nil
    }

    private func change(_ event: Inotify.Event, in place: FileKey) -> Change? {
        let key = FileKey(root: place.root, path: place.path.appending(event.name))
        if event.change.contains(.isDirectory) {
            guard !FileNames.skipsDirectory(event.name) else { return nil }
            if event.change.contains(.movedFrom) { table.remove(key.root, key.path) }
            if !event.change.isDisjoint(with: [.movedFrom, .deleted]) { return .removedDirectory(key) }
            // A change of rights may have opened or closed it.
            return event.change.isDisjoint(with: [.created, .movedTo, .attributes]) ? nil : .directory(key)
        }
        guard FileNames.verdict(event.name) != .skipped else { return nil }
        if !event.change.isDisjoint(with: [.closedAfterWriting, .movedTo]) { return .file(key, .closed) }
        if !event.change.isDisjoint(with: [.deleted, .movedFrom]) { return .file(key, .removed) }
        if !event.change.isDisjoint(with: [.created, .modified]) { return .file(key, .touched) }
        return event.change.contains(.attributes) ? .file(key, .attributes) : nil
    }
}
