internal import Catalog
internal import Platform

/// A debouncer for file events: it holds every file that something happened to until the file is quiescent, so that a
/// stream of writes costs one read and no file is read half written. It has no clock of its own.
///
/// A file that was closed after writing or moved into place is quiescent after `closedDelay`. A file that was linked,
/// truncated, touched or written through a map sends no close; it is quiescent when two looks `probeInterval` apart
/// agree. A deleted file is looked at after `removalDelay`, so that its new name is read first.
struct Debouncer: Sendable {
    enum Cause: Hashable, Sendable {
        /// CLOSE_WRITE, MOVED_TO.
        case closed
        /// CREATE, MODIFY, or found by a scan while young.
        case touched
        /// ATTRIB: the bytes may have been changed through a map.
        case attributes
        /// DELETE, MOVED_FROM.
        case removed
        /// Read shortly after it changed: compare once more, and then as `later`. Nobody waits for this.
        case recheck
        /// Read because of an event: compare twice more, after a quarter of a minute and after a whole one, because a writer
        /// may pause, or write through a map, which sends no event. Nobody waits for this either.
        case later

        /// A look after the reading, which yields to every event and is dropped first.
        var isLook: Bool { self == .recheck || self == .later }
    }

    private struct Entry {
        var cause: Cause
        var due: Instant
        var first: Instant
        var seen: FileStatus?
        /// Later looks that were made.
        var lookCount = 0
    }

    private var entries: [FileKey: Entry] = [:]
    private var deadlines = Deadlines<FileKey>()
    private var waiting: [RootID: Int] = [:]
    /// Entries that nobody waits for. They have room of their own beside the others: a quarter.
    private var lookingCount = 0
    /// Files that may turn out to be new names of others: all but deletions and rechecks.
    private(set) var arrivingCount = 0
    private let configuration: IngestionConfiguration

    init(configuration: IngestionConfiguration) { self.configuration = configuration }

    /// Files that somebody waits for; rechecks are not among them.
    func waitingCount(in root: RootID) -> Int { waiting[root] ?? 0 }

    /// When `takeDue` has something, at the earliest.
    var nextDue: Instant? { deadlines.earliest }

    /// Records an event.
    ///
    /// - Returns: false when the table is full: the caller schedules a scan of the directory instead.
    mutating func record(_ key: FileKey, _ cause: Cause, at now: Instant) -> Bool {
        guard var entry = entries[key] else {
            let isFull =
                cause.isLook
                ? lookingCount >= configuration.debounceCapacity / 4
                : entries.count - lookingCount >= configuration.debounceCapacity
            if isFull { return cause.isLook }
            store(Entry(cause: cause, due: now + delay(of: cause), first: now, seen: nil), key)
            return true
        }
        switch (cause, entry.cause) {
        case (.recheck, .later), (.later, .later):
            // Read anew: its looks begin anew.
            entry = Entry(cause: cause, due: now + delay(of: cause), first: now, seen: nil)
        case (.recheck, _), (.later, _):
            return true
        case (.attributes, .closed):
            // Copying tools set times and owners after the close.
            entry.due = max(entry.due, now + configuration.closedDelay)
        case (.touched, .touched), (.attributes, .touched), (.attributes, .attributes), (.touched, .attributes):
            entry.seen = nil
            entry.due = now + configuration.probeInterval
        default:
            if entry.cause.isLook { entry.first = now }
            entry.lookCount = 0
            entry.cause = cause
            entry.seen = nil
            entry.due = now + delay(of: cause)
        }
        store(entry, key)
        return true
    }

    /// Keeps a deletion for another short while.
    mutating func postponeRemoval(_ key: FileKey, since first: Instant, at now: Instant) {
        guard entries[key] == nil else { return }
        store(Entry(cause: .removed, due: now + configuration.probeInterval, first: first, seen: nil), key)
    }

    /// Takes one file whose time has come, to be probed or checked; nil when there is none.
    mutating func takeDue(at now: Instant) -> ScanTask? {
        while let (_, key) = deadlines.take(at: now) {
            guard var entry = entries[key] else { continue }
            guard entry.due <= now else {
                deadlines.insert(key, due: entry.due)
                continue
            }
            switch entry.cause {
            case .recheck, .later:
                lookAgain(key, entry, at: now)
                return .check(key, entry.cause, since: entry.first)
            case .closed, .removed:
                remove(key)
                return .check(key, entry.cause, since: entry.first)
            case .touched, .attributes:
                entry.due = now + configuration.probeInterval
                store(entry, key)
                deadlines.insert(key, due: entry.due)
                return .probe(key)
            }
        }
        return nil
    }

    /// Schedules the look that follows this one, if there is one.
    private mutating func lookAgain(_ key: FileKey, _ entry: Entry, at now: Instant) {
        var next = entry
        if entry.cause == .later { next.lookCount += 1 }
        guard next.lookCount < configuration.laterLooks.count else { return remove(key) }
        next.cause = .later
        next.due = entry.first + configuration.laterLooks[next.lookCount]
        store(next, key)
        deadlines.insert(key, due: next.due)
    }

    /// Tells what a probe saw; nil: nothing is there.
    ///
    /// - Returns: true when the file is quiescent and is the caller's to check; it is in the table no longer.
    mutating func observe(_ key: FileKey, _ status: FileStatus?, at now: Instant) -> Bool {
        guard var entry = entries[key], entry.cause == .touched || entry.cause == .attributes else { return false }
        guard let status, entry.seen != status else {
            remove(key)
            return true
        }
        if now - entry.first > configuration.quiescenceTimeout {
            remove(key)
            return false
        }
        entry.seen = status
        store(entry, key)
        return false
    }

    /// Forgets all files of a root.
    mutating func removeAll(in root: RootID) {
        for (key, entry) in entries where key.root == root { count(root, entry.cause, -1) }
        entries = entries.filter { $0.key.root != root }
        waiting[root] = nil
    }

    private func delay(of cause: Cause) -> Double {
        switch cause {
        case .closed: configuration.closedDelay
        case .touched, .attributes: configuration.probeInterval
        case .removed: configuration.removalDelay
        // A little more than the window, so that the file is outside it.
        case .recheck: configuration.racyWindow * 1.1
        case .later: configuration.laterLooks.first ?? 0
        }
    }

    private mutating func store(_ entry: Entry, _ key: FileKey) {
        let old = entries.updateValue(entry, forKey: key)
        count(key.root, old?.cause, -1)
        count(key.root, entry.cause, 1)
        // The heap always holds a time for each key that is not later than its due: a later one is found when the earlier
        // comes up, so that a stream of writes does not grow the heap.
        guard let old, old.due <= entry.due else {
            deadlines.insert(key, due: entry.due)
            return
        }
    }

    private mutating func remove(_ key: FileKey) {
        let old = entries.removeValue(forKey: key)
        count(key.root, old?.cause, -1)
    }

    private mutating func count(_ root: RootID, _ cause: Cause?, _ step: Int) {
        guard let cause else { return }
        guard !cause.isLook else {
            lookingCount += step
            return
        }
        waiting[root, default: 0] += step
        if cause != .removed { arrivingCount += step }
    }
}
