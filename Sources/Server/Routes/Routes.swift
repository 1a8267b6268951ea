internal import Catalog
internal import Platform
internal import Wire

/// The routes: what each takes, who may use it, and what it does.
struct Routes: Sendable {
    let control: any DaemonControl
    let limits: ServerLimits
    let metrics: ServerMetrics
    let warnings = RecentWarnings()
    let maintenance = MaintenanceClaim.Current(nil)

    var table: [Route] {
        healthRoutes + searchRoutes + imageRoutes + collectionRoutes + administrativeRoutes + modelRoutes
            + whiteningRoutes + maintenanceRoutes + pageRoutes
    }
}

extension Routes {
    /// Asks the daemon, whose errors become problems here.
    func ask<R: ~Copyable>(_ question: @autoclosure () throws(DaemonError) -> R) throws(Problem) -> R {
        do throws(DaemonError) { return try question() } catch { throw Problem(error) }
    }

    /// The folders of a collection, for the paths of one reply: also those that are just being taken off the list.
    func rootPaths(of collection: any ServedCollection) throws(Problem) -> RootPaths {
        RootPaths(try stored(collection) { (catalog) throws(CatalogError) in try catalog.namedRoots() })
    }

    /// The image of a collection that a path names. An id is digits only: no path of a client is ever opened.
    func image(_ text: String, in collection: any ServedCollection) throws(Problem) -> ImageRecord {
        let id = try imageID(text)
        guard let record = try stored(collection, { (catalog) throws(CatalogError) in try catalog.image(id) }) else {
            throw Problem(.notFound, "there is no image \(id)")
        }
        return record
    }

    func imageID(_ text: String) throws(Problem) -> ImageID {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(text) else {
            throw Problem(.badRequest, "\(text.prefix(64)) is not an image id; an id is a number")
        }
        return ImageID(rawValue: number)
    }
}
