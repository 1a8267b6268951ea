/// One layer of a feed-forward convolutional network; a network is a list of them.
///
/// A case says what a layer computes, whoever computes it. A backend without a kernel for a layer refuses it by `UnsupportedLayer`.
package enum Layer: Hashable, Sendable {
    case convolution(Convolution)
    case pool(Pool)

    /// A two-dimensional convolution with zero padding, plus a bias, then an activation.
    package struct Convolution: Hashable, Sendable {
        /// Counts the convolutions of the network from 0; weights and biases are found by it.
        package let index: Int
        package let inputChannels: Int
        package let outputChannels: Int
        /// Rows and columns of the kernel.
        package let kernelSize: Int
        package let stride: Int
        /// Rows and columns of zeros on each side of the input.
        package let padding: Int
        package let activation: Activation

        /// All that is not given is as in VGG: 3x3, stride 1, a map of the same size, ReLU.
        package init(
            index: Int,
            inputChannels: Int,
            outputChannels: Int,
            kernelSize: Int = 3,
            stride: Int = 1,
            padding: Int = 1,
            activation: Activation = .relu
        ) {
            self.index = index
            self.inputChannels = inputChannels
            self.outputChannels = outputChannels
            self.kernelSize = kernelSize
            self.stride = stride
            self.padding = padding
            self.activation = activation
        }

        /// Products that go into one output.
        package var fanIn: Int { inputChannels * kernelSize * kernelSize }
        /// Values of the weight tensor `[outputChannels, inputChannels, kernelSize, kernelSize]`.
        package var weightCount: Int { outputChannels * fanIn }
    }

    package enum Activation: String, Hashable, Sendable { case relu }

    /// The summary of each square of `size` positions, channel by channel; what fills no square is left out.
    package struct Pool: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable { case max }

        package let kind: Kind
        /// Rows and columns of the square.
        package let size: Int
        package let stride: Int

        package init(kind: Kind, size: Int, stride: Int) {
            self.kind = kind
            self.size = size
            self.stride = stride
        }

        /// VGG's: the maximum of 2x2 positions, stride 2.
        package static let max2x2 = Pool(kind: .max, size: 2, stride: 2)
    }

    /// Rows (or columns) of the map that the layer makes of one with `side` of them; 0 when nothing is left.
    package func outputSide(_ side: Int) -> Int {
        let (window, stride, padding) =
            switch self {
            case .convolution(let convolution): (convolution.kernelSize, convolution.stride, convolution.padding)
            case .pool(let pool): (pool.size, pool.stride, 0)
            }
        guard side > 0, side + 2 * padding >= window else { return 0 }
        return (side + 2 * padding - window) / stride + 1
    }
}

extension Layer: CustomStringConvertible {
    /// For people, such as `a 3x3 convolution from 64 to 128 channels, stride 1, padding 1, relu`.
    package var description: String {
        switch self {
        case .convolution(let it):
            "a \(it.kernelSize)x\(it.kernelSize) convolution from \(it.inputChannels) to \(it.outputChannels) channels, "
                + "stride \(it.stride), padding \(it.padding), \(it.activation.rawValue)"
        case .pool(let it): "a \(it.size)x\(it.size) \(it.kind.rawValue) pool, stride \(it.stride)"
        }
    }
}

extension [Layer] {
    /// The convolutions in order.
    package var convolutions: [Layer.Convolution] {
        compactMap { if case .convolution(let convolution) = $0 { convolution } else { nil } }
    }

    package var poolCount: Int { count { if case .pool = $0 { true } else { false } } }

    /// Channels of the last map: the dimension of the vectors. 0 where there is no convolution.
    package var outputChannels: Int {
        for case .convolution(let convolution) in reversed() { return convolution.outputChannels }
        return 0
    }

    /// Rows of the last map for an image of `side` of them; 0 when nothing is left.
    package func outputSide(_ side: Int) -> Int { reduce(side) { $1.outputSide($0) } }
}

// MARK: - What the backends in plain Swift share

extension Layer.Convolution {
    /// Positions along one axis whose products with row (or column) `tap` of the kernel meet the input and not its padding.
    func outputs(reaching tap: Int, inputs: Int, outputs: Int) -> Range<Int> {
        // Output o takes input o * stride + tap - padding.
        let first = max(0, (padding - tap + stride - 1) / stride)
        let last = inputs - 1 + padding - tap
        guard last >= 0 else { return first..<first }
        return first..<max(first, min(outputs, last / stride + 1))
    }
}

extension Array where Element: Comparable {
    /// The maximum of a square in a map of rows that lie `rowStride` apart.
    func greatest(_ first: Int, size: Int, rowStride: Int) -> Element {
        var greatest = self[first]
        for row in 0..<size {
            let start = first + row * rowStride
            var best = self[start]
            for place in start + 1..<start + size { best = Swift.max(best, self[place]) }
            greatest = row == 0 ? best : Swift.max(greatest, best)
        }
        return greatest
    }
}
