internal import Platform

/// Decodes in this process, on the calling thread; safe for any number of threads at once.
///
/// Reads baseline, extended and progressive JPEG (Huffman and arithmetic; gray, YCbCr, RGB, CMYK, YCCK) and every PNG.
/// Memory a call: a few rows and the result, plus what the format cannot do without, 256 MB at most (coefficients of a
/// progressive JPEG, pixels of an interlaced PNG).
///
/// The resize is Pillow's BILINEAR, bit for bit where Pillow goes horizontally first too; a JPEG of at least four times
/// the wanted size is reduced in the DCT before, to no less than twice that size.
package struct InProcessDecoder: ImageDecoder, Sendable {
    private let limits: ImageLimits
    private let usesAVX2: Bool
    private static let thumbnailQuality: Int32 = 85

    /// - Parameters:
    ///   - limits: what one image may cost.
    ///   - allowsSIMD: whether kernels for the machine's instruction set may be used; the pixels are the same without.
    package init(limits: ImageLimits = .init(), allowsSIMD: Bool = true) {
        self.limits = limits
        usesAVX2 = allowsSIMD && InstructionSet.chosen != .portable
    }

    package func decode(
        _ encoded: [UInt8],
        fit: Fit,
        into pixels: inout MutableSpan<UInt8>
    ) throws(ImagingError) -> ImageProperties {
        try pixels.withUnsafeMutableBufferPointer { (target) throws(ImagingError) in
            try withImage(encoded) { (image) throws(ImagingError) in
                let (width, height) = (Int(image.properties.width), Int(image.properties.height))
                try image.decode(ResizeGeometry(fit, width: width, height: height), into: target)
                return image.properties
            }
        }
    }

    package func thumbnail(_ encoded: [UInt8], longSide: Int) throws(ImagingError) -> [UInt8] {
        precondition(longSide > 0, "a thumbnail of \(longSide) pixels")
        return try withImage(encoded) { (image) throws(ImagingError) in
            let (width, height) = (Int(image.properties.width), Int(image.properties.height))
            let geometry = ResizeGeometry(longSide: longSide, width: width, height: height)
            var pixels = [UInt8](repeating: 0, count: geometry.x.count * geometry.y.count * 3)
            try pixels.withUnsafeMutableBufferPointer { (target) throws(ImagingError) in
                try image.decode(geometry, into: target)
            }
            return try Codec.encodeJPEG(
                pixels,
                width: geometry.x.count,
                height: geometry.y.count,
                quality: Self.thumbnailQuality
            )
        }
    }

    /// An image whose header is read, once, and what makes it upright.
    private struct OpenImage: ~Copyable {
        let codec: Codec
        let orientation: Orientation
        /// The upright image.
        let properties: ImageProperties

        /// Writes the upright result of `geometry`, which is in upright axes.
        func decode(
            _ geometry: ResizeGeometry,
            into target: UnsafeMutableBufferPointer<UInt8>
        ) throws(ImagingError) {
            if orientation == .upright { return try codec.decode(geometry, into: target) }
            let stored = geometry.stored(orientation)
            var turned = [UInt8](repeating: 0, count: stored.x.count * stored.y.count * 3)
            try turned.withUnsafeMutableBufferPointer { (pixels) throws(ImagingError) in
                try codec.decode(stored, into: pixels)
            }
            var upright = target.mutableSpan
            orientation.apply(
                to: turned.span,
                storedWidth: stored.x.count,
                storedHeight: stored.y.count,
                into: &upright
            )
        }
    }

    /// Reads the header and lends the image to `body`.
    private func withImage<R>(
        _ encoded: [UInt8],
        _ body: (borrowing OpenImage) throws(ImagingError) -> R
    ) throws(ImagingError) -> R {
        if encoded.isEmpty { throw ImagingError(.empty, "0 bytes") }
        if encoded.count > limits.maximumByteCount {
            throw ImagingError(.limitExceeded, "\(encoded.count) bytes are more than \(limits.maximumByteCount)")
        }
        let format: ImageFormat
        switch ImageSignature(of: encoded) {
        case .readable(let known): format = known
        case .foreign(let name): throw ImagingError(.unsupported, "\(name), neither JPEG nor PNG")
        case .unknown: throw ImagingError(.unsupported, "neither JPEG nor PNG")
        }
        // SAFETY: the codec lives inside this closure only, in which the bytes stay where they are.
        return try encoded.withUnsafeBufferPointer { (bytes) throws(ImagingError) in
            let codec = try Codec(bytes, format, limits, usesAVX2: usesAVX2)
            let orientation = Orientation(of: encoded, format)
            let isTurned = orientation.swapsAxes
            let properties = ImageProperties(
                format: format,
                width: isTurned ? codec.height : codec.width,
                height: isTurned ? codec.width : codec.height
            )
            let image = OpenImage(codec: codec, orientation: orientation, properties: properties)
            return try body(image)
        }
    }
}
