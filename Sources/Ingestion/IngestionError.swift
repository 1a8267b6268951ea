package import Catalog
package import Platform

/// Why a root cannot be watched.
package enum IngestionError: Error, Sendable, CustomStringConvertible {
    case notADirectory(path: String)
    case rootUnreadable(path: String, cause: SystemError)
    /// One root inside another would index files twice.
    case overlapping(path: String, existing: String)
    case noSuchRoot(path: String)
    case catalog(CatalogError)

    package var description: String {
        switch self {
        case .notADirectory(let path): "\(path) is not a directory"
        case .rootUnreadable(let path, let cause): "cannot read \(path): \(cause)"
        case .overlapping(let path, let existing): "\(path) overlaps with the watched folder \(existing)"
        case .noSuchRoot(let path): "\(path) is not watched"
        case .catalog(let error): error.description
        }
    }
}
