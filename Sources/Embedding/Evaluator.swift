internal import Inference
internal import Platform

/// Runs batches on a backend, keeps one image's failure from its neighbours, and has a second backend compute for as long as
/// the first one's device is away. Used by one thread.
struct Evaluator: Sendable {
    private let primary: any ConvolutionBackend
    private let fallback: SharedBackend?
    /// The one that computed last.
    private(set) var backend: any ConvolutionBackend
    private let network: Network
    private let head: Head
    private let imageByteCount: Int
    private static let log = Log("embedding")

    /// - Parameters:
    ///   - backend: computes.
    ///   - fallback: computes while `backend` is not ready, and what overflows there.
    ///   - network: says how long a vector is, and what becomes of it after the backend.
    ///   - head: which summary.
    ///   - imageByteCount: bytes of one decoded image.
    init(
        backend: any ConvolutionBackend,
        fallback: SharedBackend?,
        network: Network,
        head: Head,
        imageByteCount: Int
    ) {
        primary = backend
        self.backend = (backend.isReady ? nil : fallback) ?? backend
        self.fallback = fallback
        self.network = network
        self.head = head
        self.imageByteCount = imageByteCount
    }

    /// One vector or error an image, in order.
    ///
    /// - Parameters:
    ///   - batch: any number of images.
    ///   - pause: called between blocks of work with what can compute a single image meanwhile; nil when nothing may come
    ///     between.
    /// - Returns: `batch.count` results.
    mutating func evaluate(
        _ batch: PixelBatch,
        pause: ((Evaluator) -> Void)? = nil
    ) -> [Result<[Float], InferenceError>] {
        var results: [Result<[Float], InferenceError>] = []
        results.reserveCapacity(batch.count)
        while results.count < batch.count {
            let first = results.count
            choose()
            let end = min(batch.count, first + max(1, backend.maximumBatchCount))
            results += evaluate(batch.pixels, first..<end, pause)
        }
        return results
    }

    /// The vector or error of one image, while a batch pauses that keeps the backend. A lost device is the batch's to
    /// replace; this image only goes the other way.
    func evaluateInPause(_ pixels: [UInt8]) -> Result<[Float], InferenceError> {
        do throws(InferenceError) {
            let results = try vectors(count: 1) { rows throws(InferenceError) in
                // SAFETY: `view` borrows from `pixels`, which is not touched during the call.
                let view = unsafe pixels.span.bytes
                try backend.runInPause(view, heads: [head], into: &rows)
            }
            return retryingNonFinite(results, pixels, 0..<1)[0]
        } catch {
            return retry(pixels, 0, after: error)
        }
    }

    /// The first backend whenever it is ready, else the second.
    private mutating func choose() {
        let next: any ConvolutionBackend = (primary.isReady ? nil : fallback) ?? primary
        guard next !== backend else { return }
        Self.log.notice("\(next.description.backend) on \(next.description.device) computes from now on")
        backend = next
    }

    private mutating func evaluate(
        _ pixels: [UInt8],
        _ images: Range<Int>,
        _ pause: ((Evaluator) -> Void)?
    ) -> [Result<[Float], InferenceError>] {
        do throws(InferenceError) {
            let now = self
            let results = try run(backend, pixels, images, pause: pause.map { pause in { pause(now) } })
            return retryingNonFinite(results, pixels, images)
        } catch {
            if case .deviceLost = error {
                guard let next = fallback, backend !== next else { return images.map { _ in .failure(error) } }
                Self.log.error("\(error); \(next.description.backend) on \(next.description.device) takes over")
                backend = next
                // It may take fewer images at once.
                let size = max(1, next.maximumBatchCount)
                return stride(from: images.lowerBound, to: images.upperBound, by: size).flatMap { first in
                    evaluate(pixels, first..<min(first + size, images.upperBound), pause)
                }
            }
            guard images.count == 1 else {
                return images.flatMap { evaluate(pixels, $0..<($0 + 1), pause) }
            }
            return [retry(pixels, images.lowerBound, after: error)]
        }
    }

    /// Gives the images without a finite vector their second chance.
    private func retryingNonFinite(
        _ results: [[Float]?],
        _ pixels: [UInt8],
        _ images: Range<Int>
    ) -> [Result<[Float], InferenceError>] {
        zip(images, results).map { image, vector in
            vector.map { .success($0) } ?? retry(pixels, image, after: .nonFinite(images: [image - images.lowerBound]))
        }
    }

    /// A single image that overflowed gets a second chance where the numbers have more room, and one whose device is lost
    /// where there is another.
    private func retry(
        _ pixels: [UInt8],
        _ image: Int,
        after error: InferenceError
    ) -> Result<[Float], InferenceError> {
        guard let fallback, backend !== fallback else { return .failure(error) }
        switch error {
        case .nonFinite, .deviceLost: break
        default: return .failure(error)
        }
        do throws(InferenceError) {
            let results = try run(fallback, pixels, image..<(image + 1), pause: nil)
            return results[0].map { .success($0) } ?? .failure(error)
        } catch {
            return .failure(error)
        }
    }

    private func run(
        _ backend: any ConvolutionBackend,
        _ pixels: [UInt8],
        _ images: Range<Int>,
        pause: (() -> Void)?
    ) throws(InferenceError) -> [[Float]?] {
        let bytes = (images.lowerBound * imageByteCount)..<(images.upperBound * imageByteCount)
        return try vectors(count: images.count) { rows throws(InferenceError) in
            // SAFETY: `view` borrows from `pixels`, which is not touched during the call; `extracting` checks the bounds.
            let view = unsafe pixels.span.bytes.extracting(bytes)
            try backend.run(view, count: images.count, heads: [head], into: &rows, pause: pause)
        }
    }

    /// Vectors of what `compute` writes; nil for those that are not finite.
    private func vectors(
        count: Int,
        _ compute: (inout MutableSpan<Float>) throws(InferenceError) -> Void
    ) throws(InferenceError) -> [[Float]?] {
        let dimension = network.outputChannels
        var rows = [Float](repeating: 0, count: count * dimension)
        var span = rows.mutableSpan
        var nonFinite: Set<Int> = []
        do throws(InferenceError) { try compute(&span) } catch {
            guard case .nonFinite(let images) = error else { throw error }
            // The rows of the others are right.
            nonFinite = Set(images)
        }
        return (0..<count).map { image in
            let vector = Array(rows[(image * dimension)..<((image + 1) * dimension)])
            // A backend should say so itself; a NaN in the index would poison every search.
            let isNonFinite = nonFinite.contains(image) || !vector.allSatisfy(\.isFinite)
            return isNonFinite ? nil : network.finished(vector, head: head)
        }
    }
}
