internal import Catalog
internal import Embedding
internal import Glibc
internal import Imaging
internal import Ingestion
internal import Platform
internal import Server
internal import Wire

/// Errors of the rooms below as answers.
extension Problem {
    /// Whatever it is; what is a problem already stays as it is.
    init(cause: any Error) {
        switch cause {
        case let problem as Problem: self = problem
        case let error as CatalogError: self.init(error)
        case let error as IngestionError: self.init(error)
        case let error as SystemError where [ENOSPC, EDQUOT].contains(error.code):
            self.init(.storageFull, "no room to store: \(error)", retryAfter: 60)
        default: self.init(.internal, "\(cause)")
        }
    }

    init(_ error: EmbeddingError) {
        switch error {
        case .backend(let cause): self.init(.internal, "the vector could not be computed: \(cause)")
        case .image(let cause):
            switch cause.code {
            case .corrupt, .empty, .truncated: self.init(.imageCorrupt, "the image cannot be read: \(cause.detail)")
            case .limitExceeded: self.init(.imageTooLarge, "the image is beyond a limit: \(cause.detail)")
            case .unsupported: self.init(.imageUnsupported, "JPEG and PNG are read, not this: \(cause.detail)")
            }
        case .overloaded: self.init(.overloaded, error.description, retryAfter: 1)
        case .stopped: self.init(.daemonStopping, error.description, retryAfter: 5)
        }
    }

    init(_ error: IngestionError) {
        switch error {
        case .notADirectory, .rootUnreadable: self.init(.badRequest, error.description)
        case .overlapping: self.init(.conflict, error.description)
        case .noSuchRoot: self.init(.notFound, error.description)
        case .catalog(let cause): self.init(cause)
        }
    }
}
