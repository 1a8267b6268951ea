/// Formats that are read, told by content.
package enum ImageFormat: String, Codable, Sendable { case jpeg, png }

/// Format, width and height of an image: the one type for them from the codec to the catalog.
package struct ImageProperties: Hashable, Sendable {
    package var format: ImageFormat
    /// Pixels as a viewer shows the image, EXIF orientation applied.
    package var width: UInt32
    package var height: UInt32

    package init(format: ImageFormat, width: UInt32, height: UInt32) {
        self.format = format
        self.width = width
        self.height = height
    }
}

/// How an image of any shape becomes a square of `side` pixels.
package enum Fit: Hashable, Sendable {
    case squash(side: Int)
    case centreCrop(shortSide: Int, side: Int)

    /// Height and width of the result.
    package var side: Int {
        switch self {
        case .squash(let side), .centreCrop(_, let side): side
        }
    }
}

/// Bounds on what one image may cost. The bytes are untrusted: an image beyond a bound is refused with a typed error
/// instead of taking the daemon's memory or a decoder's time.
package struct ImageLimits: Hashable, Sendable {
    package var maximumByteCount = 100 << 20
    package var maximumPixelCount = 100_000_000
    package var maximumSide = 65_500
    package var maximumJPEGScanCount = 100
    package var maximumPNGChunkByteCount = 4 << 20
    /// Seconds of processor time.
    package var maximumDecodeSeconds = 10.0

    package init() {}
}

/// Encoded bytes to pixels. In process today; an isolated worker process takes the same shape.
package protocol ImageDecoder: Sendable {
    /// Decodes, orients, composes alpha on white, converts to RGB and resizes with antialiasing.
    ///
    /// - Parameters:
    ///   - encoded: a whole file.
    ///   - fit: the square to make.
    ///   - pixels: `[side, side, 3]` uint8 RGB, overwritten.
    /// - Returns: format and upright size of the whole image.
    /// - Throws: `ImagingError`, naming what is wrong; `pixels` are undefined then.
    func decode(
        _ encoded: [UInt8],
        fit: Fit,
        into pixels: inout MutableSpan<UInt8>
    ) throws(ImagingError) -> ImageProperties

    /// A small JPEG of the image, upright, without metadata.
    ///
    /// - Parameters:
    ///   - encoded: a whole file.
    ///   - longSide: the result's longer side at most, in pixels; smaller images keep their size.
    /// - Returns: a whole JPEG file.
    /// - Throws: `ImagingError`, naming what is wrong.
    func thumbnail(_ encoded: [UInt8], longSide: Int) throws(ImagingError) -> [UInt8]
}
