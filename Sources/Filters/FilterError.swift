/// Why a filter is none: where in it, what is wrong, and what would be right.
package struct FilterError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, before it is known where.
    struct Reason: Error {
        let text: String

        init(_ text: String) { self.text = text }
    }

    /// The way from the top, such as `$or[1].year.$gte`; empty for the whole.
    package let place: String
    package let reason: String

    package var description: String { place.isEmpty ? "the filter: \(reason)" : "the filter at `\(place)`: \(reason)" }
}

/// How large a filter may be: it comes from anybody who may search.
package enum FilterLimits {
    /// As text.
    package static let byteCount = 16 << 10
    /// `$and`, `$or` and `$not` inside each other.
    package static let depth = 10
    /// Of the text: two levels for each `$and` or `$or`, and the innermost comparison.
    static let jsonDepth = 2 * depth + 4
    /// Comparisons, where each value of an `$in` counts.
    package static let termCount = 256
    package static let nameByteCount = 512
    /// Of a string to compare with.
    package static let valueByteCount = 4096
}
