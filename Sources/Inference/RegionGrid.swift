/// The regions of R-MAC (Tolias, Sicre, Jegou, "Particular object retrieval with integral max-pooling of CNN activations",
/// arXiv 1511.05879, section 3.2): squares at three scales that overlap by about 40 %.
///
/// With m the shorter side of the map, the squares of scale l = 1, 2, 3 have the side s = max(1, floor(2 m / (l + 1))). They lie
/// in rows and columns: n = l of them along a side of m; along a longer side n = l + e, where e in 1...6 is the (smallest)
/// count that brings the overlap of neighbours at scale 1, 1 - (longer - m) / (m e), nearest to 0.4. Square i of n along a side of
/// d positions begins at floor(i (d - s) / (n - 1)), or at 0 where n is 1.
///
/// A 14x14 map has 14 regions: one of side 14; four of side 9 at 0, 5; nine of side 7 at 0, 3, 7. On maps of a few positions
/// some regions coincide; each of them counts.
package struct RegionGrid: Hashable, Sendable {
    /// A square of positions.
    package struct Region: Hashable, Sendable {
        package let top: Int
        package let left: Int
        package let side: Int

        func contains(y: Int, x: Int) -> Bool { top..<top + side ~= y && left..<left + side ~= x }
    }

    /// By scale, then row, then column.
    package let regions: [Region]

    private static let scaleCount = 3
    private static let overlap = 0.4

    /// The regions of a map; both sides are at least 1.
    package init(height: Int, width: Int) {
        let shorter = min(height, width)
        let extra = Self.extraCount(longer: max(height, width), shorter: shorter)
        regions = (1...Self.scaleCount).flatMap { scale in
            let side = max(1, 2 * shorter / (scale + 1))
            let tops = Self.origins(of: side, count: scale + (height > width ? extra : 0), along: height)
            let lefts = Self.origins(of: side, count: scale + (width > height ? extra : 0), along: width)
            return tops.flatMap { top in lefts.map { Region(top: top, left: $0, side: side) } }
        }
    }

    private static func origins(of side: Int, count: Int, along length: Int) -> [Int] {
        (0..<count).map { count == 1 ? 0 : $0 * (length - side) / (count - 1) }
    }

    /// Squares that the longer side takes beyond those of the shorter one.
    private static func extraCount(longer: Int, shorter: Int) -> Int {
        guard longer > shorter else { return 0 }
        func miss(_ count: Int) -> Double { abs(1 - Double(longer - shorter) / Double(shorter * count) - overlap) }
        return (1...6).min { miss($0) < miss($1) } ?? 1
    }
}
