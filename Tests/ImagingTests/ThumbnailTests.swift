import Imaging
import Testing

struct ThumbnailTests {
    private let decoder = InProcessDecoder()

    private func properties(_ jpeg: [UInt8]) throws -> ImageProperties {
        try decoder.square(jpeg, .squash(side: 8)).properties
    }

    @Test(arguments: [(400, 300, 100, 100, 75), (300, 400, 100, 75, 100), (50, 20, 100, 50, 20), (1000, 1, 10, 10, 1)])
    func `the long side is bounded and nothing is enlarged`(
        width: Int,
        height: Int,
        longSide: Int,
        expectedWidth: UInt32,
        expectedHeight: UInt32
    ) throws {
        let image = PNGBuilder.rgb(width, height) { x, _ in [UInt8(x % 256), 100, 200] }
        let thumbnail = try decoder.thumbnail(image.encoded, longSide: longSide)
        let expected = ImageProperties(format: .jpeg, width: expectedWidth, height: expectedHeight)
        #expect(try properties(thumbnail) == expected)
    }

    @Test func `a thumbnail is upright and carries no metadata`() throws {
        var image = PNGBuilder.rgb(40, 20) { x, y in [UInt8(x), UInt8(y), 0] }
        image.extraChunks = [("eXIf", Fixtures.exif(orientation: 6))]
        let thumbnail = try decoder.thumbnail(image.encoded, longSide: 20)
        #expect(try properties(thumbnail) == ImageProperties(format: .jpeg, width: 10, height: 20))
        #expect(!thumbnail.indices.dropLast().contains { thumbnail[$0] == 0xff && thumbnail[$0 + 1] == 0xe1 })
    }

    @Test func `what cannot be decoded has no thumbnail`() {
        #expect(throws: ImagingError.self) { try decoder.thumbnail([1, 2, 3], longSide: 10) }
    }
}
