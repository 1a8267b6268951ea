/// What is known of the images that match: those that do for sure, and those that may.
///
/// Records of `field` decide most conditions alone; where they do not (values that are cut, members beyond the limits, conditions
/// that no record is about) the images between the two sets are asked.
struct FilterBounds {
    var sure: PositionSet
    /// Holds `sure`; nil: the same.
    private(set) var possible: PositionSet?

    init(_ exactly: PositionSet) { sure = exactly }

    init(sure: PositionSet, possible: PositionSet) {
        self.sure = sure
        self.possible = possible
    }

    /// Takes more images as possible.
    mutating func admit(_ more: PositionSet) {
        guard !more.isEmpty else { return }
        var all = possible ?? sure
        all.formUnion(more)
        possible = all
    }

    /// Those between the two.
    var open: PositionSet {
        var open = possible ?? PositionSet()
        open.subtract(sure)
        return open
    }

    mutating func formIntersection(_ other: FilterBounds) {
        if possible != nil || other.possible != nil {
            var all = possible ?? sure
            all.formIntersection(other.possible ?? other.sure)
            possible = all
        }
        sure.formIntersection(other.sure)
    }

    mutating func formUnion(_ other: FilterBounds) {
        if possible != nil || other.possible != nil {
            var all = possible ?? sure
            all.formUnion(other.possible ?? other.sure)
            possible = all
        }
        sure.formUnion(other.sure)
    }

    /// Everything else.
    mutating func complement(in everything: PositionSet) {
        var others = everything
        others.subtract(possible ?? sure)
        if possible != nil {
            var all = everything
            all.subtract(sure)
            possible = all
        }
        sure = others
    }
}
