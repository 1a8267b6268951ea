internal import Inference

extension Network {
    /// The distinct shapes of all convolutions but the first, in their order.
    var convolutionShapes: [ConvolutionShape] {
        var shapes: [ConvolutionShape] = []
        var side = preprocessing.side
        var rest = layers[...]
        while let layer = rest.popFirst() {
            let pools = rest.first == .maxPool
            switch layer {
            case .convolution(let index, let inputChannels, let outputChannels):
                let shape = ConvolutionShape(
                    side: side,
                    inputChannels: inputChannels,
                    outputChannels: outputChannels,
                    pools: pools
                )
                if index > 0, !shapes.contains(shape) { shapes.append(shape) }
            case .maxPool: side /= 2
            }
        }
        return shapes
    }
}
