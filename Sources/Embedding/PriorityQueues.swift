internal import Imaging
internal import Platform

/// Two bounded priority queues, queries and bulk images, between callers, decoders and batch threads.
///
/// One lock guards both queues, so that "queries first" and "stopped" are decided in one place. Every image that was
/// accepted leaves exactly once: through `takeEncoded`, `deposit`, `nextWork`, `nextInPause` or, when stopping, one of
/// the drains.
final class PriorityQueues: Sendable {
    /// What the batch thread shall do next.
    enum Work: Sendable {
        case compute(PixelBatch, Priority)
        /// Stopping: these images get no vector.
        case fail([Ticket])
    }

    /// What a decoder shall do next.
    enum Decoding: Sendable {
        case decode(EncodedImage)
        /// Stopping: this image is not decoded.
        case fail(EncodedImage)
        case end
    }

    struct State {
        var encoded: [EncodedImage] = []
        var encodedHead = 0
        /// Bytes of `encoded` that no decoder has finished with.
        var encodedByteCount = 0
        /// Bulk images accepted and not completed.
        var bulkCount = 0
        /// Queries accepted and not answered.
        var queryCount = 0
        /// The bulk batch that decoders fill, and when it got its first image.
        var filling = PixelBatch()
        var fillingSince: Instant?
        /// Memory of a batch that was computed, for the next one.
        var spare: PixelBatch?
        var queries: [Query] = []
        var fairScheduler = FairScheduler()
        var isStopping = false
        var statistics = EmbeddingStatistics()

        /// When `filling` closes although it is not full.
        func bulkDeadline() -> Instant? { fillingSince.map { $0 + PriorityQueues.bulkDelay } }

        mutating func countBulk(seconds: Double) {
            fairScheduler.countBulk(seconds: seconds)
            statistics.computeSeconds += seconds
        }

        mutating func takeEncoded() -> EncodedImage? {
            guard encodedHead < encoded.count else { return nil }
            let image = encoded[encodedHead]
            encodedHead += 1
            // Amortised: the bytes of taken images must not stay alive in the array.
            if encodedHead >= 32 || encodedHead == encoded.count {
                encoded.removeFirst(encodedHead)
                encodedHead = 0
            }
            return image
        }
    }

    /// Seconds that the first image of a bulk batch waits for company.
    static let bulkDelay = 0.020

    let monitor = Monitor(State())
    private let bulkCapacity: Int
    private let bulkByteCapacity: Int
    private let queryCapacity: Int
    let batchCapacity: Int

    /// Empty queues for batches of `batchCapacity` images of `imageByteCount` decoded bytes.
    init(configuration: Embedder.Configuration, batchCapacity: Int, imageByteCount: Int) {
        bulkCapacity = max(1, configuration.bulkCapacity)
        bulkByteCapacity = configuration.bulkByteCapacity
        queryCapacity = max(1, configuration.queryCapacity)
        self.batchCapacity = batchCapacity
        monitor.withLockNotifyingAll { state in
            state.filling.pixels.reserveCapacity(batchCapacity * imageByteCount)
            state.spare = PixelBatch()
            state.spare?.pixels.reserveCapacity(batchCapacity * imageByteCount)
        }
    }

    // MARK: Callers

    /// Takes an image into the bulk queue, waiting for room.
    ///
    /// - Returns: false when stopping; the image is not taken then.
    func accept(_ image: EncodedImage) -> Bool {
        monitor.wait { state -> Bool? in
            if state.isStopping { return false }
            guard state.bulkCount < self.bulkCapacity else { return nil }
            // A single image larger than the bound must get through, alone.
            let fits = state.encodedByteCount + image.bytes.count <= self.bulkByteCapacity
            guard fits || state.encodedByteCount == 0 else { return nil }
            state.encoded.append(image)
            state.encodedByteCount += image.bytes.count
            state.bulkCount += 1
            return true
        } ?? false
    }

    /// Counts a query in, before it is decoded.
    ///
    /// - Throws: `.overloaded` or `.stopped`.
    func beginQuery() throws(EmbeddingError) {
        try monitor.withLockNotifyingAll { state throws(EmbeddingError) in
            if state.isStopping { throw .stopped }
            if state.queryCount >= queryCapacity { throw .overloaded(waiting: state.queryCount) }
            state.queryCount += 1
        }
    }

    /// Counts a query out that never reached `ask`.
    func abandonQuery(decodeSeconds: Double) {
        monitor.withLockNotifyingAll { state in
            state.queryCount -= 1
            state.statistics.failureCount += 1
            state.statistics.decodeSeconds += decodeSeconds
        }
    }

    /// Puts a decoded query in line.
    ///
    /// - Returns: false when stopping; the query is counted out then and its completion is not called.
    func ask(_ pixels: [UInt8], _ ticket: Ticket, decodeSeconds: Double) -> Bool {
        monitor.withLockNotifyingAll { state in
            state.statistics.decodeSeconds += decodeSeconds
            if state.isStopping {
                state.queryCount -= 1
                return false
            }
            state.queries.append(Query(pixels: pixels, ticket: ticket))
            return true
        }
    }

    // MARK: Decoders

    /// Waits for an image to decode.
    func nextDecoding() -> Decoding {
        monitor.wait { state -> Decoding? in
            guard let image = state.takeEncoded() else { return state.isStopping ? .end : nil }
            guard state.isStopping else { return .decode(image) }
            state.encodedByteCount -= image.bytes.count
            state.bulkCount -= 1
            return .fail(image)
        } ?? .end
    }

    /// Puts decoded pixels into the batch that fills, waiting while it is full.
    ///
    /// - Returns: false when stopping; the image is counted out then.
    func deposit(_ pixels: [UInt8], _ ticket: Ticket, encodedByteCount: Int, decodeSeconds: Double) -> Bool {
        monitor.withLockNotifyingAll { state in
            state.encodedByteCount -= encodedByteCount
            state.statistics.decodeSeconds += decodeSeconds
        }
        return monitor.wait { state -> Bool? in
            if state.isStopping {
                state.bulkCount -= 1
                return false
            }
            guard state.filling.count < self.batchCapacity else { return nil }
            state.filling.append(pixels, ticket)
            if state.fillingSince == nil { state.fillingSince = .now }
            return true
        } ?? false
    }

    /// Counts an image out that could not be decoded.
    func abandon(encodedByteCount: Int, decodeSeconds: Double) {
        monitor.withLockNotifyingAll { state in
            state.encodedByteCount -= encodedByteCount
            state.bulkCount -= 1
            state.statistics.failureCount += 1
            state.statistics.decodeSeconds += decodeSeconds
        }
    }

    // MARK: Everybody

    /// Refuses whatever comes from now on and wakes all waiters.
    func stop() { monitor.withLockNotifyingAll { $0.isStopping = true } }

    var statistics: EmbeddingStatistics {
        monitor.withLock { state in
            var statistics = state.statistics
            statistics.waitingCount = state.bulkCount + state.queryCount
            return statistics
        }
    }
}
