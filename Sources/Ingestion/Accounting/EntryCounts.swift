/// A histogram of directory entries by what a scan makes of them: possible images, documents, and exclusions by reason.
///
/// One entry is counted once: a file where it lies, a folder that is not entered as one entry, a folder that is entered
/// as none. So the sum over all folders is what a plain walk with the same rules counts.
struct EntryCounts: Hashable, Sendable {
    /// A lane for images, one for documents, one for each reason. A vector register, because a folder's counts are kept
    /// as long as the folder is watched.
    private var lanes = SIMD16<Int32>()
    private static let firstReason = 2

    /// Files whose name and size let them be images.
    var imageCount: Int {
        get { Int(lanes[0]) }
        set { lanes[0] = Int32(clamping: newValue) }
    }

    /// `*.json` files, good or bad.
    var documentCount: Int {
        get { Int(lanes[1]) }
        set { lanes[1] = Int32(clamping: newValue) }
    }

    subscript(_ reason: ExclusionReason) -> Int {
        get { Int(lanes[Self.lane(reason)]) }
        set { lanes[Self.lane(reason)] = Int32(clamping: newValue) }
    }

    private static func lane(_ reason: ExclusionReason) -> Int {
        guard let index = ExclusionReason.allCases.firstIndex(of: reason),
            firstReason + index < SIMD16<Int32>.scalarCount
        else { preconditionFailure("there are more reasons than lanes") }
        return firstReason + index
    }

    static func += (total: inout EntryCounts, counts: EntryCounts) { total.lanes &+= counts.lanes }

    static func -= (total: inout EntryCounts, counts: EntryCounts) { total.lanes &-= counts.lanes }
}
