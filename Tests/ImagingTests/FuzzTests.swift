import Imaging
import TestSupport
import Testing

/// Random damage to sound files: every outcome but a crash is right. The seed is in the failure's name.
struct FuzzTests {
    private let decoder = InProcessDecoder()

    private static let seedPNGs: [[UInt8]] = {
        let rgb = PNGBuilder.rgb(9, 7) { x, y in [UInt8(x * 20), UInt8(y * 30), 7] }
        var noted = rgb
        noted.extraChunks = [("eXIf", Fixtures.exif(orientation: 7)), ("teXt", Array("a\0b".utf8))]
        let rows = [[UInt8]](repeating: [0b0001_1011, 0b1110_0100], count: 5)
        let palette = PNGBuilder(
            width: 8,
            height: 5,
            bitDepth: 2,
            colourType: .palette,
            rows: rows,
            palette: .init(0..<12),
            transparency: [0, 128]
        )
        var interlaced = rgb
        interlaced.isInterlaced = true
        return [rgb, noted, palette, interlaced].map(\.encoded)
    }()

    private static let seedJPEGs: [[UInt8]] = [
        Fixtures.progressive, Fixtures.gray, Fixtures.cmyk,
        Fixtures.jpeg(Fixtures.gray, exif: Fixtures.exif(orientation: 5)),
    ]

    @Test(arguments: [true, false])
    func `damaged files never crash the decoder`(isPNG: Bool) {
        var generator = SplitMix64(state: isPNG ? 1 : 2)
        let seeds = isPNG ? Self.seedPNGs : Self.seedJPEGs
        let end = ContinuousClock.now + .seconds(TestEnvironment.seconds(1.5))
        var count = 0
        var readCount = 0
        while ContinuousClock.now < end || count <= 100 {
            var file = seeds[count % seeds.count]
            damage(&file, &generator)
            if isPNG, Bool.random(using: &generator) { repairChecksums(&file) }
            if decoder.failure(file) == nil { readCount += 1 }
            _ = try? decoder.thumbnail(file, longSide: 5)
            count += 1
        }
        #expect(count > 100)
        #expect(readCount > 0 && readCount < count, "\(readCount) of \(count) were read")
    }

    private func damage(_ file: inout [UInt8], _ generator: inout SplitMix64) {
        for _ in 0..<Int.random(in: 1...6, using: &generator) where !file.isEmpty {
            let at = Int.random(in: 0..<file.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: file[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: file[at] = [0, 1, 127, 128, 254, 255].randomElement(using: &generator) ?? 0
            case 2: file[at] = UInt8.random(in: 0...255, using: &generator)
            case 3: file.removeSubrange(at..<min(file.count, at + Int.random(in: 1...9, using: &generator)))
            case 4: file.insert(contentsOf: file[at..<min(file.count, at + 16)], at: at)
            default: file.removeLast(Int.random(in: 0...min(8, file.count), using: &generator))
            }
        }
    }

    /// Damage that is behind the checksums reaches what they guard.
    private func repairChecksums(_ file: inout [UInt8]) {
        var at = 8
        while at + 12 <= file.count {
            let length = file[at..<(at + 4)].reduce(0) { $0 << 8 | Int($1) }
            guard at + 12 + length <= file.count else { return }
            let sum = PNGBuilder.crc32(Array(file[(at + 4)..<(at + 8 + length)]))
            file.replaceSubrange((at + 8 + length)..<(at + 12 + length), with: PNGBuilder.big(sum))
            at += 12 + length
        }
    }
}
