import DeviceReports
import Inference
import Ingestion
import Testing
import Wire

@testable import Server

struct WarningsTests {
    private func kinds(
        _ pause: IngestionPause?,
        unwatched: [UnwatchedRoot] = [],
        unusable: [UnusableCollection] = [],
        deviceState: DeviceHealth.State = .serving,
        freeDiskByteCount: UInt64 = 1 << 40
    ) -> [String] {
        var work = IngestionStatus.sum([])
        work.pause = pause
        var health = DeviceHealth()
        health.device = "Voodoo2"
        health.state = deviceState
        let conditions = DaemonConditions(
            work: work,
            unusable: unusable,
            unwatched: unwatched,
            isModelUntrained: false,
            backend: BackendDescription(backend: "cpu", device: "test", tier: "fp32", threads: 1),
            devices: [health],
            freeDiskByteCount: freeDiskByteCount
        )
        return Warning.all(conditions).map(\.kind)
    }

    /// The words of a reason may be anything: a GPU out of "disk space" is no full disk.
    @Test(arguments: [
        (IngestionPause.Kind.storageFull, "disk-full"), (.storageFailing, "storage-failing"),
        (.device, "device-failing"),
    ])
    func `the kind of a pause decides`(_ kind: IngestionPause.Kind, _ expected: String) {
        #expect(kinds(IngestionPause(kind: kind, reason: "no room on the disk's space")) == [expected])
    }

    @Test func `what is missing is said`() {
        #expect(kinds(nil).isEmpty)
        #expect(kinds(nil, freeDiskByteCount: 1000) == ["disk-low"])
        #expect(kinds(nil, deviceState: .recovering) == ["device-lost"])
        #expect(kinds(nil, deviceState: .closed) == ["device-closed"])
        #expect(kinds(nil, deviceState: .opening) == [])
        #expect(kinds(nil, unusable: [.init(name: "a", reason: "damaged")]) == ["collection-unusable"])
        #expect(kinds(nil, unwatched: [.init(path: "/away", reason: "gone")]) == ["root-unwatched"])
    }
}
