import Catalog
import Foundation
import Ingestion
import Platform
import TestSupport
import Testing

/// A folder, a ledger in memory and an ingestor between them, with times a tenth of the real ones or less.
final class Playground {
    let folder: TemporaryDirectory
    let ledger: MemoryLedger
    let embedder: FakeEmbedder
    private(set) var ingestor: Ingestor
    let configuration: IngestionConfiguration
    /// Of the root; a change counts from the next start.
    var settings: RootSettings
    private(set) var root = RootID(rawValue: 0)

    static var quick: IngestionConfiguration {
        var configuration = IngestionConfiguration()
        configuration.closedDelay = 0.02
        configuration.probeInterval = 0.03
        configuration.removalDelay = 0.1
        configuration.removalTimeout = 1
        configuration.racyWindow = 0.05
        configuration.offlineInterval = 0.05
        configuration.lookInterval = 0.05
        configuration.longestComparisonPause = 0.4
        configuration.laterLooks = [0.3, 0.8]
        configuration.pollInterval = 0.1
        configuration.guardDelay = 0.1
        configuration.pauseInterval = 0.05
        configuration.commitDelay = 0.005
        configuration.countDelay = 0.05
        return configuration
    }

    init(
        _ configuration: IngestionConfiguration = Playground.quick,
        secondsPerImage: Double = 0,
        files: [String] = [],
        watching subfolder: String = "root",
        settings: RootSettings = RootSettings()
    ) throws {
        self.settings = settings
        self.configuration = configuration
        folder = try TemporaryDirectory()
        ledger = MemoryLedger()
        embedder = try FakeEmbedder(secondsPerImage: secondsPerImage)
        ingestor = Ingestor(
            ledger: ledger,
            embedder: embedder,
            configuration: configuration,
            settings: { _ in settings }
        )
        try makeDirectory(subfolder)
        for file in files { try write("root/" + file) }
        root = try ingestor.addRoot(path(subfolder), settings: settings).id
        try ingestor.start()
    }

    deinit {
        ingestor.stop()
        embedder.stop()
    }

    /// Ends the ingestor and starts another on the same ledger; `meanwhile` happens between.
    func restart(_ meanwhile: () throws -> Void = {}) throws {
        ingestor.stop()
        try meanwhile()
        ingestor = Ingestor(
            ledger: ledger,
            embedder: embedder,
            configuration: configuration,
            settings: { [settings] _ in settings }
        )
        try ingestor.start()
    }

    func path(_ relative: String) -> String { folder.path + "/" + relative }

    func makeDirectory(_ relative: String) throws {
        try FileManager.default.createDirectory(atPath: path(relative), withIntermediateDirectories: true)
    }

    /// Writes in place, as `cp` does; the content is the name unless told.
    func write(_ relative: String, _ content: String? = nil) throws {
        try Data((content ?? "image \(relative)").utf8).write(to: URL(filePath: path(relative)))
    }

    func move(_ old: String, _ new: String) throws {
        let code = rename(path(old), path(new))
        try #require(code == 0)
    }

    func remove(_ relative: String) throws { try FileManager.default.removeItem(atPath: path(relative)) }

    /// Waits until all is done; what is wrong is told with the place of the call.
    func idle(_ location: SourceLocation = #_sourceLocation) {
        let isIdle = ingestor.waitUntilIdle(until: .now + 60)
        #expect(isIdle, "still busy: \(ingestor.status)", sourceLocation: location)
    }

    /// Waits until no file is to be read once more because its stamp was racy, which `idle` does not wait for.
    func idleWithoutRacyStamps(_ location: SourceLocation = #_sourceLocation) {
        eventually(location) { ledger.rows.values.allSatisfy { $0.stamp.changed != 0 } }
        idle(location)
    }

    /// Waits for something that no idle state tells of.
    func eventually(_ location: SourceLocation = #_sourceLocation, _ condition: () -> Bool) {
        let deadline = Instant.now + 60
        while !condition(), Instant.now < deadline { sleep(seconds: 0.01) }
        #expect(condition(), "not within 60 s: \(ingestor.status)", sourceLocation: location)
    }

    var indexed: [String: ImageID] { ledger.indexed(root) }
    var failed: [String: String] { ledger.failed(root) }
    var state: RootState? { ingestor.status.roots.first { $0.root.id == root }?.state }
}
