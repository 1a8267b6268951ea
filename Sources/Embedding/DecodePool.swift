internal import Imaging
internal import Platform

/// The threads that decode the bulk queue's images.
struct DecodePool: Sendable {
    private let threads: [WorkerThread]

    /// Starts the threads; they end after `queues.stop()`.
    ///
    /// - Throws: `SystemError` when a thread cannot be started; none is left running then.
    init(count: Int, queues: PriorityQueues, decoder: any ImageDecoder, fit: Fit) throws(SystemError) {
        var threads: [WorkerThread] = []
        do {
            for index in 0..<max(1, count) {
                threads.append(
                    try WorkerThread(name: "decode-\(index)") { Self.run(queues: queues, decoder: decoder, fit: fit) }
                )
            }
        } catch {
            queues.stop()
            for thread in threads { thread.join() }
            throw error
        }
        self.threads = threads
    }

    func join() {
        for thread in threads { thread.join() }
    }

    private static func run(queues: PriorityQueues, decoder: any ImageDecoder, fit: Fit) {
        var pixels = [UInt8](repeating: 0, count: fit.side * fit.side * 3)
        while true {
            switch queues.nextDecoding() {
            case .end: return
            case .fail(let image): image.completion(.failure(.stopped))
            case .decode(let image): decode(image, into: &pixels, queues: queues, decoder: decoder, fit: fit)
            }
        }
    }

    private static func decode(
        _ image: EncodedImage,
        into pixels: inout [UInt8],
        queues: PriorityQueues,
        decoder: any ImageDecoder,
        fit: Fit
    ) {
        let start = Instant.now
        do throws(ImagingError) {
            var span = pixels.mutableSpan
            let properties = try decoder.decode(image.bytes, fit: fit, into: &span)
            let isTaken = queues.deposit(
                pixels,
                Ticket(properties: properties, completion: image.completion),
                encodedByteCount: image.bytes.count,
                decodeSeconds: .now - start
            )
            if !isTaken { image.completion(.failure(.stopped)) }
        } catch {
            queues.abandon(encodedByteCount: image.bytes.count, decodeSeconds: .now - start)
            image.completion(.failure(.image(error)))
        }
    }
}
