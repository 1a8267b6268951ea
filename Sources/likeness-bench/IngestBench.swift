import Catalog
import Embedding
import Foundation
import Harness
import Imaging
import Inference
import Ingestion
import ModelFiles
import Platform
import Synchronization

/// `ingest`: a folder of photos to a searchable collection, with queries by image all the while or without.
enum IngestBench {
    static let command = CommandTable.Command(
        "ingest",
        BackendOptions.options + [
            OptionDescription("images", .text(placeholder: "DIR"), "the photos"),
            OptionDescription("batch", .integer(1...4096), "images at once (8)"),
            OptionDescription("queries", .choice(["on", "off"]), "whether to search meanwhile (on)"),
        ],
        run: run
    )

    private static let timeout = 24 * 3600.0

    /// Loads the folder into a collection in a temporary folder and prints one JSON object.
    static func run(_ arguments: Arguments) throws {
        try withFolder(nil) { try run(arguments, $0) }
    }

    private static func run(_ arguments: Arguments, _ folder: String) throws {
        let options = BackendOptions(arguments)
        let images = try arguments.needed("images")
        let batch = arguments.integer("batch") ?? 8
        let asks = arguments.text("queries") != "off"
        let network = try Model.open(weights: options.weights).network
        let backend = try options.open(network, maximumBatch: batch)
        var configuration = Embedder.Configuration()
        configuration.decoderCount = options.threadCount
        let embedder = try Embedder(
            network: network,
            backend: backend,
            decoder: InProcessDecoder(),
            configuration: configuration
        )
        defer { embedder.stop() }
        let catalog = try Catalog(
            directory: folder,
            dimension: network.outputChannels,
            fingerprint: network.fingerprint(head: configuration.head)
        )
        defer { catalog.close() }
        let ingestor = Ingestor(catalog: catalog, embedder: embedder)
        let start = Instant.now
        try ingestor.start()
        _ = try ingestor.addRoot(images)
        let queries = asks ? try Queries(images: images, catalog: catalog, embedder: embedder) : nil
        let isDone = ingestor.waitUntilIdle(until: start + timeout)
        let wall = Instant.now - start
        let cpuSeconds = threadCPUSeconds()
        let times = queries?.stop() ?? Latencies()
        ingestor.stop()
        guard isDone else { throw HarnessFailure("not done: \(ingestor.status)") }
        try check(catalog, images)

        let work = embedder.statistics
        let count = catalog.statistics.imageCount
        let description = backend.description
        try printLine([
            "bench": "ingest", "backend": description.backend, "device": description.device, "tier": description.tier,
            "weights": options.weights, "threads": description.threads, "batch": batch, "images": count,
            "failed": catalog.statistics.failedFileCount, "images_per_second": Double(count) / wall,
            "decode_s": work.decodeSeconds, "embed_s": work.computeSeconds, "commit_s": ingestor.commitSeconds,
            "wall_s": wall, "queries": times.count, "query_ms_p50": times.p50 / 1000,
            "query_ms_p99": times.p99 / 1000, "peak_memory_bytes": OwnProcess.peakMemoryByteCount,
            "cpu_ms_per_image": cpuSeconds.mapValues { $0 * 1000 / Double(max(1, count)) },
        ])
    }

    /// A speed counts only for a collection in which stored images find themselves.
    private static func check(_ catalog: Catalog, _ images: String) throws {
        let sample = try catalog.images(after: nil, limit: 20)
        guard !sample.isEmpty else { throw HarnessFailure("no image of \(images) could be read") }
        for image in sample {
            guard let vector = try catalog.vector(of: image.id) else {
                throw HarnessFailure("\(image.id) has no vector")
            }
            let best = try catalog.search(CatalogQuery(vector: vector)).hits.first
            guard let best, best.score > 0.999 else { throw HarnessFailure("\(image.key.path) does not find itself") }
        }
    }

    /// Processor seconds of this process's threads so far, by name without number; those that ended are not among them.
    private static func threadCPUSeconds() -> [String: Double] {
        let folder = "/proc/self/task"
        var seconds: [String: Double] = [:]
        for thread in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            // A thread may end between the two lines.
            guard let name = try? String(contentsOfFile: "\(folder)/\(thread)/comm", encoding: .utf8),
                let times = try? String(contentsOfFile: "\(folder)/\(thread)/schedstat", encoding: .utf8),
                let nanoseconds = times.split(separator: " ").first.flatMap({ Double($0) })
            else { continue }
            seconds[String(name.prefix { $0.isLetter }), default: 0] += nanoseconds / 1e9
        }
        return seconds
    }
}

/// A thread that asks by image, one query after the other, and notes how long each took.
private final class Queries: Sendable {
    /// Seconds from the end of one query to the next.
    private static let pause = 0.05

    private let times = Mutex(Latencies())
    private let isStopping = Mutex(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Starts asking with the first few images of a folder.
    init(images: String, catalog: Catalog, embedder: Embedder) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: images).sorted().prefix(64)
        let photos = names.compactMap { FileManager.default.contents(atPath: "\(images)/\($0)").map { [UInt8]($0) } }
        let started = try WorkerThread(name: "query") { [self] in
            var index = 0
            while !photos.isEmpty, !isStopping.withLock({ $0 }) {
                defer { index += 1 }
                let start = Instant.now
                // A file that is no image, or an answer that fails, is no query.
                if let image = try? embedder.embed(photos[index % photos.count]),
                    (try? catalog.search(CatalogQuery(vector: image.vector))) != nil
                {
                    times.withLock { $0.seconds.append(.now - start) }
                }
                sleep(seconds: Self.pause)
            }
        }
        thread.withLock { $0 = started }
    }

    /// Ends the thread.
    ///
    /// - Returns: one time a query.
    func stop() -> Latencies {
        isStopping.withLock { $0 = true }
        thread.withLock { $0?.join() }
        return times.withLock { $0 }
    }
}
