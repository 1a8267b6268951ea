import Foundation
import Harness
import Inference
import ModelFiles
import Platform

/// `weights`: what a weight file holds; equal digests mean equal numbers in any format.
enum WeightsBench {
    static let command = CommandTable.Command("weights", [BackendOptions.weights], run: run)

    /// Opens the file and prints one JSON object.
    static func run(_ arguments: Arguments) throws {
        let weights = try arguments.needed("weights")
        let start = Instant.now
        let model = try Model.open(weights: weights)
        try printLine([
            "bench": "weights", "weights": weights, "architecture": model.summary.architecture,
            "preprocessing": model.network.preprocessing.canonicalText,
            "digest": model.summary.digest, "seconds": Instant.now - start,
            "peak_memory_bytes": OwnProcess.peakMemoryByteCount,
        ])
    }
}
