package import Inference

/// What can be wrong with a weight file, a manifest or the library of models.
package enum ModelFileError: Error, Sendable, Equatable, CustomStringConvertible {
    case invalidManifest(String)
    /// Not `[A-Za-z0-9._-]{1,64}`, or a leading dot.
    case invalidModelName(String)
    case malformedWeights(file: String, detail: String)
    case modelExists(name: String)
    case modelNotFound(name: String)
    /// A network, but not the one that was announced.
    case unexpectedNetwork(file: String, got: Architecture, expected: Architecture)
    case unreadableWeights(file: String, detail: String)
    /// The file is intact but its network is not a plain sequence of 3x3 convolutions and 2x2 max pools.
    case unsupportedNetwork(file: String, detail: String)
    case unwritable(file: String, detail: String)

    package var description: String {
        switch self {
        case .invalidManifest(let detail): "no manifest of a model: \(detail)"
        case .invalidModelName(let name):
            "\(name.debugDescription) cannot name a model: use up to 64 of A-Z a-z 0-9 . _ -"
        case .malformedWeights(let file, let detail): "\(file) is damaged or no weight file: \(detail)"
        case .modelExists(let name): "there is a model \(name) already"
        case .modelNotFound(let name): "there is no model \(name)"
        case .unexpectedNetwork(let file, let got, let expected): "\(file) holds \(got), not \(expected)"
        case .unreadableWeights(let file, let detail): "cannot read \(file): \(detail)"
        case .unsupportedNetwork(let file, let detail): "\(file) is not a sequence of 3x3 convolutions: \(detail)"
        case .unwritable(let file, let detail): "cannot write \(file): \(detail)"
        }
    }
}
