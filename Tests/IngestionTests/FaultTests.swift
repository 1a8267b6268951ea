import Catalog
import Embedding
import Foundation
import Inference
import Platform
import TestSupport
import Testing

@testable import Ingestion

/// What happens when disks, devices and files fail.
@Suite struct FaultTests {
    @Test func `A full disk pauses with a reason, and it goes on by itself`() throws {
        let ground = try Playground()
        ground.idle()
        ground.ledger.fail(with: .storageFull(detail: "the state folder's disk is full"))
        for index in 0..<10 { try ground.write("root/\(index).jpg") }
        ground.eventually { ground.ingestor.status.pauseReason?.contains("disk is full") ?? false }
        #expect(ground.indexed.isEmpty)
        #expect(!ground.ingestor.waitUntilIdle(until: .now + 0.1))
        ground.ledger.fail(with: nil)
        // On a busy machine some of the ten may not have been noticed when the first were committed.
        ground.eventually { ground.indexed.count == 10 }
        ground.idle()
        #expect(ground.embedder.embeddedCount == 10, "what was embedded was kept")
        #expect(ground.ingestor.status.pauseReason == nil)
    }

    @Test func `Stopping while the disk is full waits for no further try, and the next start makes up for it`() throws {
        var configuration = Playground.quick
        // Longer than any busy machine needs to stop, so that a stop that waits for it shows.
        configuration.pauseInterval = 600
        let ground = try Playground(configuration)
        ground.idle()
        ground.ledger.fail(with: .storageFull(detail: "full"))
        for index in 0..<10 { try ground.write("root/\(index).jpg") }
        ground.eventually { ground.ingestor.status.pauseReason != nil }
        let start = Instant.now
        try ground.restart { ground.ledger.fail(with: nil) }
        #expect(Instant.now - start < 300)
        ground.idle()
        #expect(ground.indexed.count == 10)
    }

    @Test func `Stopping in the middle of a load drops what waits and keeps what was embedded`() throws {
        // More files than may be in flight: a stop that reads on would index all.
        let ground = try Playground(secondsPerImage: 0.01, files: (0..<300).map { "\($0).jpg" })
        ground.eventually { ground.indexed.count > 20 }
        var atStop = 0
        try ground.restart { atStop = ground.indexed.count }
        #expect(atStop > 20)
        ground.idle()
        #expect(ground.indexed.count == 300)
    }

    @Test func `A lost device pauses with a reason; no file is blamed`() throws {
        let ground = try Playground()
        ground.idle()
        ground.embedder.fail(with: .backend(.deviceLost(device: "gpu0", detail: "it fell out")))
        try ground.write("root/a.jpg")
        ground.eventually { ground.ingestor.status.pauseReason?.contains("fell out") ?? false }
        #expect(ground.failed.isEmpty)
        ground.embedder.fail(with: nil)
        ground.idle()
        #expect(ground.indexed.count == 1)
        #expect(ground.ingestor.status.pauseReason == nil)
    }

    @Test func `Broken files do not hold up the others`() throws {
        let ground = try Playground()
        for index in 0..<100 {
            try ground.write("root/\(index).jpg", index % 2 == 0 ? "broken \(index)" : "good \(index)")
        }
        ground.idle()
        #expect(ground.indexed.count == 50)
        #expect(ground.failed.count == 50)
        #expect(ground.ingestor.status.roots.first.map { [$0.indexedCount, $0.failedCount] } == [50, 50])
    }

    @Test func `A change that the catalog refuses does not take its batch along`() throws {
        let ground = try Playground()
        ground.idle()
        ground.ledger.state.withLockNotifyingAll { $0.refusedPath = RelativePath("7.jpg") }
        for index in 0..<20 { try ground.write("root/\(index).jpg") }
        ground.idle()
        #expect(ground.indexed.count == 19)
    }

    @Test func `A file that fails with a transient error is tried again when it is due`() throws {
        var configuration = Playground.quick
        configuration.backoffDelays = [0.1, 0.1, 0.1, 60]
        let ground = try Playground(configuration)
        ground.idle()
        ground.embedder.fail(with: .backend(.nonFinite(images: [0])))
        try ground.write("root/a.jpg")
        ground.eventually {
            guard case .failed(let failure) = ground.ledger.rows.values.first?.state else { return false }
            return failure.attempts >= 2
        }
        #expect(ground.failed == ["a.jpg": "non-finite"])
        ground.embedder.fail(with: nil)
        ground.eventually { ground.indexed.count == 1 }
    }

    @Test func `A root that is moved away is offline, loses nothing, and comes back`() throws {
        let ground = try Playground(files: (0..<10).map { "\($0).jpg" })
        ground.idle()
        let before = ground.indexed
        try ground.move("root", "elsewhere")
        ground.eventually { ground.state == .offline }
        #expect(ground.ingestor.status.roots.first?.detail.isEmpty == false)
        sleep(seconds: 0.2)
        #expect(ground.indexed == before)
        // An empty folder in its place is what an unmounted disk leaves.
        try ground.makeDirectory("root")
        sleep(seconds: 0.2)
        #expect(ground.state == .offline)
        #expect(ground.indexed == before)
        try ground.remove("root")
        try ground.write("elsewhere/new.jpg")
        try ground.move("elsewhere", "root")
        ground.eventually { ground.indexed.count == 11 }
        ground.idle()
        #expect(ground.state == .live)
        #expect(ground.embedder.embeddedCount == 11)
        try ground.remove("root/3.jpg")
        ground.idle()
        #expect(ground.indexed.count == 10, "it is watched again")
    }

    @Test func `A root that is missing at start is offline, and is found when it comes`() throws {
        let ground = try Playground(files: ["a.jpg"])
        ground.idle()
        try ground.restart { try ground.move("root", "elsewhere") }
        ground.eventually { ground.state == .offline }
        #expect(ground.ingestor.waitUntilIdle(until: .now + 60))
        #expect(ground.indexed.count == 1)
        try ground.move("elsewhere", "root")
        ground.eventually { ground.state == .live }
        ground.idle()
        #expect(ground.embedder.embeddedCount == 1)
    }

    @Test func `Very many missing files are believed at the second look only`() throws {
        var configuration = Playground.quick
        configuration.guardCount = 10
        // The second look comes after the checks below, however busy the machine is: a rescan does not ask for it.
        configuration.guardDelay = 5
        let ground = try Playground(configuration, files: (0..<40).map { "\($0).jpg" })
        ground.idle()
        try ground.restart { for index in 0..<30 { try ground.remove("root/\(index).jpg") } }
        sleep(seconds: 0.2)
        #expect(ground.indexed.count == 40)
        ground.idle()
        #expect(ground.indexed.count == 10)
    }

    @Test func `The last file of a root may be deleted while it is watched`() throws {
        let ground = try Playground(files: ["only.jpg"])
        ground.idle()
        try ground.remove("root/only.jpg")
        ground.idle()
        #expect(ground.ledger.rows.isEmpty)
        #expect(ground.state == .live)
    }
}
