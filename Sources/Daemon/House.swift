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
    private let catalog: Catalog
    private let embedder: Embedder
    private let ingestor: Ingestor
    private let server: HTTPServer
    private let log = Log("daemon")

    init(_ configuration: Configuration, environment: [String: String]) throws {
        let start = Instant.now
        let state = configuration.stateDirectory
        try Self.makeFolder(state)
        try Self.emptyFolder("\(state)/tmp")
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
        let token = try configuration.http.map { _ throws(ConfigurationError) in
            try PageToken.load(stateDirectory: state, environment: environment)
        }
        var serving = ServerConfiguration()
        serving.administrators = Set(configuration.admins)
        let control = Control(
            catalog: catalog,
            embedder: embedder,
            ingestor: ingestor,
            decoder: decoder,
            library: library,
            rootList: rootList,
            facts: Control.Facts(
                model: .init(choice.model.summary, inUse: true),
                head: choice.head,
                backendReason: backend.reason,
                stateDirectory: state,
                modelIsFile: configuration.weights != nil,
                modelIsFixed: choice.isFixed,
                pageLink: token.flatMap { token in configuration.http.map { "http://\($0)/#token=\(token.text)" } },
                limits: serving.limits.named
            )
        )
        server = try HTTPServer(
            addresses: Self.addresses(configuration, token: token, environment: environment),
            control: control,
            configuration: serving
        )
        // Consumers run; now the producers. Answers come from the stored index while the first scan is at work.
        try ingestor.start()
        for root in configuration.roots { try watch(root) }
        try rootList.save(catalog)
        let device = backend.backend.description
        log.notice(
            "model \(choice.model.summary.name), head \(choice.head.rawValue), \(network.outputChannels) dimensions"
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
        if let reason = work.pauseReason { return "\(images) images; paused: \(reason)" }
        return work.waitingCount > 0 ? "\(images) images, \(work.waitingCount) to go" : "\(images) images"
    }

    /// Whether the writer thread takes a turn.
    var isAlive: Bool { (try? catalog.apply([])) != nil }

    func rescan() { ingestor.rescan(nil) }

    /// Stops producers before consumers; what is embedded is committed.
    func close() {
        server.stop()
        ingestor.stop()
        embedder.stop()
        catalog.close()
    }

    /// A root that cannot be watched now does not keep the others from being served.
    private func watch(_ root: String) throws {
        let path = root.hasPrefix("/") ? root : "\(FileManager.default.currentDirectoryPath)/\(root)"
        do { _ = try ingestor.addRoot(path) } catch { log.error("cannot watch \(root): \(error)") }
    }

    /// One environment a collection and fingerprint: vectors of two models never meet, and going back costs nothing.
    private static func collectionFolder(state: String, fingerprint: String) -> String {
        let name = SHA256Digest(of: Array(fingerprint.utf8)).description.prefix(16)
        return "\(state)/collections/default/\(name)"
    }

    private static func addresses(
        _ configuration: Configuration,
        token: AccessToken?,
        environment: [String: String]
    ) throws -> [ListenAddress] {
        let inherited = ServiceManager.inheritedSockets(environment: environment)
        // The server closes what it is given; the originals stay for a restart in place.
        func copy(_ name: String) throws -> Int32? {
            try inherited[name].map { original in
                try retrying("copy the service manager's socket") { fcntl(original, F_DUPFD_CLOEXEC, 10) }
            }
        }
        var addresses = [ListenAddress.unix(path: configuration.socketPath, inherited: try copy("api"))]
        if let http = configuration.http, let token {
            guard let colon = http.lastIndex(of: ":"), let port = UInt16(http[http.index(after: colon)...]) else {
                throw ConfigurationError("http: '\(http)' is not HOST:PORT, such as 127.0.0.1:8473")
            }
            let host = http[..<colon].trimmingCharacters(in: ["[", "]"])
            addresses.append(.tcp(host: host, port: port, inherited: try copy("http"), token: token))
        }
        return addresses
    }

    private static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw ConfigurationError("the state folder \(path) cannot be made: \(error.localizedDescription)")
        }
    }

    /// A folder without what a killed daemon left in it.
    private static func emptyFolder(_ path: String) throws {
        try? FileManager.default.removeItem(atPath: path)
        try makeFolder(path)
    }
}
