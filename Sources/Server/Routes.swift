package import Catalog
package import Wire

/// The routes: what each takes, who may use it, and what it does.
struct Routes: Sendable {
    let control: any DaemonControl
    let limits: ServerLimits
    let metrics: ServerMetrics
    let warnings = RecentWarnings()

    var table: [Route] {
        healthRoutes + searchRoutes + imageRoutes + collectionRoutes + administrativeRoutes + modelRoutes
            + whiteningRoutes + maintenanceRoutes + pageRoutes
    }
}

extension Problem {
    /// A collection's error as the client gets it.
    package init(_ error: CatalogError) {
        switch error {
        case .storageFull: self.init(.storageFull, "\(error)", retryAfter: 60)
        case .unusableVector: self.init(.imageUnsupported, "\(error)")
        case .whiteningRefused, .consumerRefused: self.init(.conflict, "\(error)")
        case .corrupted, .fingerprintMismatch, .inUse, .newerFormat, .storage, .wrongDimension:
            self.init(.internal, "\(error)")
        }
    }
}

extension Routes {
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
            throw Problem(.badRequest, "an image's id is a number")
        }
        return ImageID(rawValue: number)
    }
}
