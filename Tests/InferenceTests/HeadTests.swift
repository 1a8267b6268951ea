import Testing

@testable import Inference

struct HeadTests {
    /// `[channels, height, width]`.
    struct Map {
        var channels: Int
        var height: Int
        var width: Int
        var values: [Float]

        /// The rows of some heads, from one pass, in one of two layouts.
        func rows(_ heads: [Head], isChannelsLast: Bool = false) -> (values: [[Float]], isFinite: Bool) {
            let positions = height * width
            // Three values of padding at each position: strides are not counts.
            let pitch = channels + 3
            var stored = values
            if isChannelsLast {
                stored = [Float](repeating: .nan, count: positions * pitch)
                for (index, value) in values.enumerated() {
                    stored[index % positions * pitch + index / positions] = value
                }
            }
            var rows = [Float](repeating: .nan, count: heads.count * channels)
            var isFinite = false
            stored.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                let map = FeatureMap(
                    base: base,
                    channels: channels,
                    height: height,
                    width: width,
                    channelStride: isChannelsLast ? 1 : positions,
                    positionStride: isChannelsLast ? pitch : 1
                )
                var span = rows.mutableSpan
                isFinite = map.reduce(heads, into: &span, at: 0)
            }
            return (heads.indices.map { Array(rows[$0 * channels..<($0 + 1) * channels]) }, isFinite)
        }

        /// Values from a fixed sequence, a third of them zero as after a ReLU.
        static func random(channels: Int, height: Int, width: Int) -> Map {
            var state = UInt64(channels * 10_007 + height * 101 + width)
            let values = (0..<channels * height * width).map { _ -> Float in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return max(0, Float(state >> 40) / Float(1 << 24) - 0.33)
            }
            return Map(channels: channels, height: height, width: width, values: values)
        }
    }

    @Test(arguments: [(Head.max, [3, 1, 4, -1]), (.mean, [2, 4, 8, 0]), (.rmac, [3, 3, 4, 4])])
    func `heads are normalised`(head: Head, values: [Float]) {
        #expect(Map(channels: 2, height: 2, width: 1, values: values).rows([head]).values == [[0.6, 0.8]])
    }

    @Test func `gem3 is the cubic mean of what is above its floor`() {
        let (rows, isFinite) = Map(channels: 2, height: 1, width: 2, values: [0, 2, 1, 1]).rows([.gem3])
        #expect(isFinite)
        // (8 / 2)^(1/3) = 1.5874 against 1.
        #expect(abs(rows[0][0] / rows[0][1] - 1.587401) < 1e-5)
    }

    @Test(arguments: Head.allCases, [Float.nan, .infinity])
    func `a non-finite value is told wherever it stands`(head: Head, value: Float) {
        for isChannelsLast in [true, false] {
            for position in 0..<18 {
                var map = Map(channels: 2, height: 3, width: 3, values: (1...18).map(Float.init))
                map.values[position] = value
                let isFinite = map.rows([head], isChannelsLast: isChannelsLast).isFinite
                #expect(!isFinite, "\(head) \(value) at \(position)")
            }
        }
    }

    @Test(arguments: [Head.max, .mean, .rmac])
    func `a map of zeros gives zeros`(head: Head) {
        let (rows, isFinite) = Map(channels: 2, height: 1, width: 2, values: [0, 0, 0, 0]).rows([head])
        #expect(isFinite)
        #expect(rows == [[0, 0]])
    }

    @Test(arguments: [(1, 1, 1), (3, 1, 1), (7, 2, 2), (15, 9, 7), (16, 7, 9), (17, 14, 14), (2, 3, 20)])
    func `one pass gives every head's row in both layouts`(channels: Int, height: Int, width: Int) {
        let map = Map.random(channels: channels, height: height, width: width)
        let heads = Head.allCases + [.max]
        let all = map.rows(heads)
        #expect(all.isFinite)
        for (index, head) in heads.enumerated() {
            #expect(map.rows([head]).values == [all.values[index]], "\(head)")
        }
        #expect(map.rows(heads, isChannelsLast: true).values == all.values)
    }

    /// Against regions written out from the paper's figure, each summed on its own.
    @Test(arguments: [(5, 14, 14), (4, 7, 7), (3, 1, 1), (9, 3, 2), (6, 10, 15)])
    func `rmac is the normalised sum of normalised region maxima`(channels: Int, height: Int, width: Int) throws {
        let map = Map.random(channels: channels, height: height, width: width)
        var expected = [Double](repeating: 0, count: channels)
        for region in RegionGrid(height: height, width: width).regions {
            let maxima = (0..<channels).map { channel -> Double in
                var greatest = 0.0
                for y in region.top..<region.top + region.side {
                    for x in region.left..<region.left + region.side {
                        greatest = max(greatest, Double(map.values[(channel * height + y) * width + x]))
                    }
                }
                return greatest
            }
            let norm = maxima.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for channel in 0..<channels where norm > 0 { expected[channel] += maxima[channel] / norm }
        }
        let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let found = map.rows([.rmac]).values[0]
        for (value, sum) in zip(found, expected) { #expect(abs(Double(value) - sum / norm) < 1e-6) }
    }
}

struct RegionGridTests {
    typealias Region = RegionGrid.Region

    @Test func `a map of VGG has the fourteen regions of the paper`() {
        let regions = RegionGrid(height: 14, width: 14).regions
        #expect(regions.count == 14)
        #expect(regions[0] == Region(top: 0, left: 0, side: 14))
        #expect(regions[1...4].map { [$0.top, $0.left, $0.side] } == [[0, 0, 9], [0, 5, 9], [5, 0, 9], [5, 5, 9]])
        #expect(regions[5...].allSatisfy { $0.side == 7 })
        #expect(regions[5...].map { [$0.top, $0.left] }.contains([3, 7]))
    }

    @Test func `a longer side takes more squares that overlap by about 40 percent`() {
        // 10 x 15: e = 1 gives an overlap of .5, e = 2 one of .75; .5 is nearer to .4.
        let wide = RegionGrid(height: 10, width: 15).regions
        #expect(wide.prefix(2).map(\.left) == [0, 5])
        #expect(wide.count == 1 * 2 + 2 * 3 + 3 * 4)
        let high = RegionGrid(height: 15, width: 10).regions
        #expect(Set(high.map { Region(top: $0.left, left: $0.top, side: $0.side) }) == Set(wide))
    }

    @Test(arguments: 1...30)
    func `regions lie on the map and cover it`(height: Int) {
        for width in 1...30 {
            let regions = RegionGrid(height: height, width: width).regions
            #expect(regions.allSatisfy { $0.top >= 0 && $0.left >= 0 && $0.side >= 1 })
            #expect(regions.allSatisfy { $0.top + $0.side <= height && $0.left + $0.side <= width })
            // One longer than six overlapping squares has gaps between those of the first scale.
            guard max(height, width) <= 7 * min(height, width) else { continue }
            for y in 0..<height {
                for x in 0..<width where !regions.contains(where: { $0.contains(y: y, x: x) }) {
                    Issue.record("(\(y), \(x)) of \(height) x \(width) is in no region")
                }
            }
        }
    }
}
