import Imaging
import Testing

/// What is refused, and by which name.
struct LimitTests {
    private let decoder = InProcessDecoder()
    private let small = PNGBuilder.rgb(32, 32) { x, y in [UInt8(x), UInt8(y), 0] }

    private func limited(_ change: (inout ImageLimits) -> Void) -> InProcessDecoder {
        var limits = ImageLimits()
        change(&limits)
        return InProcessDecoder(limits: limits)
    }

    @Test func `no bytes are empty`() { #expect(decoder.failure([])?.code == .empty) }

    @Test(arguments: [
        ("GIF", "GIF89a......"), ("WebP", "RIFF....WEBPVP8 "), ("TIFF", "II*\0...."), ("BMP", "BM......"),
        ("PDF", "%PDF-1.7"),
        ("AVIF", "\0\0\0 ftypavif"), ("HEIF", "\0\0\0 ftypheic"), ("neither", "hello, world"), ("neither", "x"),
    ])
    func `other formats are unsupported and named`(name: String, start: String) throws {
        let error = try #require(decoder.failure(Array(start.utf8)))
        #expect(error.code == .unsupported)
        #expect(error.detail.contains(name))
    }

    @Test func `bytes, sides and pixels are limited before pixels are read`() {
        let file = small.encoded
        #expect(limited { $0.maximumByteCount = file.count - 1 }.failure(file)?.code == .limitExceeded)
        #expect(limited { $0.maximumByteCount = file.count }.failure(file) == nil)
        #expect(limited { $0.maximumSide = 31 }.failure(file)?.code == .limitExceeded)
        #expect(limited { $0.maximumPixelCount = 1023 }.failure(file)?.code == .limitExceeded)
        #expect(limited { $0.maximumPixelCount = 1024 }.failure(file) == nil)
        #expect(limited { $0.maximumPixelCount = 255 }.failure(Fixtures.gray)?.code == .limitExceeded)
        #expect(limited { $0.maximumSide = 15 }.failure(Fixtures.gray)?.code == .limitExceeded)
    }

    @Test func `a bomb of declared pixels is refused by its header`() {
        let bomb = PNGBuilder(width: 65_000, height: 65_000, rows: [])
        #expect(decoder.failure(bomb.encoded)?.code == .limitExceeded)
        let interlaced = PNGBuilder(width: 10_000, height: 10_000, isInterlaced: true, rows: [])
        #expect(decoder.failure(interlaced.encoded)?.code == .limitExceeded)
    }

    @Test func `scans, chunks and time are limited`() {
        #expect(limited { $0.maximumJPEGScanCount = 3 }.failure(Fixtures.progressive)?.code == .limitExceeded)
        #expect(limited { $0.maximumJPEGScanCount = 10 }.failure(Fixtures.progressive) == nil)
        var chunky = small
        chunky.extraChunks = [("teXt", .init(repeating: 65, count: 5000))]
        #expect(limited { $0.maximumPNGChunkByteCount = 4096 }.failure(chunky.encoded)?.code == .limitExceeded)
        #expect(limited { $0.maximumPNGChunkByteCount = 5000 }.failure(chunky.encoded) == nil)
        let hasty = limited { $0.maximumDecodeSeconds = 0 }
        #expect(hasty.failure(small.encoded)?.code == .limitExceeded)
        #expect(hasty.failure(Fixtures.progressive)?.code == .limitExceeded)
    }

    @Test func `a cut file is truncated wherever it is cut`() throws {
        let png = small.encoded
        // Within the pixels: after them nothing is missing.
        for count in stride(from: 60, to: png.count - 20, by: 97) {
            #expect(decoder.failure(Array(png.prefix(count)))?.code == .truncated, "\(count) bytes of \(png.count)")
        }
        let noise = PNGBuilder.rgb(64, 64) { x, y in [UInt8(x * y % 251), UInt8(x * 7 % 256), UInt8(y * 13 % 256)] }
        let jpeg = try decoder.thumbnail(noise.encoded, longSide: 64)
        for count in stride(from: 4, to: jpeg.count - 100, by: 41) {
            #expect(decoder.failure(Array(jpeg.prefix(count)))?.code == .truncated, "\(count) bytes of \(jpeg.count)")
        }
    }

    @Test func `a wrong checksum before the pixels is corrupt`() {
        var file = small.encoded
        file[20] ^= 1
        #expect(decoder.failure(file)?.code == .corrupt)
    }
}
