internal import Catalog
internal import Embedding
internal import Foundation
internal import Glibc
internal import Imaging
internal import Inference
internal import Ingestion
internal import LinearAlgebra
internal import ModelFiles
internal import Platform
internal import Server

/// The services of one running daemon, started; `close` stops them in reverse order.
final class RunningDaemon: Sendable {
    private let folder: StateFolder
    private let embedder: Embedder
    private let collections: Collections
    private let configuredRoots: ConfiguredRoots
    private let server: HTTPServer
    private let log = Log("daemon")

    init(_ configuration: Configuration, environment: [String: String]) throws {
        let start = Instant.now
        folder = try StateFolder(configuration.stateDirectory)
        let state = folder.path
        let library = try ModelLibrary(folder: "\(state)/models")
        let choice = try ModelChoice(configuration, library: library)
        let network = choice.model.network
        let backend = try BackendChoice(configuration, network: network, stateDirectory: state)
        let fingerprint = network.fingerprint(head: choice.head)
        let decoder = InProcessDecoder()
        var embedding = Embedder.Configuration()
        embedding.head = choice.head
        embedding.decoderCount = configuration.threads ?? WorkerThread.availableCoreCount
        embedder = try Embedder(
            network: network,
            backends: backend.backends,
            decoder: decoder,
            configuration: embedding,
            fallback: backend.fallback
        )
        let collections = try Collections(
            stateDirectory: state,
            services: Services(
                embedder: embedder,
                dimension: embedder.dimension,
                decoder: decoder,
                fingerprint: fingerprint,
                rootSettings: configuration.rootSettings,
                excludedDirectories: [try ExcludedDirectory(state)]
            ),
            configured: ConfiguredRoots.places(configuration.roots).map(\.path)
        )
        self.collections = collections
        configuredRoots = ConfiguredRoots(configuration.roots) { path, collection in
            try collections.watch(path, for: collection)
        }
        let sockets = try ListeningPlan(configuration, environment: environment, stateDirectory: state)
        var serving = ServerConfiguration()
        serving.administrators = Set(configuration.admins)
        let handler = APIHandler(
            collections: collections,
            embedder: embedder,
            library: library,
            configuredRoots: configuredRoots,
            information: APIHandler.StaticInformation(
                model: ServedModel(choice.model.summary, isInUse: true),
                head: choice.head,
                device: backend,
                folder: folder,
                modelIsFile: configuration.weights != nil,
                modelIsFixed: choice.isFixed,
                fixedHead: configuration.head == nil ? nil : choice.head
            )
        )
        server = try HTTPServer(
            addresses: sockets.addresses,
            control: handler,
            configuration: serving
        )
        handler.page.withLockNotifyingAll { [server] in $0 = sockets.pageLink(port: server.ports.first) }
        // Consumers run; now the producers. Answers come from the stored index while the first scan is at work.
        try collections.start()
        configuredRoots.tryAgain()
        let device = embedder.backendDescription
        log.notice(
            "model \(choice.model.summary.name), head \(choice.head.rawValue), \(network.outputChannels) dimensions"
        )
        for collection in collections.open {
            guard let whitening = collection.store.whitening else { continue }
            let origin = "what \(whitening.sampleCount) vectors have in common"
            log.notice("collection \(collection.id) is whitened by \(origin)")
        }
        log.notice("computing on \(device.backend): \(device.device), \(device.tier) (\(backend.reason))")
        log.notice(
            "ready after \(Int((Instant.now - start) * 1000)) ms with \(imageCount) images, "
                + "listening on \(configuration.socketPath)"
        )
    }

    private var imageCount: Int { collections.open.reduce(0) { $0 + $1.store.statistics.imageCount } }

    /// One line for the service manager.
    var summary: String {
        let work = IngestionStatus.sum(collections.open.map(\.work))
        if let pause = work.pause { return "\(imageCount) images; paused: \(pause.reason)" }
        return work.waitingCount > 0 ? "\(imageCount) images, \(work.waitingCount) to go" : "\(imageCount) images"
    }

    /// Whether the writer threads come round. A transaction on a slow disk may take this long, not longer.
    var isAlive: Bool { collections.open.allSatisfy { $0.store.secondsSinceWriterTurn < 30 } }

    func rescan() {
        configuredRoots.tryAgain()
        for collection in collections.open { _ = collection.rescan(nil) }
    }

    /// Looks whether folders of the settings that could not be watched can be now.
    func retryRoots() { configuredRoots.tryAgain() }

    /// Stops producers before consumers; what is embedded is committed.
    func close() {
        server.stop()
        collections.stopWatching()
        embedder.stop()
        collections.close()
    }
}
