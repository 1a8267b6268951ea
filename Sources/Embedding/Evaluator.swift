internal import Inference
internal import Platform

/// Runs batches on a backend, keeps one image's failure from its neighbours, and changes to a second backend for good
/// when the first loses its device. Used by one thread.
struct Evaluator: Sendable {
    private(set) var backend: any ConvolutionBackend
    private var fallback: (any ConvolutionBackend)?
    private let head: Head
    private let dimension: Int
    private let imageByteCount: Int
    private static let log = Log("embedding")

    /// - Parameters:
    ///   - backend: computes.
    ///   - fallback: takes over when `backend` loses its device, and computes what overflows there.
    ///   - head: which summary.
    ///   - dimension: length of a vector.
    ///   - imageByteCount: bytes of one decoded image.
    init(
        backend: any ConvolutionBackend,
        fallback: (any ConvolutionBackend)?,
        head: Head,
        dimension: Int,
        imageByteCount: Int
    ) {
        self.backend = backend
        self.fallback = fallback
        self.head = head
        self.dimension = dimension
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
            let end = min(batch.count, first + max(1, backend.maximumBatchCount))
            results += evaluate(batch.pixels, first..<end, pause)
        }
        return results
    }

    /// The vector or error of one image, while a batch pauses that keeps the backend. A lost device is the batch's to
    /// replace; this image only goes the other way.
    func evaluateInPause(_ pixels: [UInt8]) -> Result<[Float], InferenceError> {
        do throws(InferenceError) {
            let vectors = try vectors(count: 1) { rows throws(InferenceError) in
                // SAFETY: `view` borrows from `pixels`, which is not touched during the call.
                let view = unsafe pixels.span.bytes
                try backend.runInPause(view, heads: [head], into: &rows)
            }
            return vectors.first.map { .success($0) } ?? .failure(.nonFinite(images: [0]))
        } catch {
            return retry(pixels, 0..<1, after: error)
        }
    }

    private mutating func evaluate(
        _ pixels: [UInt8],
        _ images: Range<Int>,
        _ pause: ((Evaluator) -> Void)?
    ) -> [Result<[Float], InferenceError>] {
        do throws(InferenceError) {
            let now = self
            return try run(backend, pixels, images, pause: pause.map { pause in { pause(now) } }).map { .success($0) }
        } catch {
            if case .deviceLost = error {
                guard let next = fallback else { return images.map { _ in .failure(error) } }
                Self.log.error("\(error); \(next.description.backend) on \(next.description.device) takes over")
                backend = next
                fallback = nil
                // The new backend may take fewer images at once.
                let size = max(1, next.maximumBatchCount)
                return stride(from: images.lowerBound, to: images.upperBound, by: size).flatMap { first in
                    evaluate(pixels, first..<min(first + size, images.upperBound), pause)
                }
            }
            guard images.count == 1 else {
                return images.flatMap { evaluate(pixels, $0..<($0 + 1), pause) }
            }
            return [retry(pixels, images, after: error)]
        }
    }

    /// A single image that overflowed gets a second chance where the numbers have more room, and one whose device is lost
    /// where there is another.
    private func retry(
        _ pixels: [UInt8],
        _ image: Range<Int>,
        after error: InferenceError
    ) -> Result<[Float], InferenceError> {
        guard let fallback else { return .failure(error) }
        switch error {
        case .nonFinite, .deviceLost: break
        default: return .failure(error)
        }
        do throws(InferenceError) {
            let vectors = try run(fallback, pixels, image, pause: nil)
            return vectors.first.map { .success($0) } ?? .failure(error)
        } catch {
            return .failure(error)
        }
    }

    private func run(
        _ backend: any ConvolutionBackend,
        _ pixels: [UInt8],
        _ images: Range<Int>,
        pause: (() -> Void)?
    ) throws(InferenceError) -> [[Float]] {
        let bytes = (images.lowerBound * imageByteCount)..<(images.upperBound * imageByteCount)
        return try vectors(count: images.count) { rows throws(InferenceError) in
            // SAFETY: `view` borrows from `pixels`, which is not touched during the call; `extracting` checks the bounds.
            let view = unsafe pixels.span.bytes.extracting(bytes)
            try backend.run(view, count: images.count, heads: [head], into: &rows, pause: pause)
        }
    }

    /// Vectors as `compute` writes them, refused unless all are finite.
    private func vectors(
        count: Int,
        _ compute: (inout MutableSpan<Float>) throws(InferenceError) -> Void
    ) throws(InferenceError) -> [[Float]] {
        var rows = [Float](repeating: 0, count: count * dimension)
        var span = rows.mutableSpan
        try compute(&span)
        let vectors = (0..<count).map { Array(rows[($0 * dimension)..<(($0 + 1) * dimension)]) }
        // A backend should say so itself; a NaN in the index would poison every search.
        let spoilt = vectors.indices.filter { index in !vectors[index].allSatisfy(\.isFinite) }
        guard spoilt.isEmpty else { throw .nonFinite(images: spoilt) }
        return vectors
    }
}
