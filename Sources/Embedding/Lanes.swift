internal import Imaging
internal import Platform

/// What waits between callers, decoders and the batch thread, and the order in which it is served.
///
/// One lock guards both lanes, so that "queries first" and "stopped" are decided in one place. Every image that was
/// accepted leaves exactly once: through `takeEncoded`, `deposit`, `nextWork`, `nextInPause` or, when stopping, one of
/// the drains.
final class Lanes: Sendable {
    /// What the batch thread shall do next.
    enum Work: Sendable {
        case compute(PixelBatch, Lane)
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

    private struct State {
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
        var precedence = Precedence()
        var isStopping = false
        var statistics = EmbeddingStatistics()

        /// When `filling` closes although it is not full.
        func bulkDeadline() -> Instant? { fillingSince.map { $0 + Lanes.bulkDelay } }

        mutating func countBulk(seconds: Double) {
            precedence.countBulk(seconds: seconds)
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

    private let monitor = Monitor(State())
    private let bulkCapacity: Int
    private let bulkByteCapacity: Int
    private let queryCapacity: Int
    private let batchCapacity: Int

    /// Empty lanes for batches of `batchCapacity` images of `imageByteCount` decoded bytes.
    init(configuration: Embedder.Configuration, batchCapacity: Int, imageByteCount: Int) {
        bulkCapacity = max(1, configuration.bulkCapacity)
        bulkByteCapacity = configuration.bulkByteCapacity
        queryCapacity = max(1, configuration.queryCapacity)
        self.batchCapacity = batchCapacity
        monitor.update { state in
            state.filling.pixels.reserveCapacity(batchCapacity * imageByteCount)
            state.spare = PixelBatch()
            state.spare?.pixels.reserveCapacity(batchCapacity * imageByteCount)
        }
    }

    // MARK: Callers

    /// Takes an image into the bulk lane, waiting for room.
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
        try monitor.update { state throws(EmbeddingError) in
            if state.isStopping { throw .stopped }
            if state.queryCount >= queryCapacity { throw .overloaded(waiting: state.queryCount) }
            state.queryCount += 1
        }
    }

    /// Counts a query out that never reached `ask`.
    func abandonQuery(decodeSeconds: Double) {
        monitor.update { state in
            state.queryCount -= 1
            state.statistics.failureCount += 1
            state.statistics.decodeSeconds += decodeSeconds
        }
    }

    /// Puts a decoded query in line.
    ///
    /// - Returns: false when stopping; the query is counted out then and its completion is not called.
    func ask(_ pixels: [UInt8], _ ticket: Ticket, decodeSeconds: Double) -> Bool {
        monitor.update { state in
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
        monitor.update { state in
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
        monitor.update { state in
            state.encodedByteCount -= encodedByteCount
            state.bulkCount -= 1
            state.statistics.failureCount += 1
            state.statistics.decodeSeconds += decodeSeconds
        }
    }

    // MARK: Batch thread

    /// Waits for a batch: queries at once, bulk images when the batch is full or its time has come.
    ///
    /// - Returns: nil when stopped and empty.
    func nextWork() -> Work? {
        enum Step {
            case work(Work)
            case wait(until: Instant)
            case end
        }
        var deadline: Instant?
        while true {
            let known = deadline
            let step = monitor.wait(until: deadline) { state -> Step? in
                if state.isStopping {
                    let left = state.queries.map(\.ticket) + state.filling.tickets
                    guard !left.isEmpty else { return .end }
                    state.queryCount -= state.queries.count
                    state.bulkCount -= state.filling.count
                    state.queries.removeAll()
                    state.filling.removeAll()
                    return .work(.fail(left))
                }
                if let work = self.chooseBatch(&state) { return .work(work) }
                guard let due = state.bulkDeadline(), due != known else { return nil }
                return .wait(until: due)
            }
            switch step {
            case .work(let work): return work
            case .end: return nil
            case .wait(let due): deadline = due
            case nil: deadline = nil
            }
        }
    }

    private func chooseBatch(_ state: inout State) -> Work? {
        let isFull = state.filling.count >= batchCapacity
        let isDue = isFull || state.bulkDeadline().map { $0 <= .now } ?? false
        if !state.queries.isEmpty, !isDue || state.precedence.queriesGoFirst {
            let batch = PixelBatch(state.queries)
            state.queries.removeAll()
            return .compute(batch, .query)
        }
        guard isDue else { return nil }
        var batch = state.spare ?? PixelBatch()
        state.spare = nil
        swap(&batch, &state.filling)
        state.fillingSince = nil
        return .compute(batch, .bulk)
    }

    /// A query to compute while a bulk batch pauses.
    ///
    /// - Parameter bulkSeconds: how long the bulk batch was computed since its start or since this was last called.
    /// - Returns: nil when none waits, or when it is the bulk lane's turn.
    func nextInPause(bulkSeconds: Double) -> Query? {
        // `read`, for nothing changes that a thread waits for: a bulk batch pauses often, and must not wake them all.
        monitor.read { state in
            state.countBulk(seconds: bulkSeconds)
            guard !state.isStopping, !state.queries.isEmpty, state.precedence.queriesGoFirst else { return nil }
            return state.queries.removeFirst()
        }
    }

    /// Counts a computed bulk batch out and takes its memory back.
    ///
    /// - Parameters:
    ///   - batch: what `nextWork` gave.
    ///   - failureCount: its images that have no vector.
    ///   - computeSeconds: how long it was computed since its start or its last pause.
    func finishBulk(_ batch: consuming PixelBatch, failureCount: Int, computeSeconds: Double) {
        let count = batch.count
        batch.removeAll()
        let memory = batch
        monitor.update { state in
            state.bulkCount -= count
            state.spare = memory
            state.countBulk(seconds: computeSeconds)
            state.statistics.imageCount += count - failureCount
            state.statistics.batchCount += 1
            state.statistics.failureCount += failureCount
        }
    }

    /// Counts queries out that were computed together.
    func finishQueries(count: Int, failureCount: Int, computeSeconds: Double) {
        // Nobody waits for a query to leave.
        monitor.read { state in
            state.queryCount -= count
            state.precedence.countQueries(seconds: computeSeconds, bulkWaits: state.bulkCount > 0)
            state.statistics.queryCount += count - failureCount
            state.statistics.batchCount += 1
            state.statistics.failureCount += failureCount
            state.statistics.computeSeconds += computeSeconds
        }
    }

    // MARK: Everybody

    /// Refuses whatever comes from now on and wakes all waiters.
    func stop() { monitor.update { $0.isStopping = true } }

    var statistics: EmbeddingStatistics {
        monitor.read { state in
            var statistics = state.statistics
            statistics.waitingCount = state.bulkCount + state.queryCount
            return statistics
        }
    }
}
