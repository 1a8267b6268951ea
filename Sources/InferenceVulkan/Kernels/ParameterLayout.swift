/// How one convolution's parameters lie in the parameter buffer: `[pitch]` fp32 bias, `[pitch]` fp32 factors, then the weights.
///
/// A kernel computes `relu(factor * sum + bias)` of the input map divided by 2^inputExponent and gives the output map divided by
/// 2^outputExponent. In fp16 each output channel's weights are multiplied by a power of two of their own, so that the largest of
/// them is in [1/2, 1); the factor undoes it. All of this is exact in fp32: no bit of a weight is lost but by rounding to fp16.
struct ParameterLayout: Hashable {
    enum Arrangement: Hashable {
        /// Rows of output channels, one for each tap's input channel; `rowCount` with zeros at the end.
        case taps(rowsPerTap: Int, rowCount: Int)
        /// The same for each of the 36 elements of a transformed kernel, a row for each input channel.
        case winograd(rowCount: Int)
    }

    /// Counts convolutions from 0.
    let convolution: Int
    let inputChannels: Int
    let outputChannels: Int
    /// Of the weights; bias and factors are fp32 always.
    let storage: NumberStorage
    let arrangement: Arrangement
    /// Elements of a row: output channels with their padding, a multiple of 4.
    let pitch: Int
    let inputExponent: Int
    let outputExponent: Int
    /// Bytes before it in the parameter buffer.
    let offset: Int

    var byteCount: Int { 8 * pitch + rowCount * pitch * storage.byteCount }

    private var rowCount: Int {
        switch arrangement {
        case .taps(_, let rowCount): rowCount
        case .winograd(let rowCount): 36 * rowCount
        }
    }

    /// Whether the same bytes serve both.
    func isInterchangeable(with other: ParameterLayout) -> Bool {
        convolution == other.convolution && storage == other.storage && arrangement == other.arrangement
            && pitch == other.pitch
    }

    /// Fills the layout from fp32 OIHW weights and a bias; all padding becomes zero.
    ///
    /// - Parameters:
    ///   - weights: `[outputChannels, inputChannels, 3, 3]`.
    ///   - bias: `[outputChannels]`.
    ///   - target: `byteCount` bytes or more, aligned to 4.
    /// - Complexity: O(weights).
    func pack(weights: Span<Float>, bias: Span<Float>, into target: UnsafeMutableRawBufferPointer) {
        precondition(
            weights.count == outputChannels * inputChannels * 9 && bias.count == outputChannels,
            "convolution \(convolution) has \(weights.count) weights and \(bias.count) biases"
        )
        precondition(target.count >= byteCount, "\(target.count) bytes for \(byteCount)")
        target.initializeMemory(as: UInt8.self, repeating: 0)
        let head = UnsafeMutableRawBufferPointer(rebasing: target[..<(8 * pitch)]).bindMemory(to: Float.self)
        let body = UnsafeMutableRawBufferPointer(rebasing: target[(8 * pitch)...])
        // Some channels at a time, side by side in a row: their cache lines are filled before they leave the cache.
        for first in stride(from: 0, to: outputChannels, by: Self.blockWidth) {
            let block = first..<min(first + Self.blockWidth, outputChannels)
            var scales = [16 of Float](repeating: 1)
            for output in block {
                let own = weights.extracting(output * inputChannels * 9..<(output + 1) * inputChannels * 9)
                let exponent = storage == .fp32 ? 0 : Self.exponent(of: own)
                head[output] = bias[output] * .powerOfTwo(-outputExponent)
                head[pitch + output] = .powerOfTwo(exponent + inputExponent - outputExponent)
                scales[output - first] = .powerOfTwo(-exponent)
            }
            switch storage {
            case .fp32: place(weights, block, scales, body.bindMemory(to: Float.self)) { $0 }
            case .fp16: place(weights, block, scales, body.bindMemory(to: UInt16.self)) { Float16($0).bitPattern }
            }
        }
    }

    private static let blockWidth = 16

    /// Writes the columns of some output channels.
    private func place<Element>(
        _ weights: Span<Float>,
        _ block: Range<Int>,
        _ scales: [16 of Float],
        _ target: UnsafeMutableBufferPointer<Element>,
        _ stored: (Float) -> Element
    ) {
        for input in 0..<inputChannels {
            switch arrangement {
            case .taps(let rowsPerTap, _):
                for tap in 0..<9 {
                    let row = (tap * rowsPerTap + input) * pitch
                    for output in block {
                        let weight = weights[(output * inputChannels + input) * 9 + tap]
                        target[row + output] = stored(weight * scales[output - block.lowerBound])
                    }
                }
            case .winograd(let rowCount):
                for output in block {
                    let transformed = WinogradKernel(weights, at: (output * inputChannels + input) * 9)
                    let scale = scales[output - block.lowerBound]
                    for element in 0..<36 {
                        target[(element * rowCount + input) * pitch + output] = stored(transformed[element] * scale)
                    }
                }
            }
        }
    }

    /// e with the largest magnitude in [2^(e - 1), 2^e); 0 for zeros and for what is not finite.
    private static func exponent(of weights: Span<Float>) -> Int {
        var largest: Float = 0
        for index in weights.indices { largest = max(largest, abs(weights[index])) }
        return largest.isFinite && largest > 0 ? Int(largest.exponent) + 1 : 0
    }
}

extension Float {
    /// 2^exponent, held within fp32's normal numbers.
    static func powerOfTwo(_ exponent: Int) -> Float {
        Float(sign: .plus, exponent: min(max(exponent, -126), 127), significand: 1)
    }
}
