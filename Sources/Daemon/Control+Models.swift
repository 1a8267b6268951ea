internal import Inference
internal import Wire

/// The library of models over the socket.
extension Control {
    func models() throws(Problem) -> [ModelBody] {
        let listing: ModelLibrary.Listing
        do { listing = try library.list() } catch { throw Problem(.internal, "\(error)") }
        var bodies = listing.models.map { ModelBody($0, inUse: $0.name == facts.model.name && !facts.modelIsFile) }
        if facts.modelIsFile { bodies.append(facts.model) }
        return bodies
    }

    func importModel(
        name: String,
        temporaryFile: String,
        preprocessing: String?,
        head: String?
    ) throws(Problem) -> ModelBody {
        let kinds = ["keras": Preprocessing.keras, "torchvision": .torchvision]
        if let preprocessing, kinds[preprocessing] == nil {
            throw Problem(.badRequest, "preprocessing '\(preprocessing)' is neither keras nor torchvision")
        }
        let chosenHead = try self.head(head) ?? .max
        do {
            let summary = try library.importModel(
                from: temporaryFile,
                as: name,
                preprocessing: preprocessing.flatMap { kinds[$0] },
                defaultHead: chosenHead
            )
            return ModelBody(summary, inUse: false)
        } catch { throw Self.problem(error, name: name) }
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
        do throws(InferenceError) {
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

    private static func problem(_ error: InferenceError, name: String) -> Problem {
        switch error {
        case .invalidModelName: Problem(.badRequest, error.description)
        case .modelExists: Problem(.conflict, "\(error); choose another name")
        case .modelNotFound: Problem(.notFound, "\(error); `likeness model list` shows which there are")
        // The file lies under a temporary name: say the model's.
        case .malformedWeights(_, let detail): Problem(.badRequest, "\(name): damaged or no weight file: \(detail)")
        case .unsupportedNetwork(_, let detail):
            Problem(.badRequest, "\(name): not a chain of 3x3 convolutions: \(detail)")
        case .unwritable: Problem(.storageFull, error.description, retryAfter: 30)
        case .deviceLost, .deviceUnavailable, .nonFinite, .outOfMemory, .unreadableWeights:
            Problem(.internal, error.description)
        }
    }
}
