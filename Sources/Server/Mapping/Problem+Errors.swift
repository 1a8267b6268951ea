internal import Catalog
internal import Embedding
internal import Filters
internal import Glibc
internal import Imaging
internal import Inference
internal import Ingestion
internal import ModelFiles
internal import Platform
internal import Wire

/// Errors of the targets below as clients get them.
extension Problem {
    init(_ error: DaemonError) {
        switch error {
        case .catalog(let cause): self.init(cause)
        case .embedding(let cause): self.init(cause)
        case .ingestion(let cause): self.init(cause)
        case .rule: self.init(.badRequest, error.description)
        case .model(let cause, let name): self.init(cause, model: name)
        case .system(let cause) where [ENOSPC, EDQUOT].contains(cause.code):
            self.init(.storageFull, "no room to store: \(cause)", retryAfter: 60)
        case .system, .unexpected: self.init(.internal, error.description)
        case .collectionNotFound: self.init(.collectionNotFound, error.description)
        case .collectionUnusable: self.init(.notReady, error.description)
        case .collectionIsBeingRemoved: self.init(.conflict, error.description, retryAfter: 1)
        case .collectionExists, .collectionIsStandard, .tooManyCollections, .modelIsFixed, .headIsFixed:
            self.init(.conflict, error.description)
        case .invalidCollectionName, .unknownHead, .unknownPreprocessing: self.init(.badRequest, error.description)
        case .fileUnavailable, .notInBackup: self.init(.notFound, error.description)
        }
    }

    init(_ error: CatalogError) {
        switch error {
        case .storageFull: self.init(.storageFull, "\(error)", retryAfter: 60)
        case .unusableVector: self.init(.imageUnsupported, "\(error)")
        case .whiteningRefused, .consumerRefused: self.init(.conflict, "\(error)")
        case .corrupted, .fingerprintMismatch, .inUse, .newerFormat, .storage, .wrongDimension:
            self.init(.internal, "\(error)")
        }
    }

    private init(_ error: EmbeddingError) {
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

    private init(_ error: IngestionError) {
        switch error {
        case .notADirectory, .rootUnreadable, .wholeSystem, .kernelFileSystem, .insideStateFolder:
            self.init(.badRequest, error.description)
        case .overlapping: self.init(.conflict, error.description)
        case .noSuchRoot: self.init(.rootNotFound, error.description)
        case .catalog(let cause): self.init(cause)
        }
    }

    private init(_ error: ModelFileError, model name: String) {
        switch error {
        case .invalidModelName, .invalidManifest: self.init(.badRequest, error.description)
        case .modelExists: self.init(.conflict, "\(error); choose another name")
        case .modelNotFound: self.init(.notFound, "\(error); `likeness model list` shows which there are")
        // The file lies under a temporary name: say the model's.
        case .malformedWeights(_, let detail):
            self.init(.badRequest, "\(name): damaged or not a weight file: \(detail)")
        case .unsupportedNetwork(_, let detail):
            self.init(.badRequest, "\(name): not a sequence of 3x3 convolutions: \(detail)")
        case .unexpectedNetwork(_, let got, let expected): self.init(.badRequest, "\(name): \(got), not \(expected)")
        case .unwritable: self.init(.storageFull, error.description, retryAfter: 30)
        case .unreadableWeights: self.init(.internal, error.description)
        }
    }

    init(_ error: FilterError) { self.init(.badRequest, "\(error)") }

    /// Of a request body's file.
    init(storing error: SystemError) {
        let isFull = error.code == ENOSPC || error.code == EDQUOT
        self.init(isFull ? .storageFull : .internal, error.description)
    }

    /// A problem of a stable kind with a status that says more than the kind's own.
    init(_ kind: Kind, status: Int, _ detail: String, retryAfter: Int? = nil) {
        self.init(kind, detail, retryAfter: retryAfter)
        self.status = status
    }
}
