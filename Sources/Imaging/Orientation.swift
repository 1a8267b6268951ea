/// How stored pixels must be turned to stand upright; raw values as in EXIF tag 0x0112 (CIPA DC-008, 4.6.4).
enum Orientation: Int {
    case upright = 1
    case mirrored
    case upsideDown
    case flipped
    case transposed
    case turnClockwise
    case transversed
    case turnAnticlockwise

    /// Whether stored rows become columns.
    var swapsAxes: Bool { rawValue >= 5 }

    /// Whether the stored horizontal axis runs against the upright axis that it becomes.
    var reversesStoredX: Bool { [.mirrored, .upsideDown, .transversed, .turnAnticlockwise].contains(self) }

    /// Whether the stored vertical axis runs against the upright axis that it becomes.
    var reversesStoredY: Bool { [.upsideDown, .flipped, .turnClockwise, .transversed].contains(self) }

    /// Turns a whole image upright.
    ///
    /// - Parameters:
    ///   - stored: `[storedHeight, storedWidth, 3]` bytes.
    ///   - storedWidth: pixels of a stored row.
    ///   - storedHeight: stored rows.
    ///   - target: as many bytes, overwritten with the upright image; its sides are swapped when `swapsAxes`.
    func apply(
        to stored: borrowing Span<UInt8>,
        storedWidth: Int,
        storedHeight: Int,
        into target: inout MutableSpan<UInt8>
    ) {
        precondition(
            stored.count == storedWidth * storedHeight * 3 && target.count == stored.count,
            "\(stored.count) and \(target.count) bytes for \(storedWidth) x \(storedHeight) pixels"
        )
        let uprightWidth = swapsAxes ? storedHeight : storedWidth
        var at = 0
        for y in 0..<storedHeight {
            let alongY = reversesStoredY ? storedHeight - 1 - y : y
            for x in 0..<storedWidth {
                let alongX = reversesStoredX ? storedWidth - 1 - x : x
                let to = 3 * (swapsAxes ? alongX * uprightWidth + alongY : alongY * uprightWidth + alongX)
                target[to] = stored[at]
                target[to + 1] = stored[at + 1]
                target[to + 2] = stored[at + 2]
                at += 3
            }
        }
    }
}
