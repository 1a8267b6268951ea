/// What can go wrong between a network and its vectors.
package enum InferenceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The device is gone, or a submission did not end in time.
    case deviceLost(device: String, detail: String)
    /// No such device, or it lacks what the network needs. A state, not a fault.
    case deviceUnavailable(detail: String)
    /// A vector with NaN or infinity; the images' positions in the batch.
    case nonFinite(images: [Int])
    case outOfMemory(device: String, byteCount: Int)
    case unsupportedLayer(UnsupportedLayer)
    /// The layers do not fit each other, or the size of the image.
    case unsupportedNetwork(name: String, detail: String)

    package var description: String {
        switch self {
        case .deviceLost(let device, let detail): "device \(device) is lost: \(detail)"
        case .deviceUnavailable(let detail): "no usable device: \(detail)"
        case .nonFinite(let images): "images \(images) of a batch gave non-finite vectors"
        case .outOfMemory(let device, let byteCount): "\(device) has no \(byteCount) bytes left"
        case .unsupportedLayer(let layer): layer.description
        case .unsupportedNetwork(let name, let detail): "the network \(name) cannot be computed: \(detail)"
        }
    }
}
