import Foundation
import Imaging
import TestSupport
import Testing

struct OrientationTests {
    private let decoder = InProcessDecoder()
    private let upright = PNGBuilder.rgb(6, 4) { x, y in [UInt8(x * 40), UInt8(y * 60), 0] }

    /// The image as a camera that was held so stores it: the inverse of what EXIF asks of the viewer (CIPA DC-008, 4.6.4).
    private func stored(_ orientation: Int) -> PNGBuilder {
        let (width, height) = (upright.width, upright.height)
        func colour(_ x: Int, _ y: Int) -> [UInt8] { Array(upright.rows[y][(x * 3)..<(x * 3 + 3)]) }
        let swaps = orientation >= 5
        return .rgb(swaps ? height : width, swaps ? width : height) { x, y in
            switch orientation {
            case 2: colour(width - 1 - x, y)
            case 3: colour(width - 1 - x, height - 1 - y)
            case 4: colour(x, height - 1 - y)
            case 5: colour(y, x)
            case 6: colour(width - 1 - y, x)
            case 7: colour(width - 1 - y, height - 1 - x)
            case 8: colour(y, height - 1 - x)
            default: colour(x, y)
            }
        }
    }

    private static let fits: [Fit] = [
        .squash(side: 12), .centreCrop(shortSide: 7, side: 4), .centreCrop(shortSide: 4, side: 4),
    ]

    @Test(arguments: 1...8, fits)
    func `a PNG is shown upright`(orientation: Int, fit: Fit) throws {
        var image = stored(orientation)
        image.extraChunks = [("eXIf", Fixtures.exif(orientation: orientation))]
        let (pixels, properties) = try decoder.square(image.encoded, fit)
        let expected = try decoder.square(upright.encoded, fit).pixels
        #expect(properties == ImageProperties(format: .png, width: 6, height: 4))
        // The two passes round in another order when the axes are swapped.
        for (index, value) in pixels.enumerated() {
            #expect(abs(Int(value) - Int(expected[index])) <= 1, "orientation \(orientation), \(fit), byte \(index)")
        }
    }

    @Test(arguments: 1...8, [true, false])
    func `a JPEG is shown upright in both byte orders`(orientation: Int, isBigEndian: Bool) throws {
        let jpeg = try decoder.thumbnail(stored(orientation).encoded, longSide: 6)
        let exif = Fixtures.exif(orientation: orientation, isBigEndian: isBigEndian)
        let (pixels, properties) = try decoder.square(Fixtures.jpeg(jpeg, exif: exif), .squash(side: 4))
        #expect(properties == ImageProperties(format: .jpeg, width: 6, height: 4))
        let expected = try decoder.square(upright.encoded, .squash(side: 4)).pixels
        let difference = zip(pixels, expected).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) } / pixels.count
        #expect(difference < 16, "mean difference \(difference)")
    }

    @Test func `broken Exif blocks are ignored`() throws {
        let sound = Fixtures.exif(orientation: 6)
        for count in 0..<18 {
            let file = Fixtures.jpeg(Fixtures.gray, exif: Array(sound.prefix(count)))
            #expect(decoder.failure(file) == nil, "\(count) bytes of Exif")
        }
        for value in [0, 9, 255] {
            #expect(decoder.failure(Fixtures.jpeg(Fixtures.gray, exif: Fixtures.exif(orientation: value))) == nil)
        }
        var farAway = sound
        farAway.replaceSubrange(4..<8, with: [0xff, 0xff, 0xff, 0xff])
        #expect(decoder.failure(Fixtures.jpeg(Fixtures.gray, exif: farAway)) == nil)
    }

    @Test(.requiresSharedData, arguments: ["Landscape", "Portrait"])
    func `the eight sample photos of one scene agree`(scene: String) throws {
        let folder = SharedData.hostile.appending(path: "exif-orientation")
        let photos = try (1...8).map { index in
            let file = [UInt8](try Data(contentsOf: folder.appending(path: "\(scene)_\(index).jpg")))
            return try decoder.square(file, .squash(side: 64))
        }
        for photo in photos {
            #expect(photo.properties == photos[0].properties)
            let sum = zip(photo.pixels, photos[0].pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
            #expect(Double(sum) / Double(photo.pixels.count) < 4)
        }
    }
}
