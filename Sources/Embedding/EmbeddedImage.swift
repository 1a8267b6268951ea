package import Imaging

/// One image's vector and what the decoder learnt of it.
package struct EmbeddedImage: Sendable {
    /// fp32, L2-normalised, `Embedder.dimension` long.
    package var vector: [Float]
    package var properties: ImageProperties

    package init(vector: [Float], properties: ImageProperties) {
        self.vector = vector
        self.properties = properties
    }
}
