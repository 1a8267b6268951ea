import Foundation
import Harness
import Inference
import InferenceCPU
import ModelFiles
import Platform

/// `layers`: where the time of the convolutions goes on the processor, one JSON object a layer.
enum LayersBench {
    static let command = CommandTable.Command("layers", BatchOptions.options, run: run)

    /// Measures batches for some seconds and prints medians.
    static func run(_ arguments: Arguments) throws {
        let wanted = BatchOptions(arguments)
        let (options, batch, seconds) = (wanted.backend, wanted.batch, wanted.seconds)
        guard options.backend == "cpu" else { throw HarnessFailure("layers takes no --backend but cpu") }
        let network = try Model.open(weights: options.weights).network
        let backend = try CPUBackend(network: network, threads: options.threadCount, maximumBatch: batch)
        let side = network.preprocessing.side
        let pixels = [UInt8](repeating: 100, count: batch * side * side * 3)
        var rounds: [[LayerTime]] = []
        let start = Instant.now
        // The first two batches warm caches and pages and are not counted.
        for round in 0... {
            let layers = backend.layerTimes(pixels.span.bytes, count: batch)
            if round >= 2 { rounds.append(layers) }
            if round >= 2, Instant.now - start >= seconds { break }
        }
        func median(_ layer: Int, _ value: (LayerTime) -> Double) -> Double {
            let values = rounds.map { value($0[layer]) }.sorted()
            return 1000 * values[values.count / 2] / Double(batch)
        }
        let threads = Double(options.threadCount)
        for (index, layer) in (rounds.first ?? []).enumerated() {
            let time = median(index) { $0.seconds }
            let product = median(index) { $0.productSeconds } / threads
            let input = median(index) { $0.inputTransformSeconds } / threads
            let output = median(index) { $0.outputTransformSeconds } / threads
            let other = median(index) { $0.otherSeconds } / threads
            try printLine([
                "bench": "layers", "weights": options.weights, "batch": batch, "threads": options.threadCount,
                "layer": layer.name, "milliseconds": time, "product_ms": product, "input_transform_ms": input,
                "output_transform_ms": output, "other_ms": other,
                "waiting_ms": max(0, time - product - input - output - other),
                "product_gflops": Double(layer.productOperationCount) / Double(batch) / 1e6 / max(product, 1e-9),
            ])
        }
    }
}
