/// Which bytes of a file belong to structures that were read: none may belong to two.
///
/// A cycle reads a block twice, so it ends at once; blocks that merely overlap are found at the end, and until then all
/// of them together cannot exceed the file.
struct HDF5Claims {
    private var ranges: [Range<Int>] = []
    private var starts: Set<Int> = []
    private var byteCount = 0

    /// Takes a range within the file; an empty one belongs to nobody.
    ///
    /// - Returns: false when another one begins there, or when the sum exceeds the file.
    /// - Complexity: amortised O(1)
    mutating func add(_ range: Range<Int>, limit: Int) -> Bool {
        if range.isEmpty { return true }
        byteCount += range.count
        guard byteCount <= limit, starts.insert(range.lowerBound).inserted else { return false }
        ranges.append(range)
        return true
    }

    /// The first bytes that belong to two.
    ///
    /// - Complexity: O(*n* log *n*)
    var overlap: Range<Int>? {
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        // Until an overlap is found, each range ends behind all before it.
        for (before, after) in zip(sorted, sorted.dropFirst()) where before.upperBound > after.lowerBound {
            return after.lowerBound..<min(before.upperBound, after.upperBound)
        }
        return nil
    }
}
