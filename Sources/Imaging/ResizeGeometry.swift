internal import CImaging

/// Which part of which enlargement or reduction of an upright image is made.
struct ResizeGeometry: Equatable {
    /// One axis: the image becomes `scaled` pixels long, of which `count` from `offset` are kept.
    struct Axis: Equatable {
        var scaled: Int
        var offset = 0
        var count: Int

        /// The same pixels counted from the other end.
        var reversed: Axis { Axis(scaled: scaled, offset: scaled - offset - count, count: count) }

        var codec: CImaging_axis {
            CImaging_axis(scaled: UInt64(scaled), offset: UInt64(offset), count: UInt32(count))
        }
    }

    var x: Axis
    var y: Axis

    /// The square that `fit` asks for, of an upright image of `width` x `height` pixels.
    init(_ fit: Fit, width: Int, height: Int) {
        switch fit {
        case .squash(let side):
            x = Axis(scaled: side, count: side)
            y = x
        case .centreCrop(let wanted, let side):
            let short = max(wanted, side)
            let isWide = width > height
            // Truncation and half-to-even are torchvision's, whose networks this geometry serves.
            let long = short * max(width, height) / min(width, height)
            func axis(_ scaled: Int) -> Axis {
                Axis(
                    scaled: scaled,
                    offset: Int((Double(scaled - side) / 2).rounded(.toNearestOrEven)),
                    count: side
                )
            }
            x = axis(isWide ? long : short)
            y = axis(isWide ? short : long)
        }
    }

    /// The whole image with its longer side at most `longSide`, never enlarged.
    init(longSide: Int, width: Int, height: Int) {
        let long = max(width, height)
        func axis(_ side: Int) -> Axis {
            let scaled = long <= longSide ? side : max(1, (side * longSide + long / 2) / long)
            return Axis(scaled: scaled, count: scaled)
        }
        x = axis(width)
        y = axis(height)
    }

    /// The same in the axes of the stored image.
    func stored(_ orientation: Orientation) -> ResizeGeometry {
        var stored = self
        if orientation.swapsAxes { swap(&stored.x, &stored.y) }
        if orientation.reversesStoredX { stored.x = stored.x.reversed }
        if orientation.reversesStoredY { stored.y = stored.y.reversed }
        return stored
    }
}
