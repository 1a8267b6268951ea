internal import Catalog
internal import Filters
internal import Ingestion
internal import Platform
internal import Server

/// Folders across collections: each belongs to one, so that its path says which.
extension Collections {
    /// Watches a folder for a collection; the standard one with nil.
    ///
    /// - Throws: `.overlapping` for one that overlaps with a folder of another collection, as within one.
    func addRoot(
        _ path: String,
        to text: String?,
        settings patch: [String: JSONValue]
    ) throws(DaemonError) -> (root: RootStatus, collection: String) {
        try whileNothingIsAdded { () throws(DaemonError) in
            let collection = try find(text)
            do {
                if let taken = try overlapping(path, outside: collection) {
                    throw IngestionError.overlapping(path: path, existing: taken)
                }
                return (try collection.addRoot(path, patch), collection.name)
            } catch { throw failure(error, of: collection) }
        }
    }

    /// A watched folder of another collection that contains `path` or lies below it.
    private func overlapping(_ path: String, outside collection: ImageCollection) throws -> String? {
        let location = RootLocation(path)
        // One that cannot be resolved cannot be watched either; that is told by whom it is given to.
        guard location.resolved != nil else { return nil }
        for other in open where other !== collection {
            if let taken = try other.store.roots().first(where: location.overlaps) {
                return "\(taken.path) of collection \(other.id)"
            }
        }
        return nil
    }

    /// The error, or that the collection is not there, where it was removed meanwhile.
    private func failure(_ error: any Error, of collection: ImageCollection) -> DaemonError {
        do throws(DaemonError) {
            _ = try find(collection.name)
            return DaemonError(error)
        } catch { return error }
    }

    /// Watches a folder of the settings, whose collection is made when it is not there yet.
    func watch(_ path: String, for name: CollectionName) throws(DaemonError) {
        do throws(DaemonError) { _ = try find(name.description) } catch .collectionNotFound {
            _ = try create(name.description)
        }
        _ = try addRoot(path, to: name.description, settings: [:])
    }

    /// Gives a watched folder other settings.
    ///
    /// - Throws: `.noSuchRoot` for a folder that is not watched.
    func changeRoot(
        _ path: String,
        of text: String?,
        settings patch: [String: JSONValue]
    ) throws(DaemonError) -> (root: RootStatus, collection: String) {
        let location = RootLocation(path)
        for collection in try chosen(text) where collection.work.roots.contains(where: { location.names($0.root) }) {
            return try addRoot(path, to: collection.name, settings: patch)
        }
        throw .ingestion(.noSuchRoot(path: path))
    }

    /// Stops watching a folder and forgets its images.
    ///
    /// - Parameters:
    ///   - path: the folder.
    ///   - text: the collection that it must belong to; nil: any.
    /// - Returns: whether the settings name it, so that it is watched again at the next start.
    /// - Throws: `.notFound` when it does not.
    func removeRoot(_ path: String, from text: String?) throws(DaemonError) -> Bool {
        for collection in try chosen(text) {
            do {
                let root = try collection.removeRoot(path)
                return configured.contains { RootLocation($0).names(root) }
            } catch IngestionError.noSuchRoot {
                continue
            } catch { throw failure(error, of: collection) }
        }
        throw .ingestion(.noSuchRoot(path: path))
    }

    /// Takes the files that are missing in a root, as it stands there now, for gone.
    func acceptMissing(in path: String, of text: String?) throws(DaemonError) {
        for collection in try chosen(text) {
            do {
                return try collection.acceptMissing(in: path)
            } catch IngestionError.noSuchRoot {
                continue
            } catch { throw failure(error, of: collection) }
        }
        throw .ingestion(.noSuchRoot(path: path))
    }

    /// Looks at what lies at a path at or below a root again, or at all of a collection, or at all.
    func rescan(_ path: RelativePath?, in text: String?) throws(DaemonError) {
        let place = path.map { RootLocation($0) }
        // Every one is asked, whatever the first says.
        let isKnown = try chosen(text).map { $0.rescan(place) }.contains(true)
        if let path, !isKnown { throw .ingestion(.noSuchRoot(path: path.description)) }
    }

    func setLoading(isPaused: Bool, of path: String?, in text: String?, drops: Bool) throws(DaemonError) {
        let place = path.map { RootLocation($0) }
        var isKnown = false
        for collection in try chosen(text) {
            do {
                if try collection.setLoading(isPaused: isPaused, of: place, drops: drops) { isKnown = true }
            } catch { throw failure(error, of: collection) }
        }
        if let path, !isKnown { throw .ingestion(.noSuchRoot(path: path)) }
    }

    func retryFailures(kind: String?, below path: RelativePath?, in text: String?) throws(DaemonError) -> Int {
        let place = path.map { RootLocation($0) }
        var count: Int?
        for collection in try chosen(text) {
            do throws(CatalogError) {
                if let queued = try collection.retryFailures(kind: kind, below: place) { count = (count ?? 0) + queued }
            } catch { throw failure(error, of: collection) }
        }
        guard let count else { throw .ingestion(.noSuchRoot(path: path?.description ?? "")) }
        return count
    }

    /// One collection, or all of them with nil.
    func chosen(_ text: String?) throws(DaemonError) -> [ImageCollection] {
        guard let text else { return open }
        return [try find(text)]
    }
}

extension Collections: CollectionControl {
    var statuses: [CollectionStatus] { open.map(\.status) }
}
