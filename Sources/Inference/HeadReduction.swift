internal import Glibc

/// The last map of one image, in any layout.
package struct FeatureMap {
    /// At least `(channels - 1) * channelStride + (positions - 1) * positionStride + 1` values.
    package let base: UnsafePointer<Float>
    package let channels: Int
    /// Height times width, at least 1.
    package let positions: Int
    /// Distances in values: 1 and the padded channel count for channels-last, positions and 1 for channels-first.
    package let channelStride: Int
    package let positionStride: Int

    package init(
        base: UnsafePointer<Float>,
        channels: Int,
        positions: Int,
        channelStride: Int,
        positionStride: Int
    ) {
        self.base = base
        self.channels = channels
        self.positions = positions
        self.channelStride = channelStride
        self.positionStride = positionStride
    }
}

extension Head {
    /// Writes the L2-normalised summary of a map to `row[offset..<offset + channels]`.
    ///
    /// Sums, cubes and the norm are in double precision. A map of zeros gives a row of zeros.
    ///
    /// - Returns: false when a value is NaN or infinite; the row must not be used then.
    package func reduce(_ map: FeatureMap, into row: inout MutableSpan<Float>, at offset: Int) -> Bool {
        var squares = 0.0
        for channel in 0..<map.channels {
            let value = Float(summary(of: map, channel))
            row[offset + channel] = value
            squares += Double(value) * Double(value)
        }
        guard squares.isFinite else { return false }
        let factor = squares > 0 ? 1 / squares.squareRoot() : 0
        for channel in 0..<map.channels {
            row[offset + channel] = Float(Double(row[offset + channel]) * factor)
        }
        return true
    }

    /// One channel's summary; NaN as soon as one value is NaN.
    private func summary(of map: FeatureMap, _ channel: Int) -> Double {
        // SAFETY: the strides and counts stay within what `FeatureMap.base` promises.
        var value = map.base + channel * map.channelStride
        switch self {
        case .max:
            var greatest = value.pointee
            for _ in 1..<Swift.max(1, map.positions) {
                value += map.positionStride
                if value.pointee > greatest || value.pointee.isNaN { greatest = value.pointee }
            }
            return Double(greatest)
        case .mean:
            var sum = 0.0
            for _ in 0..<map.positions {
                sum += Double(value.pointee)
                value += map.positionStride
            }
            return sum / Double(map.positions)
        case .gem3:
            var sum = 0.0
            for _ in 0..<map.positions {
                // `max` would drop a NaN.
                let clamped = value.pointee < 1e-6 ? 1e-6 : Double(value.pointee)
                sum += clamped * clamped * clamped
                value += map.positionStride
            }
            return cbrt(sum / Double(map.positions))
        }
    }
}
