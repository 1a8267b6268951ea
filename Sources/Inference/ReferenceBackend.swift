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
    private let contract: BatchContract
    package var maximumBatchCount: Int { contract.maximumCount }
    package var preferredBatchCount: Int { 1 }

    package init(network: Network, maximumBatch: Int = 8) {
        self.network = network
        contract = BatchContract(network, maximumCount: maximumBatch)
    }

    package func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        pause: (() -> Void)?
    ) throws(InferenceError) {
        contract.check(pixels, count: count, headCount: heads.count, rows: rows)
        var nonFinite: [Int] = []
        for image in 0..<count {
            let map = forward(input(pixels, image))
            let values = map.values.map { Float($0) }
            let isFinite = values.withUnsafeBufferPointer { buffer -> Bool in
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
            if !isFinite { nonFinite.append(image) }
        }
        if !nonFinite.isEmpty { throw .nonFinite(images: nonFinite) }
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
            case .convolution(let layer): convolution(map, layer)
            case .pool(let layer): pool(map, layer)
            }
        }
    }

    private func convolution(_ map: Map, _ layer: Layer.Convolution) -> Map {
        let weights = network.withWeight(layer.index) { span in span.indices.map { Double(span[$0]) } }
        let bias = network.withBias(layer.index) { span in span.indices.map { Double(span[$0]) } }
        var output = Map(
            channels: layer.outputChannels,
            height: Layer.convolution(layer).outputSide(map.height),
            width: Layer.convolution(layer).outputSide(map.width),
            values: []
        )
        let plane = output.height * output.width
        output.values.reserveCapacity(layer.outputChannels * plane)
        for outputChannel in 0..<layer.outputChannels {
            var sums = [Double](repeating: bias[outputChannel], count: plane)
            for inputChannel in 0..<layer.inputChannels {
                for row in 0..<layer.kernelSize {
                    let ys = layer.outputs(reaching: row, inputs: map.height, outputs: output.height)
                    for column in 0..<layer.kernelSize {
                        let xs = layer.outputs(reaching: column, inputs: map.width, outputs: output.width)
                        let tap = (outputChannel * layer.inputChannels + inputChannel) * layer.kernelSize + row
                        let weight = weights[tap * layer.kernelSize + column]
                        for y in ys {
                            let inputRow = inputChannel * map.height + y * layer.stride + row - layer.padding
                            let source = inputRow * map.width + column - layer.padding
                            let target = y * output.width
                            for x in xs { sums[target + x] += weight * map.values[source + x * layer.stride] }
                        }
                    }
                }
            }
            switch layer.activation {
            case .relu: output.values.append(contentsOf: sums.map { $0 < 0 ? 0 : $0 })
            }
        }
        return output
    }

    private func pool(_ map: Map, _ layer: Layer.Pool) -> Map {
        var output = Map(
            channels: map.channels,
            height: Layer.pool(layer).outputSide(map.height),
            width: Layer.pool(layer).outputSide(map.width),
            values: []
        )
        for channel in 0..<map.channels {
            for y in 0..<output.height {
                for x in 0..<output.width {
                    let first = (channel * map.height + y * layer.stride) * map.width + x * layer.stride
                    switch layer.kind {
                    case .max: output.values.append(map.values.greatest(first, size: layer.size, rowStride: map.width))
                    }
                }
            }
        }
        return output
    }
}
