internal import Inference
internal import ModelFiles

/// Which network the daemon runs with, and which head.
struct ModelChoice: Sendable {
    let model: Model
    let head: Head
    /// Flags or file name it, so that the socket cannot choose another.
    let isFixed: Bool

    /// `--weights` wins over `--model`, and that over the library's selection.
    init(_ configuration: Configuration, library: ModelLibrary) throws {
        if let file = configuration.weights {
            model = try Model.open(weights: file)
            head = try Self.head(configuration.head) ?? model.summary.defaultHead
        } else if let name = configuration.model {
            model = try library.open(name)
            head = try Self.head(configuration.head) ?? model.summary.defaultHead
        } else {
            let (selected, selectedHead) = try library.openSelected()
            model = selected
            head = try Self.head(configuration.head) ?? selectedHead
        }
        isFixed = configuration.weights != nil || configuration.model != nil
    }

    static func head(_ name: String?) throws(ConfigurationError) -> Head? {
        guard let name else { return nil }
        if let head = Head(rawValue: name) { return head }
        let list = Head.allCases.map(\.rawValue).joined(separator: ", ")
        throw ConfigurationError("head: '\(name)' is none of \(list)")
    }
}
