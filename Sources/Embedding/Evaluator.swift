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
    mutating func evaluate(_ batch: PixelBatch) -> [Result<[Float], InferenceError>] {
        var results: [Result<[Float], InferenceError>] = []
        results.reserveCapacity(batch.count)
        while results.count < batch.count {
            let first = results.count
            let end = min(batch.count, first + max(1, backend.maximumBatchCount))
            results += evaluate(batch.pixels, first..<end)
        }
        return results
    }

    private mutating func evaluate(_ pixels: [UInt8], _ images: Range<Int>) -> [Result<[Float], InferenceError>] {
        do throws(InferenceError) {
            let vectors = try Self.run(backend, pixels, images, head, dimension, imageByteCount)
            return vectors.map { .success($0) }
        } catch {
            if case .deviceLost = error {
                guard let next = fallback else { return images.map { _ in .failure(error) } }
                Self.log.error("\(error); \(next.description.backend) on \(next.description.device) takes over")
                backend = next
                fallback = nil
                // The new backend may take fewer images at once.
                let size = max(1, next.maximumBatchCount)
                return stride(from: images.lowerBound, to: images.upperBound, by: size).flatMap { first in
                    evaluate(pixels, first..<min(first + size, images.upperBound))
                }
            }
            guard images.count == 1 else {
                return images.flatMap { evaluate(pixels, $0..<($0 + 1)) }
            }
            return [retry(pixels, images, after: error)]
        }
    }

    /// A single image that overflowed gets a second chance where the numbers have more room.
    private func retry(
        _ pixels: [UInt8],
        _ image: Range<Int>,
        after error: InferenceError
    ) -> Result<[Float], InferenceError> {
        guard case .nonFinite = error, let fallback else { return .failure(error) }
        do throws(InferenceError) {
            let vectors = try Self.run(fallback, pixels, image, head, dimension, imageByteCount)
            return vectors.first.map { .success($0) } ?? .failure(error)
        } catch {
            return .failure(error)
        }
    }

    private static func run(
        _ backend: any ConvolutionBackend,
        _ pixels: [UInt8],
        _ images: Range<Int>,
        _ head: Head,
        _ dimension: Int,
        _ imageByteCount: Int
    ) throws(InferenceError) -> [[Float]] {
        var rows = [Float](repeating: 0, count: images.count * dimension)
        var span = rows.mutableSpan
        let bytes = (images.lowerBound * imageByteCount)..<(images.upperBound * imageByteCount)
        // SAFETY: `bytes` borrows from `pixels`, which is not touched during the call; `extracting` checks the bounds.
        let view = unsafe pixels.span.bytes.extracting(bytes)
        try backend.run(view, count: images.count, heads: [head], into: &span)
        let vectors = (0..<images.count).map { Array(rows[($0 * dimension)..<(($0 + 1) * dimension)]) }
        // A backend should say so itself; a NaN in the index would poison every search.
        let spoilt = vectors.indices.filter { index in !vectors[index].allSatisfy(\.isFinite) }
        guard spoilt.isEmpty else { throw .nonFinite(images: spoilt) }
        return vectors
    }
}
