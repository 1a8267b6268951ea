internal import Foundation
internal import Inference
internal import ModelFiles
internal import Server
internal import Wire

/// The library of models over the socket.
extension Control {
    func models() throws(Problem) -> ModelList {
        do throws(ModelFileError) {
            var bodies = try library.list().models.map {
                ModelBody($0, inUse: $0.name == facts.model.name && !facts.modelIsFile)
            }
            if facts.modelIsFile { bodies.append(facts.model) }
            return ModelList(models: bodies, fetchable: try ModelManifest.embedded().compactMap(FetchableModel.init))
        } catch { throw Problem(.internal, "\(error)") }
    }

    func importModel(_ request: ModelImport) throws(Problem) -> ModelBody {
        let head = try self.head(request.head)
        let preprocessing = try self.preprocessing(request.preprocessing)
        let summary: ModelSummary
        do throws(ModelFileError) {
            if let manifest = request.manifest {
                guard preprocessing == nil else {
                    throw ModelFileError.invalidManifest("it says the preprocessing; give one of the two")
                }
                summary = try library.importModel(
                    from: request.temporaryFile,
                    as: request.name,
                    manifest: manifest.hasPrefix("{")
                        ? ModelManifest(json: Data(manifest.utf8), origin: "the given one")
                        : ModelManifest.embedded(manifest),
                    defaultHead: head
                )
            } else {
                summary = try library.importModel(
                    from: request.temporaryFile,
                    as: request.name,
                    preprocessing: preprocessing,
                    defaultHead: head ?? .max
                )
            }
        } catch { throw Self.problem(error, name: request.name) }
        return ModelBody(summary, inUse: false)
    }

    private func preprocessing(_ name: String?) throws(Problem) -> Preprocessing? {
        guard let name else { return nil }
        guard let kind = ["keras": Preprocessing.keras, "torchvision": .torchvision][name] else {
            throw Problem(.badRequest, "preprocessing '\(name)' is neither keras nor torchvision")
        }
        return kind
    }

    var temporaryDirectory: String { facts.folder.temporary }

    func useModel(name: String, head: String?) throws(Problem) {
        guard !facts.modelIsFixed else {
            throw Problem(
                .conflict,
                "the daemon was started with --weights or --model (or their variables or file); take that away first"
            )
        }
        let chosenHead = try self.head(head)
        if let fixed = facts.fixedHead, let chosenHead, chosenHead != fixed {
            throw Problem(.conflict, "the settings say head \(fixed.rawValue); take that away first")
        }
        let wanted: Head
        do throws(ModelFileError) {
            // Checks every byte: a daemon that finds a damaged model at its restart could only end.
            let model = try library.open(name)
            wanted = facts.fixedHead ?? chosenHead ?? model.summary.defaultHead
            try library.select(name, head: wanted)
        } catch { throw Self.problem(error, name: name) }
        if name != facts.model.name || wanted != facts.head { Signals.requestRestart() }
    }

    private func head(_ name: String?) throws(Problem) -> Head? {
        do { return try ModelChoice.head(name) } catch { throw Problem(.badRequest, error.description) }
    }

    private static func problem(_ error: ModelFileError, name: String) -> Problem {
        switch error {
        case .invalidModelName, .invalidManifest: Problem(.badRequest, error.description)
        case .modelExists: Problem(.conflict, "\(error); choose another name")
        case .modelNotFound: Problem(.notFound, "\(error); `likeness model list` shows which there are")
        // The file lies under a temporary name: say the model's.
        case .malformedWeights(_, let detail): Problem(.badRequest, "\(name): damaged or no weight file: \(detail)")
        case .unsupportedNetwork(_, let detail):
            Problem(.badRequest, "\(name): not a sequence of 3x3 convolutions: \(detail)")
        case .unexpectedNetwork(_, let got, let expected): Problem(.badRequest, "\(name): \(got), not \(expected)")
        case .unwritable: Problem(.storageFull, error.description, retryAfter: 30)
        case .unreadableWeights: Problem(.internal, error.description)
        }
    }
}

extension FetchableModel {
    /// Nil where nothing can be fetched.
    init?(_ manifest: ModelManifest) {
        guard let source = manifest.source else { return nil }
        self.init(
            name: manifest.name,
            aliases: manifest.aliases,
            description: manifest.description,
            licence: manifest.licence,
            source: Source(
                address: source.address,
                format: source.format.rawValue,
                bytes: source.byteCount,
                sha256: source.sha256,
                md5: source.md5
            )
        )
    }
}
