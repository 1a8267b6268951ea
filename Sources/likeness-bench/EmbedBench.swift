import Foundation
import Harness
import Inference
import ModelFiles
import Platform

/// `embed`: images a second through one backend, the same random batch again and again.
enum EmbedBench {
    static let command = CommandTable.Command("embed", BatchOptions.options, run: run)

    /// Measures and prints one JSON object.
    static func run(_ arguments: Arguments) throws {
        let wanted = BatchOptions(arguments)
        let (options, batch, seconds) = (wanted.backend, wanted.batch, wanted.seconds)
        let network = try Model.open(weights: options.weights).network
        let opening = Instant.now
        let backend = try options.open(network, maximumBatch: batch)
        let openSeconds = Instant.now - opening
        let side = network.preprocessing.side
        let pixels = randomBytes(batch * side * side * 3)
        var rows = [Float](repeating: 0, count: batch * network.outputChannels)

        let image = Array(pixels.prefix(side * side * 3))
        let firstVectorSeconds = try firstVector(backend, image, network.outputChannels, since: opening)
        var times: [Double] = []
        let start = Instant.now
        // The first two batches warm caches and pages and are not counted.
        for round in 0... {
            let began = Instant.now
            var span = rows.mutableSpan
            try backend.run(pixels.span.bytes, count: batch, heads: [.max], into: &span)
            times.append(Instant.now - began)
            try check(rows, network.outputChannels)
            if round >= 2, Instant.now - start >= seconds { break }
        }
        let counted = times.dropFirst(2).sorted()
        let total = counted.reduce(0, +)
        let description = backend.description
        try printLine([
            "bench": "embed", "backend": description.backend, "device": description.device, "tier": description.tier,
            "weights": options.weights, "batch": batch, "threads": description.threads,
            "images_per_second": Double(counted.count * batch) / total,
            "milliseconds_p50": counted[counted.count / 2] * 1000, "open_s": openSeconds,
            "first_vector_s": firstVectorSeconds,
            "peak_memory_bytes": OwnProcess.peakMemoryByteCount,
        ])
    }

    /// Seconds from `opening` to the vector of one image.
    private static func firstVector(
        _ backend: any ConvolutionBackend,
        _ image: [UInt8],
        _ dimension: Int,
        since opening: Instant
    ) throws -> Double {
        var row = [Float](repeating: 0, count: dimension)
        var span = row.mutableSpan
        try backend.run(image.span.bytes, count: 1, heads: [.max], into: &span)
        try check(row, dimension)
        return .now - opening
    }

    /// A speed counts only for vectors that are vectors.
    private static func check(_ rows: [Float], _ dimension: Int) throws {
        for start in stride(from: 0, to: rows.count, by: dimension) {
            let squares = rows[start..<start + dimension].reduce(0.0) { $0 + Double($1) * Double($1) }
            guard abs(squares - 1) < 1e-4 else { throw HarnessFailure("a vector has the square length \(squares)") }
        }
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}
