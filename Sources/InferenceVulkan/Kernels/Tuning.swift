/// Which kernel computes a convolution best on one device, as measured.
package struct Tuning: Codable, Hashable, Sendable {
    package struct Choice: Codable, Hashable, Sendable {
        /// Images of a batch from which on it counts.
        package var fromImages: Int
        /// As in `Shaders/kernels.txt`.
        package var kernel: String
    }

    /// How long a kernel took.
    package struct Measurement: Hashable, Sendable {
        package var shape: ConvolutionShape
        package var kernel: String
        package var imageCount: Int
        package var milliseconds: Double

        package init(shape: ConvolutionShape, kernel: String, imageCount: Int, milliseconds: Double) {
            self.shape = shape
            self.kernel = kernel
            self.imageCount = imageCount
            self.milliseconds = milliseconds
        }
    }

    /// By `ConvolutionShape.key`; by rising `fromImages`, the first from 1 on.
    private var choices: [String: [Choice]] = [:]

    /// What another kernel must gain to replace the one for fewer images: less is noise, and every kernel costs a pipeline.
    private static let threshold = 0.97

    package init() {}

    /// Picks the fastest kernel for each shape and count of images.
    ///
    /// A count of images that was not measured takes the kernel of the next lower one, and below the least measured one its kernel.
    package init(_ measurements: [Measurement]) {
        for (shape, ofShape) in Dictionary(grouping: measurements.filter { $0.milliseconds > 0 }, by: \.shape) {
            var picked: [Choice] = []
            for (imageCount, rivals) in Dictionary(grouping: ofShape, by: \.imageCount).sorted(by: { $0.key < $1.key })
            {
                guard let best = rivals.min(by: { $0.milliseconds < $1.milliseconds }) else { continue }
                let known = rivals.first { $0.kernel == picked.last?.kernel }
                if let known, best.milliseconds > known.milliseconds * Self.threshold { continue }
                picked.append(Choice(fromImages: picked.isEmpty ? 1 : imageCount, kernel: best.kernel))
            }
            choices[shape.key] = picked
        }
    }

    package var isEmpty: Bool { choices.isEmpty }

    package func choices(for shape: ConvolutionShape) -> [Choice]? { choices[shape.key] }
}
