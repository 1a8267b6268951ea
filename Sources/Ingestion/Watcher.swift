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
        table = WatchTable(inotify: inotify, fileCapacity: workQueue.configuration.linkedCapacity)
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
        let rules = workQueue.read { $0.rules }
        var last: Inotify.Event?
        let changes = events.flatMap { event -> [Change] in
            defer { last = event }
            return event == last ? [] : translate(event, rules)
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
        /// An ignore file in it came, went or was written.
        case rules(FileKey)
        case removedDirectory(FileKey)
        /// An entry of it came or went.
        case entries(FileKey)
        case everything

        func apply(to scheduler: inout SchedulerState, at now: Instant) {
            switch self {
            case .file(let key, let cause): scheduler.fileChanged(key, cause, at: now)
            case .directory(let key): scheduler.directoryChanged(key, due: now)
            case .rules(let key): scheduler.directoryRulesChanged(key, at: now)
            case .removedDirectory(let key): scheduler.directoryRemoved(key, at: now)
            case .entries(let key): scheduler.entriesChanged(in: key, at: now)
            case .everything: scheduler.eventsLost(at: now)
            }
        }
    }

    private func translate(_ event: Inotify.Event, _ rules: [RootID: PathRules]) -> [Change] {
        if event.change.contains(.overflowed) {
            log.warning("events came faster than the kernel's queue holds; looking at every file instead")
            return [.everything]
        }
        if event.change.contains(.ignored) {
            table.forget(event.watch)
            return []
        }
        switch table.place(of: event.watch) {
        case .dying: return []
        case .unknown: return [.everything]
        case .file(let names):
            guard let cause = Self.cause(event.change) else { return [] }
            return names.map { .file($0, cause) }
        case .known(let place):
            guard let rules = rules[place.root] else { return [] }
            return event.name.isEmpty ? translate(event.change, of: place) : translate(event, in: place, rules)
        }
    }

    /// An event of the watched directory itself. A directory below a root is its parent's to tell of.
    private func translate(_ change: Inotify.Change, of place: FileKey) -> [Change] {
        let isAway = !change.isDisjoint(with: [.deletedSelf, .movedSelf, .unmounted])
        return isAway && place.path == .root ? [.directory(place)] : []
    }

    /// An event of an entry of the directory. Here the name and the root's own patterns decide; ignore files have the last
    /// word where the disk may be read.
    private func translate(_ event: Inotify.Event, in place: FileKey, _ rules: PathRules) -> [Change] {
        let key = FileKey(root: place.root, path: place.path.appending(event.name))
        let isCounted = !event.change.isDisjoint(with: [.created, .movedTo, .deleted, .movedFrom])
        var changes: [Change] = isCounted ? [.entries(place)] : []
        if event.change.contains(.isDirectory) {
            if event.change.contains(.movedFrom) { table.remove(key.root, key.path) }
            if !event.change.isDisjoint(with: [.movedFrom, .deleted]) {
                changes.append(.removedDirectory(key))
            } else if !event.change.isDisjoint(with: [.created, .movedTo, .attributes]) {
                // A change of rights may have opened or closed it.
                changes.append(.directory(key))
            }
        } else if rules.settings.ignoreFiles, IgnoreFile.names.contains(event.name) {
            if isCounted || event.change.contains(.closedAfterWriting) { changes.append(.rules(place)) }
        } else if let cause = Self.cause(event.change) {
            let verdict = rules.verdict(key.path, isFolder: false, IgnoreStack())
            if case .excluded = verdict { return changes }
            changes.append(.file(key, cause))
        }
        return changes
    }

    private static func cause(_ change: Inotify.Change) -> Debouncer.Cause? {
        if !change.isDisjoint(with: [.closedAfterWriting, .movedTo]) { return .closed }
        if !change.isDisjoint(with: [.deleted, .movedFrom]) { return .removed }
        if !change.isDisjoint(with: [.created, .modified]) { return .touched }
        return change.contains(.attributes) ? .attributes : nil
    }
}
