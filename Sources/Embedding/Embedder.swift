package import Imaging
package import Inference

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

/// Why an image has no vector.
package enum EmbeddingError: Error, Sendable, CustomStringConvertible {
    /// The backend failed and no other could take over.
    case backend(InferenceError)
    /// The image is at fault.
    case image(ImagingError)
    /// The query lane is full; ask again.
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

/// Counts since start.
package struct EmbeddingStatistics: Sendable, Codable {
    /// Images embedded in the bulk lane.
    package var imageCount = 0
    /// Images embedded in the query lane.
    package var queryCount = 0
    package var batchCount = 0
    package var failureCount = 0
    /// Images waiting to be decoded or embedded now.
    package var waitingCount = 0
    /// Seconds that decoders and the backend worked.
    package var decodeSeconds = 0.0
    package var computeSeconds = 0.0

    package init() {}
}

/// Image bytes in, vectors out: decode workers, batches and one backend, with two lanes.
///
/// Bulk: a batch closes when full or after 20 ms. Query: at once, ahead of waiting bulk batches.
/// All methods block and may be called from any thread that may block.
package final class Embedder: Sendable {
    package struct Configuration: Sendable {
        package var head: Head = .max
        package var decoderCount = 2
        /// Images accepted but not embedded yet in the bulk lane; `submit` blocks beyond it.
        package var bulkCapacity = 256
        /// Queries accepted but not answered yet; `embed` throws `.overloaded` beyond it.
        package var queryCapacity = 64

        package init() {}
    }

    package init(
        network: Network,
        backend: any ConvolutionBackend,
        decoder: any ImageDecoder,
        configuration: Configuration
    ) throws {
        fatalError("interface only")
    }

    /// Length of the vectors.
    package var dimension: Int { fatalError("interface only") }

    /// What computes now.
    package var backendDescription: BackendDescription { fatalError("interface only") }

    package var statistics: EmbeddingStatistics { fatalError("interface only") }

    /// Query lane: decodes on the calling thread, computes ahead of bulk work, returns the vector.
    package func embed(_ encoded: [UInt8]) throws(EmbeddingError) -> EmbeddedImage { fatalError("interface only") }

    /// Bulk lane: takes the image, blocking while the lane is full; `completion` runs once, on a thread of the embedder,
    /// and must not block for long.
    package func submit(
        _ encoded: [UInt8],
        completion: @escaping @Sendable (Result<EmbeddedImage, EmbeddingError>) -> Void
    ) {
        fatalError("interface only")
    }

    /// Fails what waits with `.stopped`, ends the batch that runs, joins all threads. Callable once.
    package func stop() { fatalError("interface only") }
}
