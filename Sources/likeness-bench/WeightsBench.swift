import Foundation
import Inference
import ModelFiles
import Platform

/// `weights`: what a weight file holds; equal digests mean equal numbers in any format.
enum WeightsBench {
    /// Opens the file and prints one JSON object.
    static func run(_ arguments: [String]) throws {
        guard arguments.count == 2, arguments[0] == "--weights" else {
            throw BenchFailure("weights takes --weights and nothing else")
        }
        let start = Instant.now
        let model = try Model.open(weights: arguments[1])
        try printLine([
            "bench": "weights", "weights": arguments[1], "architecture": model.summary.architecture,
            "preprocessing": model.network.preprocessing.canonicalText,
            "digest": model.summary.digest, "seconds": Instant.now - start,
            "peak_memory_bytes": peakMemoryByteCount,
        ])
    }
}
