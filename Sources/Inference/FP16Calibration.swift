internal import COpenBLAS

/// A calibration for fp16: how large the activations of a network become, as powers of two. The largest one is in
/// [2^e, 2^(e + 1)).
package struct FP16Calibration: Hashable, Sendable {
    /// Of the preprocessed input, by its range alone.
    package var input: Int
    /// Behind each convolution's ReLU.
    package var maps: [Int]
}

extension Network {
    /// Calibrates on a few small synthetic pictures (smooth colours, sharp edges, noise) that run through the network in fp32.
    ///
    /// Each map is rescaled before the next layer takes it, so that no weights overflow or vanish. A map of zeros counts as large as
    /// the one before it.
    ///
    /// - Complexity: VGG16 takes 2 GFLOP in sgemm.
    package func fp16Calibration() -> FP16Calibration {
        // No smaller than what the poolings leave something of, and no larger than images are.
        let side = min(preprocessing.side, max(32, 1 << min(layers.poolCount, 12)))
        let settings = preprocessing
        let extremes = zip(settings.mean, settings.scale).flatMap { [abs($0 * $1), abs((255 - $0) * $1)] }
        var measured = FP16Calibration(input: exponent(of: extremes.max() ?? 0) ?? 0, maps: [])
        var maps = CalibrationPictures.all(side: side).map { CalibrationMap($0, side: side, settings) }
        var total = measured.input
        for index in maps.indices { maps[index].divide(byPowerOfTwo: total) }
        for layer in layers {
            switch layer {
            case .convolution(let layer):
                withWeight(layer.index) { weights in
                    withBias(layer.index) { bias in
                        for map in maps.indices { maps[map].convolve(layer, weights, bias, exponent: total) }
                    }
                }
                let step = exponent(of: maps.map(\.largest).max() ?? 0) ?? 0
                for map in maps.indices { maps[map].divide(byPowerOfTwo: step) }
                total += step
                measured.maps.append(total)
            case .pool(let layer):
                for map in maps.indices { maps[map].pool(layer) }
            }
        }
        return measured
    }
}

/// nil for zero and what is not finite.
private func exponent(of value: Float) -> Int? { value.isFinite && value > 0 ? Int(value.exponent) : nil }

/// `[channels, side, side]` fp32.
private struct CalibrationMap {
    private var side: Int
    private var channels = 3
    private var values: [Float] = []

    init(_ pixels: [UInt8], side: Int, _ settings: Preprocessing) {
        self.side = side
        for plane in 0..<3 {
            let channel = settings.channelOrder == .rgb ? plane : 2 - plane
            for position in 0..<side * side {
                let byte = Float(pixels[position * 3 + channel])
                values.append((byte - settings.mean[plane]) * settings.scale[plane])
            }
        }
    }

    /// Infinite or NaN when a value is.
    var largest: Float { values.reduce(0) { $1.isNaN || $1 > $0 ? $1 : $0 } }

    mutating func divide(byPowerOfTwo exponent: Int) {
        for index in values.indices { values[index] = Self.divided(values[index], exponent) }
    }

    private static func divided(_ value: Float, _ exponent: Int) -> Float {
        Float(Double(value) * Double(sign: .plus, exponent: -exponent, significand: 1))
    }

