internal import Inference

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
