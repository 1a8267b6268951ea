package import DeviceReports
package import Imaging
package import Inference
internal import Platform

/// Image bytes in, vectors out: decode workers, batches and one or more backends, with two priority queues.
///
/// The bulk queue forms batches, which close when full or after 20 ms. The query queue is served at once, ahead of bulk
/// batches that wait. A fair scheduler (`FairScheduler`) keeps either from starving the other.
/// All methods block and may be called from any thread that may block.
package final class Embedder: Sendable {
    package struct Configuration: Sendable {
        package var head: Head = .max
        package var decoderCount = 2
        /// Images accepted but not embedded yet in the bulk queue; `submit` blocks beyond it.
        package var bulkCapacity = 256
        /// Encoded bytes that may wait for decoders; `submit` blocks beyond it. One image of any size passes alone.
        package var bulkByteCapacity = 64 << 20
        /// Queries accepted but not answered yet; `embed` throws `.overloaded` beyond it.
        package var queryCapacity = 64

        package init() {}
    }

    /// Length of the vectors.
    package let dimension: Int

    private let queues: PriorityQueues
    private let decoder: any ImageDecoder
    private let fit: Fit
    private let decodePool: DecodePool
    private let batchThreads: [BatchThread]
    private let backends: [any ConvolutionBackend]
    private let isStopped = Monitor(false)

    /// The same with one backend.
    package convenience init(
        network: Network,
        backend: any ConvolutionBackend,
        decoder: any ImageDecoder,
        configuration: Configuration,
        fallback: (any ConvolutionBackend)? = nil
    ) throws {
        try self.init(
            network: network,
            backends: [backend],
            decoder: decoder,
            configuration: configuration,
            fallback: fallback
        )
    }

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - network: says what the pixels look like and how long a vector is.
    ///   - backends: compute, each on a thread of its own; from now on only the embedder calls them.
    ///   - decoder: called by several threads at once.
    ///   - configuration: head and bounds.
    ///   - fallback: computes for a backend that is not ready, and recomputes single images that give non-finite vectors;
    ///     none when nil.
    /// - Throws: `SystemError` when a thread cannot be started.
    package init(
        network: Network,
        backends: [any ConvolutionBackend],
        decoder: any ImageDecoder,
        configuration: Configuration,
        fallback: (any ConvolutionBackend)? = nil
    ) throws {
        let fit = Fit(network.preprocessing)
        let imageByteCount = fit.side * fit.side * 3
        let preferred = backends.map { min($0.preferredBatchCount, $0.maximumBatchCount) }.min() ?? 1
        let queues = PriorityQueues(
            configuration: configuration,
            batchCapacity: max(1, preferred),
            imageByteCount: imageByteCount
        )
        let shared = fallback.map(SharedBackend.init)
        var batchThreads: [BatchThread] = []
        do {
            for (number, backend) in backends.enumerated() {
                let evaluator = Evaluator(
                    backend: backend,
                    fallback: shared,
                    network: network,
                    head: configuration.head,
                    imageByteCount: imageByteCount
                )
                batchThreads.append(try BatchThread(number: number, queues: queues, evaluator: evaluator))
            }
            decodePool = try DecodePool(
                count: configuration.decoderCount,
                queues: queues,
                decoder: decoder,
                fit: fit
            )
        } catch {
            queues.stop()
            for thread in batchThreads { thread.join() }
            throw error
        }
        self.batchThreads = batchThreads
        self.backends = backends
        self.queues = queues
        self.decoder = decoder
        self.fit = fit
        dimension = network.outputChannels
    }

    deinit { stop() }

    /// What computes now; of several, all that differ.
    package var backendDescription: BackendDescription {
        let all = batchThreads.map(\.backendDescription)
        var description = all[0]
        for other in all.dropFirst() {
            if other.backend != description.backend { description.backend += "+" + other.backend }
            description.device += ", " + other.device
            if other.tier != description.tier { description.tier += ", " + other.tier }
        }
        return description
    }

    /// How the graphics devices fare, in their order; empty where none is used.
    package var deviceHealth: [DeviceHealth] { backends.compactMap(\.health) }

    package var statistics: EmbeddingStatistics { queues.statistics }

    /// Query queue: decodes on the calling thread, computes ahead of bulk work, returns the vector.
    ///
    /// A query waits for the block of the bulk batch that runs, where the backend pauses between blocks, else for that
    /// batch; for more only when queries have had half a second of computing more than waiting bulk images.
    package func embed(_ encoded: [UInt8]) throws(EmbeddingError) -> EmbeddedImage {
        try queues.beginQuery()
        let start = Instant.now
        var pixels = [UInt8](repeating: 0, count: fit.side * fit.side * 3)
        let properties: ImageProperties
        do throws(ImagingError) {
            var span = pixels.mutableSpan
            properties = try decoder.decode(encoded, fit: fit, into: &span)
        } catch {
            queues.abandonQuery(decodeSeconds: .now - start)
            throw .image(error)
        }
        let answer = Monitor<Result<EmbeddedImage, EmbeddingError>?>(nil)
        let ticket = Ticket(properties: properties) { result in answer.withLockNotifyingAll { $0 = result } }
        guard queues.ask(pixels, ticket, decodeSeconds: .now - start) else { throw .stopped }
        let result = answer.wait { $0 } ?? .failure(.stopped)
        return try result.get()
    }

    /// Bulk queue: takes the image, blocking while the queue is full; `completion` runs once, on a thread of the embedder,
    /// and must not block for long. After `stop` it runs with `.stopped` on the calling thread.
    package func submit(
        _ encoded: [UInt8],
        completion: @escaping @Sendable (Result<EmbeddedImage, EmbeddingError>) -> Void
    ) {
        if !queues.accept(EncodedImage(bytes: encoded, completion: completion)) { completion(.failure(.stopped)) }
    }

    /// Fails what waits with `.stopped`, ends the batch that runs, joins all threads. Later calls do nothing.
    /// Must not be called from a completion.
    package func stop() {
        let isFirst = isStopped.withLockNotifyingAll { isStopped in
            defer { isStopped = true }
            return !isStopped
        }
        guard isFirst else { return }
        queues.stop()
        decodePool.join()
        for thread in batchThreads { thread.join() }
        for backend in backends { backend.close() }
    }
}

extension Fit {
    /// How a network's manifest wants its images.
    package init(_ preprocessing: Preprocessing) {
        switch preprocessing.geometry {
        case .squash: self = .squash(side: preprocessing.side)
        case .centreCrop(let shortSide): self = .centreCrop(shortSide: shortSide, side: preprocessing.side)
        }
    }
}
