import Foundation
import Inference
import InferenceCPU
import Platform

/// `features`: the vectors of raw images, or the last maps, for comparison with other programs.
enum FeaturesBench {
    private static let batch = 8

    /// Reads `[n, side, side, 3]` bytes, writes n rows as fvecs, prints one JSON object.
    static func run(_ arguments: [String]) throws {
        var options = BackendOptions()
        // Nil for the last map.
        var head: Head? = .max
        var input: String?
        var output: String?
        var preprocessing: Preprocessing?
        for (name, value) in try optionPairs(arguments) where try !options.take(name, value) {
            switch name {
            case "--head":
                head = Head(rawValue: value)
                guard head != nil || value == "map" else {
                    let heads = Head.allCases.map(\.rawValue).joined(separator: ", ")
                    throw BenchFailure("--head takes \(heads) or map")
                }
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
            let rows = try rows(backend, bytes.bytes, count, head, network.outputChannels)
            let dimension = rows.count / count
            for (index, value) in rows.enumerated() {
                if index.isMultiple(of: dimension) { append(UInt32(dimension), to: &file) }
                append(value.bitPattern, to: &file)
            }
        }
        try file.write(to: URL(filePath: output), options: .atomic)
        try printLine([
            "bench": "features", "backend": backend.description.backend, "device": backend.description.device,
            "tier": backend.description.tier, "weights": options.weights, "head": head?.rawValue ?? "map",
            "images": imageCount,
        ])
    }

    /// One row an image: a vector, or `[height, width, channels]` of the last map.
    private static func rows(
        _ backend: any ConvolutionBackend,
        _ pixels: RawSpan,
        _ count: Int,
        _ head: Head?,
        _ dimension: Int
    ) throws -> [Float] {
        guard let head else {
            guard let processor = backend as? CPUBackend else { throw BenchFailure("--head map needs --backend cpu") }
            return processor.lastMaps(pixels, count: count)
        }
        var rows = [Float](repeating: 0, count: count * dimension)
        var span = rows.mutableSpan
        try backend.run(pixels, count: count, heads: [head], into: &span)
        return rows
    }

    /// Little-endian, as fvecs wants it.
    private static func append(_ value: UInt32, to file: inout Data) {
        withUnsafeBytes(of: value.littleEndian) { file.append(contentsOf: $0) }
    }
}
