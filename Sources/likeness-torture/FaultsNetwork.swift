import Harness
import Imaging
import Inference
import Platform

/// What a campaign of faults computes: a small network, a few pictures, and their vectors as the oracle gives them.
struct FaultsSubject {
    let network: Network
    /// `[side, side, 3]` noise.
    let pictures: [[UInt8]]
    /// Of the head `max`.
    let expected: [[Float]]

    static let side = 24
    private static let widths = [3, 16, 24, 40]

    init(pictureCount: Int, seed: UInt64) throws {
        var generator = SeededRandom(seed: seed)
        var memory = MemoryWeights()
        var layers: [Layer] = []
        for (index, (input, output)) in zip(Self.widths, Self.widths.dropFirst()).enumerated() {
            let bound = (6 / Float(9 * input)).squareRoot()
            memory.weights.append((0..<output * input * 9).map { _ in .random(in: -bound...bound, using: &generator) })
            memory.biases.append((0..<output).map { _ in .random(in: -1...1, using: &generator) })
            layers.append(.convolution(.init(index: index, inputChannels: input, outputChannels: output)))
            layers.append(.pool(.max2x2))
        }
        var preprocessing = Preprocessing.keras
        preprocessing.side = Self.side
        network = Network(
            name: "faults",
            layers: layers,
            preprocessing: preprocessing,
            weightsDigest: SHA256Digest(of: [UInt8]()),
            storage: memory
        )
        pictures = (0..<pictureCount).map { _ in
            (0..<Self.side * Self.side * 3).map { _ in UInt8.random(in: 0...255, using: &generator) }
        }
        let oracle = ReferenceBackend(network: network)
        let dimension = network.outputChannels
        expected = try pictures.map { picture in
            var row = [Float](repeating: 0, count: dimension)
            var span = row.mutableSpan
            try oracle.run(picture.span.bytes, count: 1, heads: [.max], into: &span)
            return row
        }
    }

    /// Cosine of a vector to the one that belongs to a picture.
    func similarity(_ vector: [Float], picture: Int) -> Double {
        var (ab, aa, bb) = (0.0, 0.0, 0.0)
        for (x, y) in zip(vector, expected[picture]) {
            ab += Double(x) * Double(y)
            aa += Double(x) * Double(x)
            bb += Double(y) * Double(y)
        }
        return vector.count == expected[picture].count ? ab / (aa * bb).squareRoot() : 0
    }
}

/// "Decodes" the number of a picture, one byte, into the picture.
struct FaultsDecoder: ImageDecoder {
    let pictures: [[UInt8]]

    func decode(
        _ encoded: [UInt8],
        fit: Fit,
        into pixels: inout MutableSpan<UInt8>
    ) throws(ImagingError) -> ImageProperties {
        guard let number = encoded.first else { throw ImagingError(.empty, "0 bytes") }
        let picture = pictures[Int(number)]
        for index in pixels.indices { pixels[index] = picture[index] }
        return ImageProperties(format: .png, width: UInt32(fit.side), height: UInt32(fit.side))
    }

    func thumbnail(_ encoded: [UInt8], longSide: Int) throws(ImagingError) -> [UInt8] { encoded }
}
