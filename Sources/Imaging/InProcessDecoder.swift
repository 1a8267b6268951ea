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
        let image = try inspect(encoded)
        let geometry = ResizeGeometry(fit, width: image.properties.width, height: image.properties.height)
        try decode(encoded, image, geometry, into: &pixels)
        return image.properties
    }

    package func thumbnail(_ encoded: [UInt8], longSide: Int) throws(ImagingError) -> [UInt8] {
        precondition(longSide > 0, "a thumbnail of \(longSide) pixels")
        let image = try inspect(encoded)
        let (width, height) = (image.properties.width, image.properties.height)
        let geometry = ResizeGeometry(longSide: longSide, width: width, height: height)
        var pixels = [UInt8](repeating: 0, count: geometry.x.count * geometry.y.count * 3)
        var span = pixels.mutableSpan
        try decode(encoded, image, geometry, into: &span)
        return try Codec.encodeJPEG(
            pixels,
            width: geometry.x.count,
            height: geometry.y.count,
            quality: Self.thumbnailQuality
        )
    }

    /// What must be known before pixels are read.
    private struct Inspection {
        let codec: Codec
        let orientation: Orientation
        /// The upright image.
        let properties: ImageProperties
    }

    private func inspect(_ encoded: [UInt8]) throws(ImagingError) -> Inspection {
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
        let codec = Codec(format, limits, usesAVX2: usesAVX2)
        let stored = try codec.storedSize(encoded)
        let orientation = Orientation(of: encoded, format)
        let (width, height) = orientation.swapsAxes ? (stored.height, stored.width) : stored
        return Inspection(
            codec: codec,
            orientation: orientation,
            properties: ImageProperties(format: format, width: width, height: height)
        )
    }

    /// Writes the upright result of `geometry`, which is in upright axes.
    private func decode(
        _ encoded: [UInt8],
        _ image: Inspection,
        _ geometry: ResizeGeometry,
        into pixels: inout MutableSpan<UInt8>
    ) throws(ImagingError) {
        guard image.orientation != .upright else { return try image.codec.decode(encoded, geometry, into: &pixels) }
        let stored = geometry.stored(image.orientation)
        var turned = [UInt8](repeating: 0, count: stored.x.count * stored.y.count * 3)
        var span = turned.mutableSpan
        try image.codec.decode(encoded, stored, into: &span)
        image.orientation.apply(
            to: turned.span,
            storedWidth: stored.x.count,
            storedHeight: stored.y.count,
            into: &pixels
        )
    }
}
