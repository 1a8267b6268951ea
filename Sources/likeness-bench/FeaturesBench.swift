import Foundation
import Harness
import Inference
import InferenceCPU
import ModelFiles
import Platform

/// `features`: the vectors of raw images, or the last maps, for comparison with other programs.
enum FeaturesBench {
    static let command = CommandTable.Command(
        "features",
        BackendOptions.options + [
            OptionDescription("input", .text(placeholder: "IN.rgb"), "raw images, one after the other"),
            OptionDescription("output", .text(placeholder: "OUT.fvecs"), "where their vectors go"),
            OptionDescription("head", .text(placeholder: "HEAD,...|map"), "the heads, or the last map (max)"),
            OptionDescription(
                "preprocessing",
                .text(placeholder: "keras|torchvision|MANIFEST.json"),
                "how images are fed (as usual for the weights' format)"
            ),
        ],
        run: run
    )

    private struct Options {
        let backend: BackendOptions
        /// None for the last map.
        let heads: [Head]
        let input: String
        let output: String
        /// Nil for what the weights' format is used with.
        let preprocessing: Preprocessing?

        init(_ arguments: Arguments) throws {
            backend = BackendOptions(arguments)
            heads = try Self.heads(arguments.text("head") ?? Head.max.rawValue)
            preprocessing = try arguments.text("preprocessing").map(Self.preprocessing)
            input = try arguments.needed("input")
            output = try arguments.needed("output")
        }

        private static func heads(_ list: String) throws -> [Head] {
            if list == "map" { return [] }
            return try list.split(separator: ",", omittingEmptySubsequences: false).map { name in
                guard let head = Head(rawValue: String(name)) else {
                    let heads = Head.allCases.map(\.rawValue).joined(separator: ", ")
                    throw UsageError("--head takes \(heads), several with commas between them, or map")
                }
                return head
            }
        }

        private static func preprocessing(_ value: String) throws -> Preprocessing {
            if let known = ["keras": Preprocessing.keras, "torchvision": .torchvision][value] { return known }
            guard value.hasSuffix(".json") else {
                throw UsageError("--preprocessing takes keras, torchvision or a manifest's path, which ends in .json")
            }
            return try ModelManifest(json: Data(contentsOf: URL(filePath: value)), origin: value).preprocessing
        }
    }

    private static let batch = 8

    /// Reads `[n, side, side, 3]` bytes, writes n rows as fvecs, prints one JSON object.
    static func run(_ arguments: Arguments) throws {
        let options = try Options(arguments)
        let heads = options.heads
        let network = try Model.open(weights: options.backend.weights, preprocessing: options.preprocessing).network
        let imageByteCount = network.preprocessing.side * network.preprocessing.side * 3
        let pixels = [UInt8](try Data(contentsOf: URL(filePath: options.input)))
        guard !pixels.isEmpty, pixels.count.isMultiple(of: imageByteCount) else {
            throw HarnessFailure("\(options.input) holds \(pixels.count) bytes, no multiple of \(imageByteCount)")
        }
        let imageCount = pixels.count / imageByteCount
        let backend = try options.backend.open(network, maximumBatch: min(batch, imageCount))
        var file = Data()
        for first in stride(from: 0, to: imageCount, by: backend.maximumBatchCount) {
            let count = min(backend.maximumBatchCount, imageCount - first)
            let bytes = pixels.span.extracting(first * imageByteCount..<(first + count) * imageByteCount)
            let rows = try rows(backend, bytes.bytes, count, heads, network)
            let dimension = rows.count / count
            for (index, value) in rows.enumerated() {
                if index.isMultiple(of: dimension) { append(UInt32(dimension), to: &file) }
                append(value.bitPattern, to: &file)
            }
        }
        try file.write(to: URL(filePath: options.output), options: .atomic)
        try printLine([
            "bench": "features", "backend": backend.description.backend, "device": backend.description.device,
            "tier": backend.description.tier, "weights": options.backend.weights,
            "head": heads.isEmpty ? "map" : heads.map(\.rawValue).joined(separator: ","),
            "side": network.preprocessing.side, "images": imageCount,
        ])
    }

    /// One row an image: the vectors of `heads` one after the other, or `[height, width, channels]` of the last map.
    private static func rows(
        _ backend: any ConvolutionBackend,
        _ pixels: RawSpan,
        _ count: Int,
        _ heads: [Head],
        _ network: Network
    ) throws -> [Float] {
        if heads.isEmpty {
            guard let processor = backend as? CPUBackend else { throw HarnessFailure("--head map needs --backend cpu") }
            return processor.lastMaps(pixels, count: count)
        }
        let dimension = network.outputChannels
        var rows = [Float](repeating: 0, count: count * heads.count * dimension)
        var span = rows.mutableSpan
        try backend.run(pixels, count: count, heads: heads, into: &span)
        return stride(from: 0, to: rows.count, by: dimension).flatMap { first in
            network.finished(Array(rows[first..<first + dimension]), head: heads[first / dimension % heads.count])
        }
    }

    /// Little-endian, as fvecs wants it.
    private static func append(_ value: UInt32, to file: inout Data) {
        withUnsafeBytes(of: value.littleEndian) { file.append(contentsOf: $0) }
    }
}