    /// A convolution as one product of matrices (im2col); the map is its true self divided by 2^exponent, before and after.
    mutating func convolve(
        _ layer: Layer.Convolution,
        _ weights: Span<Float>,
        _ bias: Span<Float>,
        exponent: Int
    ) {
        let outputChannels = layer.outputChannels
        let outputSide = Layer.convolution(layer).outputSide(side)
        let plane = outputSide * outputSide
        let terms = layer.fanIn
        let kernel = layer.kernelSize
        // [channel, tap, position].
        var columns = [Float](repeating: 0, count: terms * plane)
        for term in 0..<terms {
            let (channel, tap) = term.quotientAndRemainder(dividingBy: kernel * kernel)
            let (row, column) = tap.quotientAndRemainder(dividingBy: kernel)
            let xs = layer.outputs(reaching: column, inputs: side, outputs: outputSide)
            for y in layer.outputs(reaching: row, inputs: side, outputs: outputSide) {
                let inputRow = channel * side + y * layer.stride + row - layer.padding
                let source = inputRow * side + column - layer.padding
                let target = term * plane + y * outputSide
                for x in xs { columns[target + x] = values[source + x * layer.stride] }
            }
        }
        var result = [Float](repeating: 0, count: outputChannels * plane)
        for channel in 0..<outputChannels {
            let offset = Self.divided(bias[channel], exponent)
            for position in channel * plane..<(channel + 1) * plane { result[position] = offset }
        }
        weights.withUnsafeBufferPointer { weights in
            cblas_sgemm(
                CblasRowMajor,
                CblasNoTrans,
                CblasNoTrans,
                Int32(outputChannels),
                Int32(plane),
                Int32(terms),
                1,
                weights.baseAddress,
                Int32(terms),
                columns,
                Int32(plane),
                1,
                &result,
                Int32(plane)
            )
        }
        switch layer.activation {
        case .relu: for index in result.indices where result[index] < 0 { result[index] = 0 }
        }
        values = result
        channels = outputChannels
        side = outputSide
    }

    mutating func pool(_ layer: Layer.Pool) {
        let outputSide = Layer.pool(layer).outputSide(side)
        guard outputSide > 0 else { return }
        var result: [Float] = []
        result.reserveCapacity(channels * outputSide * outputSide)
        for channel in 0..<channels {
            for y in 0..<outputSide {
                for x in 0..<outputSide {
                    let first = (channel * side + y * layer.stride) * side + x * layer.stride
                    switch layer.kind {
                    case .max: result.append(values.greatest(first, size: layer.size, rowStride: side))
                    }
                }
            }
        }
        values = result
        side = outputSide
    }
}

/// Pictures that wake up filters of every kind.
private enum CalibrationPictures {
    /// Each `[side, side, 3]`.
    static func all(side: Int) -> [[UInt8]] { [smooth(side), edges(side), noise(side)] }

    private static func bits(_ stream: UInt64, _ index: Int) -> UInt64 {
        HeInitialisation.mix(stream &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(truncatingIfNeeded: index))
    }

    private static func noise(_ side: Int) -> [UInt8] {
        (0..<side * side * 3).map { UInt8(truncatingIfNeeded: bits(1, $0)) }
    }

    /// Blocks of random colours in two sizes.
    private static func edges(_ side: Int) -> [UInt8] {
        (0..<side * side * 3).map { index in
            let (y, x, channel) = (index / 3 / side, index / 3 % side, index % 3)
            let block = (y / 7 + x / 5).isMultiple(of: 2) ? 3 : 11
            return UInt8(truncatingIfNeeded: bits(2, ((y / block) * 64 + x / block) * 3 + channel))
        }
    }

    /// Colours on a grid of 8 pixels, interpolated between.
    private static func smooth(_ side: Int) -> [UInt8] {
        func corner(_ y: Int, _ x: Int, _ channel: Int) -> Float {
            Float(bits(3, (y * 1024 + x) * 3 + channel) & 255)
        }
        return (0..<side * side * 3).map { index in
            let (y, x, channel) = (index / 3 / side, index / 3 % side, index % 3)
            let (v, u) = (Float(y % 8) / 8, Float(x % 8) / 8)
            let upper = corner(y / 8, x / 8, channel) * (1 - u) + corner(y / 8, x / 8 + 1, channel) * u
            let lower = corner(y / 8 + 1, x / 8, channel) * (1 - u) + corner(y / 8 + 1, x / 8 + 1, channel) * u
            return UInt8(upper * (1 - v) + lower * v)
        }
    }
}
