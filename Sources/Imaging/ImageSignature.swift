/// What the first bytes say a file is. Names and extensions are never asked.
enum ImageSignature: Equatable {
    case readable(ImageFormat)
    /// A known format that this decoder does not read.
    case foreign(name: String)
    case unknown

    private struct Pattern {
        let name: String
        let offset: Int
        let bytes: [UInt8]

        init(_ name: String, _ text: String, at offset: Int = 0) {
            self.name = name
            self.offset = offset
            bytes = Array(text.utf8)
        }

        init(_ name: String, bytes: [UInt8]) {
            self.name = name
            offset = 0
            self.bytes = bytes
        }
    }

    private static let foreignPatterns = [
        Pattern("GIF", "GIF8"),
        Pattern("WebP", "WEBP", at: 8),
        Pattern("TIFF", bytes: [0x49, 0x49, 0x2a, 0x00]),
        Pattern("TIFF", bytes: [0x4d, 0x4d, 0x00, 0x2a]),
        Pattern("BigTIFF", bytes: [0x49, 0x49, 0x2b, 0x00]),
        Pattern("BMP", "BM"),
        Pattern("JPEG 2000", bytes: [0x00, 0x00, 0x00, 0x0c, 0x6a, 0x50, 0x20, 0x20]),
        Pattern("JPEG 2000", bytes: [0xff, 0x4f, 0xff, 0x51]),
        Pattern("JPEG XL", bytes: [0xff, 0x0a]),
        Pattern("JPEG XL", bytes: [0x00, 0x00, 0x00, 0x0c, 0x4a, 0x58, 0x4c, 0x20]),
        Pattern("AVIF", "ftypavif", at: 4),
        Pattern("AVIF", "ftypavis", at: 4),
        Pattern("HEIF", "ftyphei", at: 4),
        Pattern("HEIF", "ftyphev", at: 4),
        Pattern("HEIF", "ftypmif1", at: 4),
        Pattern("video", "ftyp", at: 4),
        Pattern("MNG", bytes: [0x8a, 0x4d, 0x4e, 0x47]),
        Pattern("PSD", "8BPS"),
        Pattern("ICO", bytes: [0x00, 0x00, 0x01, 0x00]),
        Pattern("DDS", "DDS "),
        Pattern("QOI", "qoif"),
        Pattern("OpenEXR", bytes: [0x76, 0x2f, 0x31, 0x01]),
        Pattern("PDF", "%PDF"),
        Pattern("PostScript", "%!PS"),
        Pattern("SVG", "<svg"),
        Pattern("XML", "<?xml"),
    ]

    private static let png: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    private static let jpeg: [UInt8] = [0xff, 0xd8, 0xff]

    init(of encoded: [UInt8]) {
        if encoded.starts(with: Self.jpeg) {
            self = .readable(.jpeg)
        } else if encoded.starts(with: Self.png) {
            self = .readable(.png)
        } else {
            let known = Self.foreignPatterns.first { encoded.dropFirst($0.offset).starts(with: $0.bytes) }
            self = known.map { .foreign(name: $0.name) } ?? .unknown
        }
    }
}
