/// A layer that a backend has no kernel for.
package struct UnsupportedLayer: Error, Hashable, Sendable, CustomStringConvertible {
    package let network: String
    /// Counts the network's layers from 0.
    package let position: Int
    package let layer: Layer
    /// As `BackendDescription.backend`.
    package let backend: String

    package var description: String {
        "layer \(position) of the network \(network) is \(layer), which the backend \(backend) cannot compute"
    }
}

extension Network {
    /// Refuses a network that a backend cannot compute; every backend calls this before it prepares anything.
    ///
    /// - Parameters:
    ///   - backend: its name.
    ///   - computes: whether it has a kernel for a layer.
    /// - Throws: `.unsupportedLayer` with the first layer it has none for.
    package func check(for backend: String, computes: (Layer) -> Bool) throws(InferenceError) {
        for (position, layer) in layers.enumerated() where !computes(layer) {
            throw .unsupportedLayer(
                UnsupportedLayer(network: name, position: position, layer: layer, backend: backend)
            )
        }
    }
}
