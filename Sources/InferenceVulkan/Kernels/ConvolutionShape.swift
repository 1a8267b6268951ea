internal import Inference

/// A convolution as far as the choice of its kernel goes.
package struct ConvolutionShape: Hashable, Sendable {
    package let side: Int
    package let inputChannels: Int
    package let outputChannels: Int
    package let pools: Bool

    package init(side: Int, inputChannels: Int, outputChannels: Int, pools: Bool) {
        self.side = side
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        self.pools = pools
    }

    /// For files and people, such as `28x28 256->512 pooled`.
    package var key: String { "\(side)x\(side) \(inputChannels)->\(outputChannels)\(pools ? " pooled" : "")" }

    /// Floating-point operations of an image, as a direct convolution counts them: two a product.
    package var flops: Double { 18 * Double(side * side) * Double(inputChannels) * Double(outputChannels) }

    /// 2x2 cells of an image that are computed.
    var cellCount: Int {
        let cells = pools ? side / 2 : side.divided(roundingUpBy: 2)
        return cells * cells
    }
}

extension Network {
    /// The distinct shapes of all convolutions but the first, in their order.
    var convolutionShapes: [ConvolutionShape] {
        var shapes: [ConvolutionShape] = []
        var side = preprocessing.side
        var rest = layers[...]
        while let layer = rest.popFirst() {
            let pools = rest.first == .pool(.max2x2)
            if case .convolution(let convolution) = layer {
                let shape = ConvolutionShape(
                    side: side,
                    inputChannels: convolution.inputChannels,
                    outputChannels: convolution.outputChannels,
                    pools: pools
                )
                if convolution.index > 0, !shapes.contains(shape) { shapes.append(shape) }
            }
            side = layer.outputSide(side)
        }
        return shapes
    }
}
