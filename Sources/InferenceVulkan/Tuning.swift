/// Which kernel computes a convolution best on one device, as measured.
package struct Tuning: Codable, Hashable, Sendable {
    package struct Choice: Codable, Hashable, Sendable {
        /// Images of a batch from which on it counts.
        package var fromImages: Int
        /// As in `Shaders/kernels.txt`.
        package var kernel: String

        package init(fromImages: Int, kernel: String) {
            self.fromImages = fromImages
            self.kernel = kernel
        }
    }

    /// By `ConvolutionShape.key`; by rising `fromImages`, the first from 1 on.
    private var choices: [String: [Choice]] = [:]

    package init() {}

    package func choices(for shape: ConvolutionShape) -> [Choice]? { choices[shape.key] }
}
