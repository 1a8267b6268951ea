/// How pixels become the network's input; part of a collection's fingerprint.
package struct Preprocessing: Codable, Hashable, Sendable {
    /// Order of the three input planes.
    package enum ChannelOrder: String, Codable, Sendable { case rgb, bgr }

    /// How an image of any shape becomes a square.
    package enum Geometry: Codable, Hashable, Sendable {
        /// Both sides to `side`, without keeping the aspect ratio (what the Keras demos do).
        case squash
        /// Short side to `shortSide`, then the central square of `side` (what torchvision does).
        case centreCrop(shortSide: Int)
    }

    /// Input height and width in pixels; a multiple of 16 for five pooled stages. 224 for VGG.
    package var side: Int
    package var geometry: Geometry
    package var channelOrder: ChannelOrder
    /// Subtracted from each plane, in units of 0...255, in `channelOrder`.
    package var mean: [Float]
    /// Multiplied after the subtraction, in `channelOrder`.
    package var scale: [Float]

    package init(side: Int, geometry: Geometry, channelOrder: ChannelOrder, mean: [Float], scale: [Float]) {
        self.side = side
        self.geometry = geometry
        self.channelOrder = channelOrder
        self.mean = mean
        self.scale = scale
    }

    /// Caffe and Keras: BGR, 0...255, minus the ImageNet means, squashed to 224.
    package static let keras = Preprocessing(
        side: 224,
        geometry: .squash,
        channelOrder: .bgr,
        mean: [103.939, 116.779, 123.68],
        scale: [1, 1, 1]
    )

    /// torchvision: RGB, (x / 255 - mean) / std, short side 256, centre crop 224.
    package static let torchvision = Preprocessing(
        side: 224,
        geometry: .centreCrop(shortSide: 256),
        channelOrder: .rgb,
        mean: [0.485 * 255, 0.456 * 255, 0.406 * 255],
        scale: [1 / (0.229 * 255), 1 / (0.224 * 255), 1 / (0.225 * 255)]
    )
}
