import Catalog
import Foundation
import Harness
import Platform

/// `likeness-bench maintenance`: what backup, verification and rebuilding take, and what searches feel of them.
enum MaintenanceBench {
    private static let dimension = 512
    /// Images in one commit.
    private static let batchCount = 256

    static let command = CommandTable.Command(
        "maintenance",
        [
            OptionDescription("count", .integer(1...Int(Int32.max)), "images (100000)"),
            OptionDescription("store", .text(placeholder: "DIR"), "a store to keep, or to go on with"),
        ],
        run: run
    )

    static func run(_ arguments: Arguments) throws {
        try withFolder(arguments.text("store")) { try run(arguments.integer("count") ?? 100_000, $0) }
    }

    private static func run(_ count: Int, _ folder: String) throws {
        let catalog = try Catalog(directory: folder, dimension: dimension, fingerprint: "bench")
        defer { catalog.close() }
        try fill(catalog, count)
        try measure("idle", catalog, count) { sleep(seconds: 3) }
        for (name, isCompacting) in [("backup", false), ("backup compact", true)] {
            try measure(name, catalog, count) {
                let copy = try catalog.copy(isCompacting: isCompacting)
                while try !copy.next().isEmpty {}
            }
        }
        try measure("verify", catalog, count) {
            let verification = catalog.verification()
            while let step = try verification.next() {
                if case .finding(let finding) = step { throw HarnessFailure("\(finding)") }
            }
        }
        try measure("rebuild", catalog, count) {
            let rebuilding = catalog.rebuilding()
            while try rebuilding.next() != nil {}
        }
    }

    private static func fill(_ catalog: Catalog, _ count: Int) throws {
        let root = try catalog.addRoot(RelativePath("/photos")).id
        var next = catalog.statistics.imageCount
        while next < count {
            let end = min(next + batchCount, count)
            _ = try catalog.apply(
                (next..<end).map { number in
                    .index(
                        key: FileKey(root: root, path: RelativePath("folder \(number / 1000)/photo \(number).jpg")),
                        stamp: FileStamp(device: 1, inode: UInt64(number), byteCount: 1, modified: 1, changed: 1),
                        content: SHA256Digest(of: Array("\(number)".utf8)),
                        embedded: ImageFeatures(vector: features(number), format: "jpeg", width: 640, height: 480),
                        document: []
                    )
                }
            )
            next = end
        }
        while catalog.statistics.pendingCount > 0 { sleep(seconds: 0.2) }
    }

    /// Searches on one thread, 200 a second, while `body` runs.
    private static func measure(_ name: String, _ catalog: Catalog, _ count: Int, _ body: () throws -> Void) throws {
        let isOver = Monitor(false)
        let result = Monitor<Result<Latencies, any Error>>(.success(Latencies()))
        let thread = try WorkerThread(name: "bench-search") {
            var times = Latencies()
            do {
                var number = 1
                while !isOver.withLock({ $0 }) {
                    let start = Instant.now
                    _ = try catalog.search(CatalogQuery(vector: features(-number)))
                    times.seconds.append(Instant.now - start)
                    number += 1
                    sleep(seconds: 0.005)
                }
                result.withLockNotifyingAll { [times] in $0 = .success(times) }
            } catch { result.withLockNotifyingAll { $0 = .failure(error) } }
        }
        let start = Instant.now
        let outcome = Result { try body() }
        let seconds = Instant.now - start
        isOver.withLockNotifyingAll { $0 = true }
        thread.join()
        try outcome.get()
        let times = try result.withLock { try $0.get() }
        guard times.count > 0 else { throw HarnessFailure("no search ended during \(name)") }
        try printLine([
            "bench": "maintenance", "step": name, "count": count, "seconds": (seconds * 1000).rounded() / 1000,
            "searches": times.count, "p50_us": times.p50,
            "p99_us": times.p99, "bytes": catalog.statistics.diskByteCount,
        ])
    }

    /// Non-negative, of a few dozen directions: as convolutions give them. The same for the same number.
    private static func features(_ number: Int) -> [Float] {
        var state = UInt64(bitPattern: Int64(number)) &* 0x9E37_79B9_7F4A_7C15 | 1
        func next() -> Float {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Float(state >> 40) / Float(1 << 24) - 0.5
        }
        let factors = (0..<24).map { _ in next() }
        let raw = (0..<dimension).map { component -> Float in
            var sum: Float = 0.05 * next()
            for (index, factor) in factors.enumerated() {
                sum += factor * Float((component &* 2_654_435_761 &+ index &* 40_503) % 1009) / 1009 - factor / 2
            }
            return max(0, sum)
        }
        let norm = max(1e-6, raw.reduce(0) { $0 + $1 * $1 }.squareRoot())
        return raw.map { $0 / norm }
    }
}
