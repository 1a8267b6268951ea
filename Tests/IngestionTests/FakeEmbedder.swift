import Embedding
import Imaging
import Inference
import Ingestion
import Platform

/// Takes texts for images: what begins with `broken` is corrupt, everything else has a vector. One thread, as slow as told.
final class FakeEmbedder: ImageEmbedding {
    typealias Completion = @Sendable (Result<EmbeddedImage, EmbeddingError>) -> Void

    private struct Job: Sendable {
        var bytes: [UInt8]
        var completion: Completion
    }

    private let queue = BoundedQueue<Job>(capacity: 256)
    private let counts = Monitor((embedded: 0, failed: 0))
    private let failure = Monitor<EmbeddingError?>(nil)
    private let thread = Monitor<WorkerThread?>(nil)
    let secondsPerImage: Double

    init(secondsPerImage: Double = 0) throws {
        self.secondsPerImage = secondsPerImage
        let started = try WorkerThread(name: "fake-embed") { [self] in run() }
        thread.withLockNotifyingAll { $0 = started }
    }

    /// Images that went through the network.
    var embeddedCount: Int { counts.withLock { $0.embedded } }

    /// What every image gets from now on.
    func fail(with error: EmbeddingError?) { failure.withLockNotifyingAll { $0 = error } }

    func submit(_ encoded: [UInt8], completion: @escaping Completion) {
        if !queue.push(Job(bytes: encoded, completion: completion)) { completion(.failure(.stopped)) }
    }

    func stop() {
        queue.close()
        thread.withLockNotifyingAll { thread in
            thread?.join()
            thread = nil
        }
    }

    private func run() {
        while let job = queue.pop() {
            if secondsPerImage > 0 { sleep(seconds: secondsPerImage) }
            if let failure = failure.withLock({ $0 }) {
                job.completion(.failure(failure))
            } else if job.bytes.starts(with: "broken".utf8) {
                job.completion(.failure(.image(ImagingError(.corrupt, "it says so itself"))))
            } else {
                counts.withLockNotifyingAll { $0.embedded += 1 }
                let properties = ImageProperties(format: .jpeg, width: 4, height: 3)
                job.completion(.success(EmbeddedImage(vector: [1, 0], properties: properties)))
            }
        }
    }
}
