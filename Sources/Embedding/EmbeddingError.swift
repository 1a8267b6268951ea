package import Imaging
package import Inference

/// Why an image has no vector.
package enum EmbeddingError: Error, Sendable, CustomStringConvertible {
    /// The backend failed and no other could take over.
    case backend(InferenceError)
    /// The image is at fault.
    case image(ImagingError)
    /// The query queue is full; ask again.
    case overloaded(waiting: Int)
    /// The daemon is stopping.
    case stopped

    package var description: String {
        switch self {
        case .backend(let error): error.description
        case .image(let error): error.description
        case .overloaded(let waiting): "\(waiting) queries are waiting already; try again in a second"
        case .stopped: "the daemon is stopping"
        }
    }
}
