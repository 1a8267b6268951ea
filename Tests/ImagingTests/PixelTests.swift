import Imaging
import Testing

/// Every way of storing a colour gives that colour.
struct PixelTests {
    private let decoder = InProcessDecoder()

    /// The first pixel of an image that is decoded at its own size.
    private func pixel(_ image: PNGBuilder) throws -> [UInt8] {
        Array(try decoder.square(image.encoded, .squash(side: image.width)).pixels.prefix(3))
    }

    @Test func `an 8-bit RGB PNG of the wanted size comes through unchanged`() throws {
        let image = PNGBuilder.rgb(16, 16) { x, y in [UInt8(x * 16), UInt8(y * 16), UInt8(x ^ y)] }
        let (pixels, properties) = try decoder.square(image.encoded, .squash(side: 16))
        #expect(pixels == image.rows.flatMap { $0 })
        #expect(properties == ImageProperties(format: .png, width: 16, height: 16))
    }

    @Test(arguments: [1, 2, 4, 8, 16] as [UInt8])
    func `gray of any depth spans black to white`(bitDepth: UInt8) throws {
        let rowByteCount = (4 * Int(bitDepth) + 7) / 8
        for (value, expected) in [(0x00, 0), (0xff, 255)] as [(UInt8, UInt8)] {
            let row = [UInt8](repeating: value, count: rowByteCount)
            let rows = [row, row, row, row]
            let image = PNGBuilder(width: 4, height: 4, bitDepth: bitDepth, colourType: .gray, rows: rows)
            #expect(try pixel(image) == [expected, expected, expected])
        }
    }

    @Test(arguments: [1, 3, 8, 13])
    func `an interlaced PNG equals its plain twin`(side: Int) throws {
        var image = PNGBuilder.rgb(side, side) { x, y in [UInt8(x * 16), UInt8(y * 16), UInt8(x ^ y)] }
        let plain = try decoder.square(image.encoded, .squash(side: side)).pixels
        image.isInterlaced = true
        #expect(try decoder.square(image.encoded, .squash(side: side)).pixels == plain)
    }

    @Test func `16 bits keep their high byte`() throws {
        let row: [UInt8] = [0x12, 0xff, 0x80, 0x00, 0xfe, 0x01]
        #expect(try pixel(PNGBuilder(width: 1, height: 1, bitDepth: 16, rows: [row])) == [0x12, 0x80, 0xfe])
    }

    @Test func `palette entries are looked up`() throws {
        let image = PNGBuilder(
            width: 1,
            height: 1,
            colourType: .palette,
            rows: [[1]],
            palette: [9, 9, 9, 10, 20, 30]
        )
        #expect(try pixel(image) == [10, 20, 30])
    }

    @Test func `an index beyond the palette is an error or a colour, nothing worse`() {
        let image = PNGBuilder(width: 1, height: 1, colourType: .palette, rows: [[200]], palette: [9, 9, 9])
        _ = decoder.failure(image.encoded)
    }

    @Test func `alpha lies on white`() throws {
        let half = PNGBuilder(width: 1, height: 1, colourType: .rgbAlpha, rows: [[0, 100, 200, 128]])
        // 255 + (c - 255) * 128 / 255
        #expect(try pixel(half) == [127, 177, 227])
        let gray = PNGBuilder(width: 1, height: 1, colourType: .grayAlpha, rows: [[7, 0]])
        #expect(try pixel(gray) == [255, 255, 255])
        let palette = PNGBuilder(
            width: 1,
            height: 1,
            colourType: .palette,
            rows: [[0]],
            palette: [1, 2, 3],
            transparency: [0]
        )
        #expect(try pixel(palette) == [255, 255, 255])
        let keyed = PNGBuilder(width: 1, height: 1, rows: [[1, 2, 3]], transparency: [0, 1, 0, 2, 0, 3])
        #expect(try pixel(keyed) == [255, 255, 255])
    }

    @Test func `gamma and profiles change nothing`() throws {
        var image = PNGBuilder(width: 1, height: 1, rows: [[10, 20, 30]])
        image.extraChunks = [("gAMA", PNGBuilder.big(100_000)), ("iCCP", Array("rubbish".utf8))]
        #expect(try pixel(image) == [10, 20, 30])
    }

    @Test(arguments: [
        (Fixtures.progressive, [200, 40, 90]), (Fixtures.gray, [77, 77, 77]), (Fixtures.cmyk, [207, 46, 114]),
    ])
    func `progressive, gray and CMYK JPEGs have their colour`(file: [UInt8], colour: [Int]) throws {
        let (pixels, properties) = try decoder.square(file, .squash(side: 8))
        #expect(properties == ImageProperties(format: .jpeg, width: 16, height: 16))
        for (index, value) in pixels.enumerated() {
            #expect(abs(Int(value) - colour[index % 3]) <= 3, "byte \(index)")
        }
    }
}
