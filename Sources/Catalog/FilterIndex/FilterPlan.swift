internal import Filters
internal import Platform
internal import Storage

/// Answers a filter as far as the records of `field` can.
struct FilterPlan {
    /// Roots with their rows, those off the list too: their images are there until they are removed.
    private let roots: [(id: RootID, path: RelativePath)]
    /// Positions of all images in `field`.
    let everything: PositionSet

    init(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) {
        roots = try transaction.allRoots().map { ($0.id, $0.row.path) }
        everything = try transaction.members(FieldKey.suffix(.everything, .present))
    }

    func bounds(
        _ filter: Filter,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> FilterBounds {
        switch filter {
        case .all(let parts):
            var all: FilterBounds?
            for part in parts {
                let found = try bounds(part, transaction)
                all?.formIntersection(found)
                all = all ?? found
            }
            return all ?? FilterBounds(everything)
        case .any(let parts):
            var any = FilterBounds(PositionSet())
            for part in parts { any.formUnion(try bounds(part, transaction)) }
            return any
        case .not(let part):
            var found = try bounds(part, transaction)
            found.complement(in: everything)
            return found
        case .exists(.builtIn): return FilterBounds(everything)
        case .exists(.document(let path)):
            guard path.count <= FieldKey.Field.longestPath else { return try incomplete(transaction) }
            var found = FilterBounds(
                try transaction.members(FieldKey.suffix(.document(path), .present))
            )
            found.admit(try incomplete(transaction).undecided)
            return found
        case .within(.builtIn(let field), let intervals): return try bounds(field, intervals, transaction)
        case .within(.document(let path), let intervals):
            guard path.count <= FieldKey.Field.longestPath else { return try incomplete(transaction) }
            var found = try bounds(FieldKey.Field.document(path), intervals, transaction)
            found.admit(try incomplete(transaction).undecided)
            return found
        }
    }

    // MARK: Fields

    /// Images of which not every member is here may match anything that is said about members.
    private func incomplete(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) -> FilterBounds {
        FilterBounds(
            must: PositionSet(),
            may: try transaction.members(FieldKey.suffix(.incomplete, .present))
        )
    }

    private func bounds(
        _ field: BuiltInField,
        _ intervals: [FilterInterval],
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> FilterBounds {
        switch field {
        case .format: return try bounds(FieldKey.Field.format, intervals, transaction)
        case .width: return try bounds(FieldKey.Field.width, intervals, transaction)
        case .height: return try bounds(FieldKey.Field.height, intervals, transaction)
        case .bytes: return try bounds(FieldKey.Field.bytes, intervals, transaction)
        case .modified: return try bounds(FieldKey.Field.modified, intervals, transaction)
        case .added: return try bounds(FieldKey.Field.added, intervals, transaction)
        case .root:
            var found = PositionSet()
            for root in roots where intervals.contains(where: { $0.contains(FilterValue(string: root.path.bytes)) }) {
                found.formUnion(try transaction.members(FieldTokens.key(of: root.id)))
            }
            return FilterBounds(found)
        case .path:
            var found = FilterBounds(PositionSet())
            for interval in intervals {
                let part =
                    try interval.isOfAbsolutePaths ? absolutePath(interval, transaction) : path(interval, transaction)
                found.formUnion(part)
            }
            return found
        }
    }

    /// Absolute paths root by root: below each, an interval of absolute paths is one of paths below the root.
    private func absolutePath(
        _ interval: FilterInterval,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> FilterBounds {
        var found = FilterBounds(PositionSet())
        for root in roots {
            guard let below = interval.without(prefix: root.path.asPrefix) else { continue }
            var part = FilterBounds(try transaction.members(FieldTokens.key(of: root.id)))
            if below != FilterInterval(kind: .string) { part.formIntersection(try path(below, transaction)) }
            found.formUnion(part)
        }
        return found
    }

    /// Paths by their folders: a prefix that ends with a slash is one bitmap; of other prefixes, and of whole paths, the folder says
    /// which images come into question. Other comparisons of paths ask every image.
    private func path(
        _ interval: FilterInterval,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> FilterBounds {
        guard let start = interval.point ?? interval.prefix,
            let slash = start.lastIndex(of: UInt8(ascii: "/"))
        else { return FilterBounds(must: PositionSet(), may: everything) }
        let isFolder = interval.prefix != nil && slash == start.count - 1
        let long = try transaction.members(FieldKey.suffix(.folder, .long))
        guard slash < FieldKey.Field.longestValue else { return FilterBounds(must: PositionSet(), may: long) }
        let folder = try transaction.members(FieldKey.suffix(.folder, .fine(.string), Array(start[...slash])))
        var found = isFolder ? FilterBounds(folder) : FilterBounds(must: PositionSet(), may: folder)
        found.admit(long)
        return found
    }

    private func bounds(
        _ field: FieldKey.Field,
        _ intervals: [FilterInterval],
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> FilterBounds {
        var must = PositionSet()
        var edges = PositionSet()
        for interval in intervals {
            let (start, end) = (interval.start, interval.end)
            guard let fine = field.precision(interval.kind).fine else {
                try collect(field, interval.kind, from: start, upTo: end, into: &must, transaction)
                continue
            }
            // One byte more is no cut: "right after" a value, all of which is in the key.
            let isWhole = field.hasWholeValues(interval.kind)
            let last = end.map { $0.cut(fine, up: isWhole && $0.count == fine + 1) }
            try collect(field, interval.kind, from: start.cut(fine, up: true), upTo: last, into: &must, transaction)
            for edge in [start, end].compactMap(\.self) where edge.count > (isWhole ? fine + 1 : fine) {
                let key = FieldKey.suffix(field, .fine(interval.kind), edge.cut(fine, up: false))
                edges.formUnion(try transaction.members(key))
            }
        }
        if intervals.contains(where: { $0.kind == .string && field.precision(.string).fine == nil }) {
            edges.formUnion(try transaction.members(FieldKey.suffix(field, .long)))
        }
        var found = FilterBounds(must)
        found.admit(edges)
        return found
    }

    /// Everything from `start` on: the coarse records that lie within as a whole, and the fine ones before and after those.
    private func collect(
        _ field: FieldKey.Field,
        _ kind: FilterValue.Kind,
        from start: [UInt8],
        upTo end: [UInt8]?,
        into set: inout PositionSet,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) {
        let coarse = field.precision(kind).coarse
        let first = start.cut(coarse, up: true)
        let last = end?.cut(coarse, up: false)
        guard coarse > 0, last.map(first.lexicographicallyPrecedes) ?? true else {
            try transaction.members(field, .fine(kind), from: start, upTo: end, into: &set)
            return
        }
        try transaction.members(field, .fine(kind), from: start, upTo: first, into: &set)
        try transaction.members(field, .coarse(kind), from: first, upTo: last, into: &set)
        if let last { try transaction.members(field, .fine(kind), from: last, upTo: end, into: &set) }
    }
}

extension RelativePath {
    /// What stands before the paths below a root, whose own path this is.
    var asPrefix: [UInt8] { bytes.last == UInt8(ascii: "/") ? bytes : bytes + [UInt8(ascii: "/")] }
}

extension [UInt8] {
    /// The nearest bytes of at most `count`, at or below these, or at or above them.
    fileprivate func cut(_ count: Int, up isUp: Bool) -> [UInt8] {
        guard self.count > count else { return self }
        let cut = Array(prefix(count))
        return isUp ? cut.successorOfPrefix ?? cut : cut
    }
}
