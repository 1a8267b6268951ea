/// Two bounds of the images that match a filter: the must set, whose images do, and the may set, outside of which none does.
///
/// Records of `field` decide most conditions alone; where they do not (values that are cut, members beyond the limits, conditions
/// that no record is about) the images between the two sets are asked.
struct FilterBounds {
    var must: PositionSet
    /// Holds `must`; nil: the same.
    private(set) var may: PositionSet?

    init(_ exactly: PositionSet) { must = exactly }

    init(must: PositionSet, may: PositionSet) {
        self.must = must
        self.may = may
    }

    /// Takes more images into the may set.
    mutating func admit(_ more: PositionSet) {
        guard !more.isEmpty else { return }
        var all = may ?? must
        all.formUnion(more)
        may = all
    }

    /// The may set without the must set.
    var undecided: PositionSet {
        var undecided = may ?? PositionSet()
        undecided.subtract(must)
        return undecided
    }

    mutating func formIntersection(_ other: FilterBounds) {
        if may != nil || other.may != nil {
            var all = may ?? must
            all.formIntersection(other.may ?? other.must)
            may = all
        }
        must.formIntersection(other.must)
    }

    mutating func formUnion(_ other: FilterBounds) {
        if may != nil || other.may != nil {
            var all = may ?? must
            all.formUnion(other.may ?? other.must)
            may = all
        }
        must.formUnion(other.must)
    }

    /// Everything else.
    mutating func complement(in everything: PositionSet) {
        var others = everything
        others.subtract(may ?? must)
        if may != nil {
            var all = everything
            all.subtract(must)
            may = all
        }
        must = others
    }
}
