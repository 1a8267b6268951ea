internal import Catalog
internal import Embedding
internal import Foundation
internal import Glibc
internal import Imaging
internal import Inference
internal import Ingestion
internal import Platform
internal import Server

/// All rooms of one running daemon, open.
final class House: Sendable {
    private let folder: StateFolder
    private let catalog: Catalog
    private let embedder: Embedder
    private let ingestor: Ingestor
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
        let backend = try BackendChoice(configuration, network: network)
        let fingerprint = network.fingerprint(head: choice.head)
        catalog = try Catalog(
            directory: Self.collectionFolder(state: state, fingerprint: fingerprint),
            dimension: network.outputChannels,
            fingerprint: fingerprint
        )
        let rootList = RootList(stateDirectory: state)
        try rootList.reconcile(catalog)
        let collection = catalog
        let decoder = InProcessDecoder()
        var embedding = Embedder.Configuration()
        embedding.head = choice.head
        embedding.decoderCount = configuration.threads ?? WorkerThread.availableCoreCount
        embedder = try Embedder(
            network: network,
            backend: backend.backend,
            decoder: decoder,
            configuration: embedding,
            fallback: backend.fallback
        )
        ingestor = Ingestor(catalog: catalog, embedder: embedder)
        let watcher = ingestor
        configuredRoots = ConfiguredRoots(configuration.roots) { path in
            _ = try watcher.addRoot(path)
            try rootList.save(collection)
        }
        let sockets = try ListeningPlan(configuration, environment: environment, stateDirectory: state)
        var serving = ServerConfiguration()
        serving.administrators = Set(configuration.admins)
        let control = Control(
            catalog: catalog,
            embedder: embedder,
            ingestor: ingestor,
            decoder: decoder,
            library: library,
            rootList: rootList,
            configuredRoots: configuredRoots,
            facts: Control.Facts(
                model: .init(choice.model.summary, inUse: true),
                head: choice.head,
                backendReason: backend.reason,
                folder: folder,
                modelIsFile: configuration.weights != nil,
                modelIsFixed: choice.isFixed,
                fixedHead: configuration.head == nil ? nil : choice.head,
                backend: backend.backend.description.backend,
                limits: serving.limits.named
            )
        )
        server = try HTTPServer(
            addresses: sockets.addresses,
            control: control,
            configuration: serving
        )
        control.page.update { [server] in $0 = sockets.pageLink(port: server.ports.first) }
        // Consumers run; now the producers. Answers come from the stored index while the first scan is at work.
        try ingestor.start()
        configuredRoots.tryAgain()
        let device = backend.backend.description
        log.notice(
            "model \(choice.model.summary.name), head \(choice.head.rawValue), \(network.outputChannels) dimensions"
                + (catalog.whitening.map { ", whitened by what \($0.sampleCount) vectors have in common" } ?? "")
        )
        log.notice("computing on \(device.backend): \(device.device), \(device.tier) (\(backend.reason))")
        log.notice(
            "ready after \(Int((Instant.now - start) * 1000)) ms with \(catalog.statistics.imageCount) images, "
                + "listening on \(configuration.socketPath)"
        )
    }

    /// One line for the service manager.
    var summary: String {
        let work = ingestor.status
        let images = catalog.statistics.imageCount
        if let pause = work.pause { return "\(images) images; paused: \(pause.reason)" }
        return work.waitingCount > 0 ? "\(images) images, \(work.waitingCount) to go" : "\(images) images"
    }

    /// Whether the writer thread comes round. A transaction on a slow disk may take this long, not longer.
    var isAlive: Bool { catalog.secondsSinceWriterTurn < 30 }

    func rescan() {
        configuredRoots.tryAgain()
        ingestor.rescan(nil)
    }

    /// Looks whether folders of the settings that could not be watched can be now.
    func retryRoots() { configuredRoots.tryAgain() }

    /// Stops producers before consumers; what is embedded is committed.
    func close() {
        server.stop()
        ingestor.stop()
        embedder.stop()
        catalog.close()
    }

    /// One environment a collection and fingerprint: vectors of two models never meet, and going back costs nothing.
    private static func collectionFolder(state: String, fingerprint: String) -> String {
        let name = SHA256Digest(of: Array(fingerprint.utf8)).description.prefix(16)
        return "\(state)/collections/default/\(name)"
    }
}
