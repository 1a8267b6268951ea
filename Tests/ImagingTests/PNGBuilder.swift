/// Writes PNG files by hand (ISO/IEC 15948): stored deflate blocks, any chunk, right or wrong.
struct PNGBuilder {
    enum ColourType: UInt8 {
        case gray = 0
        case rgb = 2
        case palette = 3
        case grayAlpha = 4
        case rgbAlpha = 6
    }

    var width: Int
    var height: Int
    var bitDepth: UInt8 = 8
    var colourType = ColourType.rgb
    /// Adam7, for 8-bit RGB only.
    var isInterlaced = false
    /// Packed rows without filter bytes, top to bottom.
    var rows: [[UInt8]] = []
    var palette: [UInt8]?
    var transparency: [UInt8]?
    /// Chunks between the palette and the pixels.
    var extraChunks: [(name: String, content: [UInt8])] = []

    static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

    var encoded: [UInt8] {
        var header = Self.big(UInt32(width)) + Self.big(UInt32(height))
        header += [bitDepth, colourType.rawValue, 0, 0, isInterlaced ? 1 : 0]
        var file = Self.signature + Self.chunk("IHDR", header)
        if let palette { file += Self.chunk("PLTE", palette) }
        if let transparency { file += Self.chunk("tRNS", transparency) }
        for (name, content) in extraChunks { file += Self.chunk(name, content) }
        file += Self.chunk("IDAT", Self.zlib((isInterlaced ? interlacedRows : rows).flatMap { [0] + $0 }))
        return file + Self.chunk("IEND", [])
    }

    /// The rows of the seven passes, top to bottom each.
    private var interlacedRows: [[UInt8]] {
        let passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        return passes.flatMap { startX, startY, stepX, stepY -> [[UInt8]] in
            let columns = stride(from: startX, to: width, by: stepX)
            guard startX < width else { return [] }
            return stride(from: startY, to: rows.count, by: stepY).map { y in
                columns.flatMap { rows[y][($0 * 3)..<($0 * 3 + 3)] }
            }
        }
    }

    /// An 8-bit RGB image by a function of the pixel's place.
    static func rgb(_ width: Int, _ height: Int, _ colour: (_ x: Int, _ y: Int) -> [UInt8]) -> PNGBuilder {
        PNGBuilder(
            width: width,
            height: height,
            rows: (0..<height).map { y in (0..<width).flatMap { x in colour(x, y) } }
        )
    }

    static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let named = Array(name.utf8) + content
        return big(UInt32(content.count)) + named + big(crc32(named))
    }

    static func big(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    /// RFC 1950 around stored blocks of RFC 1951.
    private static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var at = 0
        repeat {
            let count = min(65_535, bytes.count - at)
            let low = UInt8(count & 255)
            let high = UInt8(count >> 8)
            stream += [at + count == bytes.count ? 1 : 0, low, high, ~low, ~high]
            stream += bytes[at..<(at + count)]
            at += count
        } while at < bytes.count
        var (a, b) = (UInt32(1), UInt32(0))
        for byte in bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return stream + big(b << 16 | a)
    }

    private static let crcTable: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ (value >> 1) : value >> 1 }
    }

    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { crcTable[Int(($0 ^ UInt32($1)) & 255)] ^ ($0 >> 8) }
    }
}
