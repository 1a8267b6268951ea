import Foundation
import Inference
import Platform

/// `features`: the vectors of raw images, for comparison with other programs.
enum FeaturesBench {
    private static let batch = 8

    /// Reads `[n, side, side, 3]` bytes, writes n rows as fvecs, prints one JSON object.
    static func run(_ arguments: [String]) throws {
        var options = BackendOptions()
        var head = Head.max
        var input: String?
        var output: String?
        var preprocessing: Preprocessing?
        for (name, value) in try optionPairs(arguments) where try !options.take(name, value) {
            switch name {
            case "--head":
                guard let known = Head(rawValue: value) else { throw BenchFailure("--head takes max, mean or gem3") }
                head = known
            case "--preprocessing":
                guard let known = ["keras": Preprocessing.keras, "torchvision": .torchvision][value] else {
                    throw BenchFailure("--preprocessing takes keras or torchvision")
                }
                preprocessing = known
            case "--input": input = value
            case "--output": output = value
            default: throw BenchFailure("features does not take \(name)")
            }
        }
        guard let input, let output else { throw BenchFailure("features needs --input and --output") }

        let network = try Model.open(weights: options.weights, preprocessing: preprocessing).network
        let imageByteCount = network.preprocessing.side * network.preprocessing.side * 3
        let pixels = [UInt8](try Data(contentsOf: URL(filePath: input)))
        guard !pixels.isEmpty, pixels.count.isMultiple(of: imageByteCount) else {
            throw BenchFailure("\(input) holds \(pixels.count) bytes, no multiple of \(imageByteCount)")
        }
        let imageCount = pixels.count / imageByteCount
        let backend = try options.open(network, maximumBatch: min(batch, imageCount))
        var file = Data()
        for first in stride(from: 0, to: imageCount, by: backend.maximumBatchCount) {
            let count = min(backend.maximumBatchCount, imageCount - first)
            let bytes = pixels.span.extracting(first * imageByteCount..<(first + count) * imageByteCount)
            var rows = [Float](repeating: 0, count: count * network.outputChannels)
            var span = rows.mutableSpan
            try backend.run(bytes.bytes, count: count, heads: [head], into: &span)
            for (index, value) in rows.enumerated() {
                if index.isMultiple(of: network.outputChannels) { append(UInt32(network.outputChannels), to: &file) }
                append(value.bitPattern, to: &file)
            }
        }
        try file.write(to: URL(filePath: output), options: .atomic)
        try printLine([
            "bench": "features", "backend": backend.description.backend, "device": backend.description.device,
            "tier": backend.description.tier, "weights": options.weights, "head": head.rawValue, "images": imageCount,
        ])
    }

    /// Little-endian, as fvecs wants it.
    private static func append(_ value: UInt32, to file: inout Data) {
        withUnsafeBytes(of: value.littleEndian) { file.append(contentsOf: $0) }
    }
}
