internal import CImaging

/// An image whose header the codec has read, and the one funnel from the codec's status codes to `ImagingError`.
///
/// It owns the codec's state and borrows the encoded bytes, which must stay where they are while it lives. One thread uses
/// it, and decodes once.
struct Codec: ~Copyable {
    private let image: OpaquePointer
    private let usesAVX2: Bool
    /// Pixels of the stored image, EXIF orientation not applied.
    let width: UInt32
    let height: UInt32

    /// Buffers that a format cannot do without: coefficients of a progressive JPEG, pixels of an interlaced PNG.
    private static let maximumMemoryByteCount = 256 << 20
    private static let maximumPNGChunkCount: Int32 = 128

    /// Reads the header.
    ///
    /// - Parameters:
    ///   - encoded: a whole file, at least one byte.
    ///   - format: what its first bytes say.
    ///   - limits: what the image may cost; its time runs from here.
    ///   - usesAVX2: whether the resize may use AVX2.
    /// - Throws: `ImagingError`, naming what is wrong.
    init(
        _ encoded: UnsafeBufferPointer<UInt8>,
        _ format: ImageFormat,
        _ limits: ImageLimits,
        usesAVX2: Bool
    ) throws(ImagingError) {
        guard let bytes = encoded.baseAddress else { throw ImagingError(.empty, "0 bytes") }
        var bounds = CImaging_limits(
            pixel_count: UInt64(clamping: limits.maximumPixelCount),
            side: UInt32(clamping: limits.maximumSide),
            jpeg_scan_count: Int32(clamping: limits.maximumJPEGScanCount),
            png_chunk_byte_count: max(0, limits.maximumPNGChunkByteCount),
            png_chunk_count: Self.maximumPNGChunkCount,
            memory_byte_count: Self.maximumMemoryByteCount,
            seconds: limits.maximumDecodeSeconds
        )
        let kind =
            switch format {
            case .jpeg: CImaging_jpeg
            case .png: CImaging_png
            }
        var message = CImaging_message()
        var opened: OpaquePointer?
        // SAFETY: the caller keeps the bytes in place while this lives; `deinit` closes the image.
        let status = CImaging_open(kind, bytes, encoded.count, &bounds, &opened, &message)
        try Self.check(status, message)
        guard let opened else { throw ImagingError(.limitExceeded, "no memory") }
        image = opened
        width = CImaging_width(opened)
        height = CImaging_height(opened)
        self.usesAVX2 = usesAVX2
    }

    deinit { CImaging_close(image) }

    /// Decodes and resizes to `geometry`, in the axes of the stored image.
    func decode(
        _ geometry: ResizeGeometry,
        into pixels: UnsafeMutableBufferPointer<UInt8>
    ) throws(ImagingError) {
        precondition(
            pixels.count == geometry.x.count * geometry.y.count * 3,
            "\(pixels.count) bytes for \(geometry.x.count) x \(geometry.y.count) pixels"
        )
        // A geometry has at least one pixel, so there is an address.
        guard let start = pixels.baseAddress else { throw ImagingError(.limitExceeded, "no memory") }
        var message = CImaging_message()
        var target = CImaging_target(x: geometry.x.codec, y: geometry.y.codec, pixels: start, uses_avx2: usesAVX2)
        try Self.check(CImaging_decode(image, &target, &message), message)
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
