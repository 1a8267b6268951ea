/// What can go wrong between weights and vectors.
package enum InferenceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The device is gone, or a submission did not end in time.
    case deviceLost(device: String, detail: String)
    /// No such device, or it lacks what the network needs. A state, not a fault.
    case deviceUnavailable(detail: String)
    case invalidManifest(String)
    /// Not `[A-Za-z0-9._-]{1,64}`, or a leading dot.
    case invalidModelName(String)
    case malformedWeights(file: String, detail: String)
    case modelExists(name: String)
    case modelNotFound(name: String)
    /// A vector with NaN or infinity; the images' positions in the batch.
    case nonFinite(images: [Int])
    case outOfMemory(device: String, byteCount: Int)
    /// A chain of convolutions, but not the one that was announced.
    case unexpectedNetwork(file: String, got: Architecture, expected: Architecture)
    case unreadableWeights(file: String, detail: String)
    /// The file is sound but is not a chain of 3x3 convolutions.
    case unsupportedNetwork(file: String, detail: String)
    case unwritable(file: String, detail: String)

    package var description: String {
        switch self {
        case .deviceLost(let device, let detail): "device \(device) is lost: \(detail)"
        case .deviceUnavailable(let detail): "no usable device: \(detail)"
        case .invalidManifest(let detail): "no manifest of a model: \(detail)"
        case .invalidModelName(let name):
            "\(name.debugDescription) cannot name a model: use up to 64 of A-Z a-z 0-9 . _ -"
        case .malformedWeights(let file, let detail): "\(file) is damaged or no weight file: \(detail)"
        case .modelExists(let name): "there is a model \(name) already"
        case .modelNotFound(let name): "there is no model \(name)"
        case .nonFinite(let images): "images \(images) of a batch gave non-finite vectors"
        case .outOfMemory(let device, let byteCount): "\(device) has no \(byteCount) bytes left"
        case .unexpectedNetwork(let file, let got, let expected): "\(file) holds \(got), not \(expected)"
        case .unreadableWeights(let file, let detail): "cannot read \(file): \(detail)"
        case .unsupportedNetwork(let file, let detail): "\(file) is no chain of 3x3 convolutions: \(detail)"
        case .unwritable(let file, let detail): "cannot write \(file): \(detail)"
        }
    }
}
