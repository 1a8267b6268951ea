import Imaging
import Testing

/// The streamed resize against a direct one in double precision.
struct ResizeTests {
    private let decoder = InProcessDecoder()

    /// Weights of a triangle filter whose support grows with the reduction, for one output pixel.
    private func weights(_ input: Int, _ output: Int, _ index: Int) -> [(at: Int, weight: Double)] {
        let scale = Double(input) / Double(output)
        let support = max(1, scale)
        let center = (Double(index) + 0.5) * scale
        let all = (0..<input).map { (at: $0, weight: max(0, 1 - abs((Double($0) + 0.5 - center) / support))) }
        let sum = all.reduce(0) { $0 + $1.weight }
        return all.filter { $0.weight > 0 }.map { ($0.at, $0.weight / sum) }
    }

    private func resized(_ image: PNGBuilder, width: Int, height: Int) -> [Double] {
        var result: [Double] = []
        for y in 0..<height {
            let rows = weights(image.height, height, y)
            for x in 0..<width {
                let columns = weights(image.width, width, x)
                for channel in 0..<3 {
                    result.append(
                        rows.reduce(0) { sum, row in
                            sum + row.weight
                                * columns.reduce(0) { $0 + $1.weight * Double(image.rows[row.at][$1.at * 3 + channel]) }
                        }
                    )
                }
            }
        }
        return result
    }

    private func noise(_ width: Int, _ height: Int) -> PNGBuilder {
        var generator = SplitMix64(state: UInt64(width * 1000 + height))
        return .rgb(width, height) { _, _ in (0..<3).map { _ in UInt8.random(in: 0...255, using: &generator) } }
    }

    @Test(arguments: [(1, 1), (2, 1), (1, 40), (7, 5), (16, 16), (17, 33), (64, 48), (301, 13)])
    func `squash equals the direct computation within rounding`(width: Int, height: Int) throws {
        let image = noise(width, height)
        let (pixels, properties) = try decoder.square(image.encoded, .squash(side: 16))
        #expect(properties == ImageProperties(format: .png, width: UInt32(width), height: UInt32(height)))
        for (index, expected) in resized(image, width: 16, height: 16).enumerated() {
            #expect(abs(Double(pixels[index]) - expected) <= 1.01, "\(width) x \(height), byte \(index)")
        }
    }

    @Test(arguments: [(1, 1), (3, 700), (16, 16), (61, 33), (900, 5)], [1, 5, 16, 43])
    func `every instruction set gives the same pixels`(_ size: (width: Int, height: Int), side: Int) throws {
        let image = noise(size.width, size.height).encoded
        let plain = try InProcessDecoder(allowsSIMD: false).square(image, .squash(side: side)).pixels
        #expect(try decoder.square(image, .squash(side: side)).pixels == plain)
    }

    @Test(arguments: [(20, 20), (40, 20), (20, 41), (33, 64), (5, 9)])
    func `centre crop is the middle of the whole resize`(width: Int, height: Int) throws {
        let image = noise(width, height)
        let (pixels, _) = try decoder.square(image.encoded, .centreCrop(shortSide: 12, side: 8))
        let scaledWidth = width > height ? 12 * width / height : 12
        let scaledHeight = width > height ? 12 : 12 * height / width
        let whole = resized(image, width: scaledWidth, height: scaledHeight)
        let left = Int((Double(scaledWidth - 8) / 2).rounded(.toNearestOrEven))
        let top = Int((Double(scaledHeight - 8) / 2).rounded(.toNearestOrEven))
        // The long side is truncated to whole pixels, so its filter differs a little from the direct one's.
        for y in 0..<8 {
            for x in 0..<8 * 3 {
                let expected = whole[((top + y) * scaledWidth + left) * 3 + x]
                #expect(abs(Double(pixels[y * 24 + x]) - expected) <= 1.01, "\(width) x \(height) at \(x), \(y)")
            }
        }
    }

    @Test func `a crop of a very long strip costs no more than the crop`() throws {
        let strip = PNGBuilder(width: 1, height: 60_000, rows: .init(repeating: [1, 2, 3], count: 60_000))
        let (pixels, _) = try decoder.square(strip.encoded, .centreCrop(shortSide: 256, side: 224))
        #expect(pixels.starts(with: [1, 2, 3]) && pixels.suffix(3) == [1, 2, 3])
    }

    @Test func `DCT scaling of a large JPEG stays close to the plain resize`() throws {
        let image = PNGBuilder.rgb(400, 300) { x, y in
            [UInt8(x * 255 / 399), UInt8(y * 255 / 299), UInt8((x / 50 % 2) * 200)]
        }
        let jpeg = try decoder.thumbnail(image.encoded, longSide: 400)
        let (pixels, properties) = try decoder.square(jpeg, .squash(side: 16))
        #expect(properties == ImageProperties(format: .jpeg, width: 400, height: 300))
        let expected = resized(image, width: 16, height: 16)
        let difference = zip(pixels, expected).reduce(0) { $0 + abs(Double($1.0) - $1.1) } / Double(pixels.count)
        #expect(difference < 3, "mean difference \(difference)")
    }
}
