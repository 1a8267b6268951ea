package import Catalog
package import Platform

/// Why a root cannot be watched.
package enum IngestionError: Error, Sendable, CustomStringConvertible {
    case notADirectory(path: String)
    case rootUnreadable(path: String, cause: SystemError)
    /// One root inside another would index files twice.
    case overlapping(path: String, existing: String)
    /// It is `/`.
    case wholeSystem(path: String)
    /// Its files are values and devices of the kernel.
    case kernelFileSystem(path: String, name: String)
    /// The daemon would index its own index.
    case insideStateFolder(path: String, state: String)
    case noSuchRoot(path: String)
    case catalog(CatalogError)

    package var description: String {
        switch self {
        case .notADirectory(let path): "\(path) is not a directory"
        case .rootUnreadable(let path, let cause): "cannot read \(path): \(cause)"
        case .overlapping(let path, let existing): "\(path) overlaps with the watched folder \(existing)"
        case .wholeSystem(let path): "\(path) is the whole system; watch the folders that hold pictures"
        case .kernelFileSystem(let path, let name):
            "\(path) is the kernel's own (\(name)) and holds no pictures; watch another folder"
        case .insideStateFolder(let path, let state):
            "\(path) lies in the daemon's state folder \(state); watch another folder, or move that one with --state"
        case .noSuchRoot(let path): "\(path) is not watched"
        case .catalog(let error): error.description
        }
    }
}
