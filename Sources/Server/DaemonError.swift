package import Catalog
package import Embedding
package import Inference
package import Ingestion
package import ModelFiles
package import Platform

/// Why the daemon cannot do what a route asks: an error of a target below, or what is wrong with a name that a client
/// gave.
package enum DaemonError: Error, Sendable {
    case catalog(CatalogError)
    case embedding(EmbeddingError)
    case ingestion(IngestionError)
    case rule(RuleError)
    case model(ModelFileError, name: String)
    case system(SystemError)
    case unexpected(String)

    case collectionNotFound(name: String, known: [String])
    case collectionUnusable(name: String, reason: String)
    case collectionExists(name: String)
    case collectionIsBeingRemoved(name: String)
    /// The standard collection cannot be removed.
    case collectionIsStandard(name: String)
    case invalidCollectionName
    case tooManyCollections(limit: Int)

    /// An image's file is not there, or not the one that was indexed.
    case fileUnavailable(ImageID, cause: SystemError)
    case notInBackup(name: String)
    case unknownHead(String)
    case unknownPreprocessing(String)
    /// The settings name the model, or the head.
    case modelIsFixed
    case headIsFixed(Head)

    /// Whatever it is.
    package init(_ error: any Error) {
        switch error {
        case let error as DaemonError: self = error
        case let error as CatalogError: self = .catalog(error)
        case let error as EmbeddingError: self = .embedding(error)
        case let error as IngestionError: self = .ingestion(error)
        case let error as RuleError: self = .rule(error)
        case let error as SystemError: self = .system(error)
        default: self = .unexpected("\(error)")
        }
    }
}

extension DaemonError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .catalog(let error): error.description
        case .embedding(let error): error.description
        case .ingestion(let error): error.description
        case .rule(let error): "settings: \(error)"
        case .model(let error, _): error.description
        case .system(let error): error.description
        case .unexpected(let detail): detail
        case .collectionNotFound(let name, let known):
            "there is no collection \(name.prefix(64)); there are: \(Self.shown(known))\(Self.hint(name, known))"
        case .collectionUnusable(let name, let reason): "collection \(name) cannot be used: \(reason)"
        case .collectionExists(let name): "there is a collection \(name) already"
        case .collectionIsBeingRemoved(let name): "collection \(name) is still being removed"
        case .collectionIsStandard(let name):
            "collection \(name) is the one that is always there; take its folders out instead"
        case .invalidCollectionName: CollectionName.rule
        case .tooManyCollections(let limit): "there are \(limit) collections, which is the most that there can be"
        case .fileUnavailable(let id, let cause): "image \(id): its file cannot be read: \(cause)"
        case .notInBackup(let name): "\(name) is not part of a backup"
        case .unknownHead(let name):
            "head: '\(name)' is none of \(Head.allCases.map(\.rawValue).joined(separator: ", "))"
        case .unknownPreprocessing(let name): "preprocessing '\(name)' is neither keras nor torchvision"
        case .modelIsFixed:
            "the daemon was started with --weights or --model (or their variables or file); take that away first"
        case .headIsFixed(let head): "the settings say head \(head.rawValue); take that away first"
        }
    }

    private static func shown(_ known: [String]) -> String {
        known.prefix(8).joined(separator: ", ") + (known.count > 8 ? " and \(known.count - 8) more" : "")
    }

    private static func hint(_ name: String, _ known: [String]) -> String {
        nearestWord(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
    }
}
