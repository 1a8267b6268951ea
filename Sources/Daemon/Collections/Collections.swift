internal import Catalog
internal import Ingestion
internal import Platform
internal import Server

/// All collections of the daemon: finds, makes and removes them.
///
/// One that cannot be opened keeps nothing from being served but itself: it stays in the list with the reason. The
/// standard one must open.
final class Collections: Sendable {
    private enum Entry {
        case open(ImageCollection)
        /// Cannot be used, and why.
        case unusable(String)
        /// Being closed and deleted.
        case leaving
    }

    private let folder: CollectionsFolder
    private let services: Services
    let configured: [String]
    let standard: ImageCollection
    private let entries: Monitor<[CollectionName: Entry]>
    /// Whether folders are watched. Held while collections or folders are added, so that no two can take the same
    /// place.
    private let changes = Monitor(false)
    private let log = Log("daemon")

    /// Opens what the state folder has.
    ///
    /// - Parameters:
    ///   - stateDirectory: where they lie.
    ///   - services: that they share.
    ///   - configured: folders that the settings name, which come back with the next start.
    /// - Throws: what keeps the standard collection from being opened.
    init(stateDirectory: String, services: Services, configured: [String] = []) throws {
        let folder = try CollectionsFolder(stateDirectory: stateDirectory)
        let standard = try ImageCollection(.standard, in: folder, services: services)
        var entries: [CollectionName: Entry] = [.standard: .open(standard)]
        for name in try folder.names() where name != .standard {
            do {
                guard entries.count < ServerLimits.collectionCount else { throw Self.tooMany }
                entries[name] = .open(try ImageCollection(name, in: folder, services: services))
            } catch {
                log.error("collection \(name) cannot be used: \(error)")
                entries[name] = .unusable("\(error)")
            }
        }
        self.folder = folder
        self.services = services
        self.configured = configured
        self.standard = standard
        self.entries = Monitor(entries)
    }

    // MARK: Life

    /// Begins to watch the folders of all.
    func start() throws {
        try changes.withLockNotifyingAll { (isStarted: inout Bool) throws in
            isStarted = true
            for collection in open {
                do { try collection.start() } catch {
                    guard collection !== standard else { throw error }
                    log.error("collection \(collection.id) cannot be used: \(error)")
                    collection.close()
                    entries.withLockNotifyingAll { $0[collection.id] = .unusable("\(error)") }
                }
            }
        }
    }

    /// Ends watching; what is embedded is committed. `close` follows.
    func stopWatching() { for collection in open { collection.stopWatching() } }

    func close() { for collection in open { collection.close() } }

    // MARK: Finding

    /// Those that can be used, by name.
    var open: [ImageCollection] {
        entries.withLock { entries in
            entries.sorted { $0.key < $1.key }.compactMap {
                if case .open(let collection) = $0.value { collection } else { nil }
            }
        }
    }

    /// Those that cannot, with the reasons, by name.
    var unusable: [UnusableCollection] {
        entries.withLock { entries in
            entries.sorted { $0.key < $1.key }.compactMap {
                if case .unusable(let reason) = $0.value {
                    UnusableCollection(name: $0.key.description, reason: reason)
                } else {
                    nil
                }
            }
        }
    }

    /// The collection with a name that a client gave; the standard one with nil.
    func find(_ text: String?) throws(DaemonError) -> ImageCollection {
        guard let text else { return standard }
        switch entry(text) {
        case .open(let collection): return collection
        case .unusable(let reason): throw .collectionUnusable(name: text, reason: reason)
        case .leaving, nil: throw unknown(text)
        }
    }

    private func entry(_ text: String) -> Entry? {
        CollectionName(text).flatMap { name in entries.withLock { $0[name] } }
    }

    private func unknown(_ text: String) -> DaemonError {
        .collectionNotFound(name: text, known: (open.map(\.name) + unusable.map(\.name)).sorted())
    }

    // MARK: Making and removing

    /// Runs `body` while no collection and no folder is added by others.
    func whileNothingIsAdded<R: Sendable>(_ body: () throws(DaemonError) -> R) throws(DaemonError) -> R {
        try changes.withLockNotifyingAll { (_) throws(DaemonError) in try body() }
    }

    private static let tooMany = DaemonError.tooManyCollections(limit: ServerLimits.collectionCount)

    /// Makes an empty collection: on disk when this returns.
    func create(_ text: String) throws(DaemonError) -> ImageCollection {
        guard let name = CollectionName(text) else { throw .invalidCollectionName }
        return try changes.withLockNotifyingAll { (isStarted: inout Bool) throws(DaemonError) -> ImageCollection in
            switch entry(text) {
            case nil: return try make(name, isStarted: isStarted)
            case .leaving: throw DaemonError.collectionIsBeingRemoved(name: text)
            case .open, .unusable: throw DaemonError.collectionExists(name: text)
            }
        }
    }

    private func make(_ name: CollectionName, isStarted: Bool) throws(DaemonError) -> ImageCollection {
        guard entries.withLock({ $0.count }) < ServerLimits.collectionCount else { throw Self.tooMany }
        do {
            try folder.create(name)
            do {
                let collection = try ImageCollection(name, in: folder, services: services)
                if isStarted { try collection.start() }
                entries.withLockNotifyingAll { $0[name] = .open(collection) }
                log.notice("created collection \(name)")
                return collection
            } catch {
                try? folder.remove(name)
                throw error
            }
        } catch { throw DaemonError(error) }
    }

    /// Takes a collection out with everything in it; the files in its folders stay. When this returns, no restart
    /// brings it back.
    func remove(_ text: String) throws(DaemonError) {
        guard let name = CollectionName(text) else { throw unknown(text) }
        guard name != .standard else { throw .collectionIsStandard(name: text) }
        let taken = entries.withLockNotifyingAll { entries -> Entry? in
            guard let entry = entries[name] else { return nil }
            if case .leaving = entry { return nil }
            entries[name] = .leaving
            return entry
        }
        guard let taken else { throw unknown(text) }
        // From here on no request finds it; those that did are waited for, and none writes below its folder any more.
        if case .open(let collection) = taken { collection.close() }
        do throws(SystemError) { try folder.remove(name) } catch {
            entries.withLockNotifyingAll { $0[name] = .unusable("it could not be removed: \(error)") }
            throw .system(error)
        }
        entries.withLockNotifyingAll { $0[name] = nil }
        log.notice("removed collection \(name)")
    }
}
