internal import CImaging

/// The C codecs with Swift's errors: one funnel from status codes to `ImagingError`.
struct Codec {
    private let format: ImageFormat
    private var limits: CImaging_limits
    private let usesAVX2: Bool

    /// Bounds that no caller changes (`reference/service.md` 9.6).
    private static let maximumMemoryByteCount = 256 << 20
    private static let maximumPNGChunkCount: Int32 = 128

    init(_ format: ImageFormat, _ limits: ImageLimits, usesAVX2: Bool) {
        self.format = format
        self.usesAVX2 = usesAVX2
        self.limits = CImaging_limits(
            pixel_count: UInt64(clamping: limits.maximumPixelCount),
            side: UInt32(clamping: limits.maximumSide),
            jpeg_scan_count: Int32(clamping: limits.maximumJPEGScanCount),
            png_chunk_byte_count: max(0, limits.maximumPNGChunkByteCount),
            png_chunk_count: Self.maximumPNGChunkCount,
            memory_byte_count: Self.maximumMemoryByteCount,
            seconds: limits.maximumDecodeSeconds
        )
    }

    /// Width and height of the stored image, EXIF orientation not applied.
    func storedSize(_ encoded: [UInt8]) throws(ImagingError) -> (width: Int, height: Int) {
        var limits = limits
        var message = CImaging_message()
        var width: UInt32 = 0
        var height: UInt32 = 0
        let status =
            switch format {
            case .jpeg: CImaging_jpeg_size(encoded, encoded.count, &limits, &width, &height, &message)
            case .png: CImaging_png_size(encoded, encoded.count, &limits, &width, &height, &message)
            }
        try Self.check(status, message)
        return (Int(width), Int(height))
    }

    /// Decodes and resizes to `geometry`, in the axes of the stored image.
    func decode(
        _ encoded: [UInt8],
        _ geometry: ResizeGeometry,
        into pixels: inout MutableSpan<UInt8>
    ) throws(ImagingError) {
        precondition(
            pixels.count == geometry.x.count * geometry.y.count * 3,
            "\(pixels.count) bytes for \(geometry.x.count) x \(geometry.y.count) pixels"
        )
        var limits = limits
        var message = CImaging_message()
        let (x, y) = (geometry.x.codec, geometry.y.codec)
        let status = pixels.withUnsafeMutableBufferPointer { buffer in
            // A geometry has at least one pixel, so there is an address.
            guard let start = buffer.baseAddress else { return CImaging_no_memory }
            var target = CImaging_target(x: x, y: y, pixels: start, uses_avx2: usesAVX2)
            return switch format {
            case .jpeg: CImaging_jpeg_decode(encoded, encoded.count, &limits, &target, &message)
            case .png: CImaging_png_decode(encoded, encoded.count, &limits, &target, &message)
            }
        }
        try Self.check(status, message)
    }

    /// A baseline JPEG of `[height, width, 3]` RGB bytes, without metadata.
    static func encodeJPEG(
        _ pixels: [UInt8],
        width: Int,
        height: Int,
        quality: Int32
    ) throws(ImagingError) -> [UInt8] {
        precondition(pixels.count == width * height * 3, "\(pixels.count) bytes for \(width) x \(height) pixels")
        var message = CImaging_message()
        var encoded: UnsafeMutablePointer<UInt8>?
        var byteCount = 0
        let status = CImaging_jpeg_encode(
            pixels,
            UInt32(width),
            UInt32(height),
            quality,
            &encoded,
            &byteCount,
            &message
        )
        defer { CImaging_release(encoded) }
        try check(status, message)
        return Array(UnsafeBufferPointer(start: encoded, count: byteCount))
    }

    private static func check(_ status: CImaging_status, _ message: CImaging_message) throws(ImagingError) {
        let code: ImagingError.Code
        switch status {
        case CImaging_ok: return
        case CImaging_truncated: code = .truncated
        case CImaging_unsupported: code = .unsupported
        case CImaging_limit, CImaging_no_memory: code = .limitExceeded
        default: code = .corrupt
        }
        let text = withUnsafeBytes(of: message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        throw ImagingError(code, text.isEmpty ? "no memory" : text)
    }
}
