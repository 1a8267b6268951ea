package import Foundation
package import Inference
import Platform
package import Testing

/// Photos, hostile files and reference features beside the project; never part of it.
package enum SharedData {
    /// The project's top folder.
    package static let projectRoot = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// `../shared` from the project's top folder.
    package static let folder = projectRoot.deletingLastPathComponent().appending(path: "shared")

    package static let photos = folder.appending(path: "data/corel1k")
    package static let hostile = folder.appending(path: "data/hostile")
    package static let reference = folder.appending(path: "data/reference")
    package static let models = folder.appending(path: "models")

    /// Heads that `reference` has features of; ONNX Runtime computed no R-MAC.
    package static let referenceHeads = [Head.max, .mean, .gem3]

    package static var isPresent: Bool { FileManager.default.fileExists(atPath: photos.path) }

    /// Rows of an `.fvecs` file: a little-endian int32 dimension, then that many float32.
    package static func fvecs(_ file: URL) throws -> [[Float]] {
        let data = [UInt8](try Data(contentsOf: file))
        var rows: [[Float]] = []
        var at = 0
        while at + 4 <= data.count {
            let dimension = Int(data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: Int32.self) })
            rows.append(
                (0..<dimension).map { index in
                    data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at + 4 + 4 * index, as: Float.self) }
                }
            )
            at += 4 + 4 * dimension
        }
        return rows
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips where `../shared` is absent, unless `LIKENESS_TESTS_REQUIRE_ALL` is set: then the test runs, and fails.
    package static var requiresSharedData: Self {
        .enabled(
            if: SharedData.isPresent || TestEnvironment.requiresAll,
            "needs ../shared beside the project"
        )
    }
}

/// What the test command says of this run.
package enum TestEnvironment {
    /// Set by `Tests/run.sh`: nothing may be skipped for what the machine lacks.
    package static let requiresAll = ProcessInfo.processInfo.environment["LIKENESS_TESTS_REQUIRE_ALL"] != nil

    /// Seconds for random campaigns: `LIKENESS_TESTS_SECONDS`, else `standard`.
    package static func seconds(_ standard: Double) -> Double {
        ProcessInfo.processInfo.environment["LIKENESS_TESTS_SECONDS"].flatMap(Double.init) ?? standard
    }

    /// Runs a random campaign with one seed after the other, once at least, until its time is over.
    package static func campaign(seconds standard: Double, _ body: (UInt64) throws -> Void) rethrows {
        let deadline = Instant.now + seconds(standard)
        var seed: UInt64 = 1
        repeat {
            try body(seed)
            seed += 1
        } while Instant.now < deadline
    }
}

/// A folder of its own for a test, removed with the value.
package final class TemporaryDirectory: Sendable {
    package let url: URL
    package var path: String { url.path }

    package init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "likeness-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}

/// Cosine similarity in double precision.
package func cosine(_ a: [Float], _ b: [Float]) -> Double {
    precondition(a.count == b.count, "vectors of \(a.count) and \(b.count)")
    var dot = 0.0
    var aa = 0.0
    var bb = 0.0
    for (x, y) in zip(a, b) {
        dot += Double(x) * Double(y)
        aa += Double(x) * Double(x)
        bb += Double(y) * Double(y)
    }
    return dot / (aa * bb).squareRoot()
}
