internal import Imaging

/// The priority of an image: a query is computed ahead of bulk images.
enum Priority: Sendable { case bulk, query }

/// Called once with an image's end, whatever it is.
typealias Completion = @Sendable (Result<EmbeddedImage, EmbeddingError>) -> Void

/// An encoded image of the bulk queue that no decoder has taken yet.
struct EncodedImage: Sendable {
    let bytes: [UInt8]
    let completion: Completion
}

/// What remains of an image once its pixels lie in a batch.
struct Ticket: Sendable {
    let properties: ImageProperties
    let completion: Completion
}

/// A decoded image of the query queue.
struct Query: Sendable {
    /// `[side, side, 3]` uint8 RGB.
    let pixels: [UInt8]
    let ticket: Ticket
}

/// Decoded images, one after the other: `[tickets.count, side, side, 3]` uint8 RGB.
struct PixelBatch: Sendable {
    var pixels: [UInt8] = []
    var tickets: [Ticket] = []

    var count: Int { tickets.count }

    init() {}

    init(_ queries: [Query]) {
        // One query, as most often, lends its memory.
        pixels = queries.count == 1 ? queries[0].pixels : queries.flatMap(\.pixels)
        tickets = queries.map(\.ticket)
    }

    mutating func append(_ image: [UInt8], _ ticket: Ticket) {
        pixels.append(contentsOf: image)
        tickets.append(ticket)
    }

    /// Empties the batch and keeps its memory.
    mutating func removeAll() {
        pixels.removeAll(keepingCapacity: true)
        tickets.removeAll(keepingCapacity: true)
    }
}
