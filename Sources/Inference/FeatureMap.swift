/// The last map of one image, in any layout.
package struct FeatureMap {
    /// At least `(channels - 1) * channelStride + (positions - 1) * positionStride + 1` values.
    package let base: UnsafePointer<Float>
    package let channels: Int
    /// Both at least 1; position `y * width + x` is row y, column x.
    package let height: Int
    package let width: Int
    /// Distances in values: 1 and the padded channel count for channels-last, `height * width` and 1 for channels-first.
    package let channelStride: Int
    package let positionStride: Int

    package init(
        base: UnsafePointer<Float>,
        channels: Int,
        height: Int,
        width: Int,
        channelStride: Int,
        positionStride: Int
    ) {
        precondition(height > 0 && width > 0, "a map of \(height) x \(width)")
        self.base = base
        self.channels = channels
        self.height = height
        self.width = width
        self.channelStride = channelStride
        self.positionStride = positionStride
    }

    package var positions: Int { height * width }
}
