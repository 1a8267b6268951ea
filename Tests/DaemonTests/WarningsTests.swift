import Catalog
import Inference
import Ingestion
import Testing
import Wire

@testable import Daemon

@Suite struct WarningsTests {
    private func health(_ state: String) -> GraphicsHealth {
        var health = DeviceHealth()
        health.device = "Voodoo2"
        var wire = GraphicsHealth(health)
        wire.state = state
        return wire
    }

    private func kinds(
        _ pause: IngestionPause?,
        unwatched: [ConfiguredRoots.Failure] = [],
        unusable: [(name: CollectionName, reason: String)] = [],
        deviceState: String = "serving",
        diskFree: UInt64 = 1 << 40
    ) -> [String] {
        let model = ModelBody(
            name: "m",
            architecture: "VGG16",
            dimension: 512,
            sha256: "",
            defaultHead: "max",
            untrained: false,
            inUse: true,
            licence: nil
        )
        let work = IngestionStatus(
            roots: [],
            waitingCount: 0,
            doneCount: 0,
            imagesPerSecond: 0,
            remainingSeconds: nil,
            pause: pause
        )
        return Warnings.all(
            model: model,
            work: work,
            unusable: unusable,
            unwatched: unwatched,
            graphics: [health(deviceState)],
            diskFree: diskFree
        ).map(\.kind)
    }

    /// The words of a reason may be anything: a GPU out of "disk space" is no full disk.
    @Test(arguments: [
        (IngestionPause.Kind.storageFull, "disk-full"), (.storageFailing, "storage-failing"),
        (.device, "device-failing"),
    ])
    func thePausesKindDecides(_ kind: IngestionPause.Kind, _ expected: String) {
        #expect(kinds(IngestionPause(kind: kind, reason: "no room on the disk's space")) == [expected])
    }

    @Test func whatIsMissingIsSaid() {
        #expect(kinds(nil).isEmpty)
        #expect(kinds(nil, diskFree: 1000) == ["disk-low"])
        #expect(kinds(nil, deviceState: "recovering") == ["device-lost"])
        #expect(kinds(nil, deviceState: "closed") == ["device-closed"])
        #expect(kinds(nil, deviceState: "opening") == [])
        #expect(kinds(nil, unusable: [(.standard, "damaged")]) == ["collection-unusable"])
        #expect(kinds(nil, unwatched: [.init(path: "/away", reason: "gone")]) == ["root-unwatched"])
    }
}
