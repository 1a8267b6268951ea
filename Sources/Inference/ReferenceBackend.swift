/// The oracle: every sum written out in double precision, channels first, one image at a time. Slow on purpose.
package final class ReferenceBackend: ConvolutionBackend {
    /// Channels-first values in double precision.
    private struct Map {
        var channels: Int
        var height: Int
        var width: Int
        /// `[channels, height, width]`.
        var values: [Double]
    }

    private let network: Network

    package let description = BackendDescription(
        backend: "reference",
        device: "plain Swift",
        tier: "fp64",
        threads: 1
    )
    package let maximumBatchCount: Int
    package var preferredBatchCount: Int { 1 }

    package init(network: Network, maximumBatch: Int = 8) {
        precondition(maximumBatch > 0, "a batch of \(maximumBatch) images")
        self.network = network
        maximumBatchCount = maximumBatch
    }

    package func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        pause: (() -> Void)?
    ) throws(InferenceError) {
        let side = network.preprocessing.side
        precondition((1...maximumBatchCount).contains(count), "\(count) images of at most \(maximumBatchCount)")
        precondition(pixels.byteCount == count * side * side * 3, "\(pixels.byteCount) bytes for \(count) images")
        precondition(
            rows.count == count * heads.count * network.outputChannels,
            "\(rows.count) values for \(count) images, \(heads.count) heads"
        )
        var damaged: [Int] = []
        for image in 0..<count {
            let map = forward(input(pixels, image))
            let values = map.values.map { Float($0) }
            let isSound = values.withUnsafeBufferPointer { buffer -> Bool in
                guard let base = buffer.baseAddress else { return false }
                let features = FeatureMap(
                    base: base,
                    channels: map.channels,
                    height: map.height,
                    width: map.width,
                    channelStride: map.height * map.width,
                    positionStride: 1
                )
                return features.reduce(heads, into: &rows, at: image * heads.count * map.channels)
            }
            if !isSound { damaged.append(image) }
        }
        if !damaged.isEmpty { throw .nonFinite(images: damaged) }
    }

    /// One image, preprocessed in fp32 as every backend does it.
    private func input(_ pixels: RawSpan, _ image: Int) -> Map {
        let settings = network.preprocessing
        let side = settings.side
        var map = Map(channels: 3, height: side, width: side, values: [])
        for plane in 0..<3 {
            let channel = settings.channelOrder == .rgb ? plane : 2 - plane
            for position in 0..<side * side {
                let byte = pixels.unsafeLoad(
                    fromByteOffset: (image * side * side + position) * 3 + channel,
                    as: UInt8.self
                )
                map.values.append(Double((Float(byte) - settings.mean[plane]) * settings.scale[plane]))
            }
        }
        return map
    }

    private func forward(_ input: Map) -> Map {
        network.layers.reduce(input) { map, layer in
            switch layer {
            case .convolution(let index, _, let outputChannels): convolution(map, index, outputChannels)
            case .maxPool: maxPool(map)
            }
        }
    }

    /// 3x3, zero padding of 1, bias, ReLU.
    private func convolution(_ map: Map, _ index: Int, _ outputChannels: Int) -> Map {
        let weights = network.withWeight(index) { span in span.indices.map { Double(span[$0]) } }
        let bias = network.withBias(index) { span in span.indices.map { Double(span[$0]) } }
        let plane = map.height * map.width
        var output = Map(channels: outputChannels, height: map.height, width: map.width, values: [])
        output.values.reserveCapacity(outputChannels * plane)
        for outputChannel in 0..<outputChannels {
            var sums = [Double](repeating: bias[outputChannel], count: plane)
            for inputChannel in 0..<map.channels {
                for dy in -1...1 {
                    for dx in -1...1 {
                        let tap = (outputChannel * map.channels + inputChannel) * 9 + (dy + 1) * 3 + dx + 1
                        let weight = weights[tap]
                        for y in max(0, -dy)..<max(max(0, -dy), map.height - max(0, dy)) {
                            let source = inputChannel * plane + (y + dy) * map.width + dx
                            let target = y * map.width
                            for x in max(0, -dx)..<max(max(0, -dx), map.width - max(0, dx)) {
                                sums[target + x] += weight * map.values[source + x]
                            }
                        }
                    }
                }
            }
            output.values.append(contentsOf: sums.map { $0 < 0 ? 0 : $0 })
        }
        return output
    }

    /// 2x2, stride 2, an odd last row or column is left out.
    private func maxPool(_ map: Map) -> Map {
        var output = Map(channels: map.channels, height: map.height / 2, width: map.width / 2, values: [])
        for channel in 0..<map.channels {
            for y in 0..<output.height {
                for x in 0..<output.width {
                    let first = (channel * map.height + 2 * y) * map.width + 2 * x
                    let upper = max(map.values[first], map.values[first + 1])
                    let lower = max(map.values[first + map.width], map.values[first + map.width + 1])
                    output.values.append(max(upper, lower))
                }
            }
        }
        return output
    }
}
