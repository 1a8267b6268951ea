/// A value that filters compare: null, false, true, a number or a string, in this order.
///
/// Its bytes say what comes before what within a kind, by plain comparison of bytes, so that an ordered store of bytes
/// can answer ranges: strings are their UTF-8; numbers 8 bytes, the IEEE 754 double big-endian with the sign bit
/// inverted, and all bits of a negative one. -0 is 0.
package struct FilterValue: Hashable, Comparable, Sendable {
    package enum Kind: UInt8, CaseIterable, Sendable {
        case null = 1
        case no
        case yes
        case number
        case string
    }

    package let kind: Kind
    package let bytes: [UInt8]

    package static let null = FilterValue(kind: .null, bytes: [])

    package init(_ value: Bool) { self.init(kind: value ? .yes : .no, bytes: []) }

    /// - Parameter value: any number but NaN.
    package init(_ value: Double) {
        let bits = (value == 0 ? 0 : value).bitPattern
        let ordered = bits >> 63 == 0 ? bits | 1 << 63 : ~bits
        self.init(
            kind: .number,
            bytes: stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: ordered >> UInt64($0)) }
        )
    }

    /// A string: UTF-8, or what a file system has as a name.
    package init(string bytes: [UInt8]) { self.init(kind: .string, bytes: bytes) }

    private init(kind: Kind, bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    package static func < (a: FilterValue, b: FilterValue) -> Bool {
        a.kind == b.kind ? a.bytes.lexicographicallyPrecedes(b.bytes) : a.kind.rawValue < b.kind.rawValue
    }
}

/// Values of one kind from a first one up to, and without, an end: what every comparison of a filter comes down to.
///
/// `bytes + [0]` comes right after `bytes`, so that "greater than" and "at most" have such ends too.
package struct FilterInterval: Hashable, Sendable {
    package let kind: FilterValue.Kind
    package let start: [UInt8]
    /// nil: to the last of the kind.
    package let end: [UInt8]?

    package init(kind: FilterValue.Kind, start: [UInt8] = [], end: [UInt8]? = nil) {
        self.kind = kind
        self.start = start
        self.end = end
    }

    /// One value.
    package init(_ value: FilterValue) {
        self.init(kind: value.kind, start: value.bytes, end: value.bytes + [0])
    }

    /// Strings that begin so.
    package init(prefix: [UInt8]) { self.init(kind: .string, start: prefix, end: prefix.successorOfPrefix) }

    /// The value, where there is but one.
    package var point: [UInt8]? { end == start + [0] ? start : nil }

    /// What all strings of it begin with, where it is all strings that do.
    package var prefix: [UInt8]? { kind == .string && end == start.successorOfPrefix ? start : nil }

    package func contains(_ value: FilterValue) -> Bool {
        value.kind == kind && !value.bytes.lexicographicallyPrecedes(start)
            && (end.map { value.bytes.lexicographicallyPrecedes($0) } ?? true)
    }

    /// Values of both; nil when there are none.
    package func intersection(_ other: FilterInterval) -> FilterInterval? {
        guard kind == other.kind else { return nil }
        let start = self.start.lexicographicallyPrecedes(other.start) ? other.start : self.start
        let end =
            switch (self.end, other.end) {
            case (let mine?, let theirs?): mine.lexicographicallyPrecedes(theirs) ? mine : theirs
            case (let mine, let theirs): mine ?? theirs
            }
        if let end, !start.lexicographicallyPrecedes(end) { return nil }
        return FilterInterval(kind: kind, start: start, end: end)
    }
}

extension [UInt8] {
    /// The first bytes after all that begin with these; nil when none comes after them.
    package var successorOfPrefix: [UInt8]? {
        guard let last = lastIndex(where: { $0 != 0xFF }) else { return nil }
        return self[..<last] + [self[last] + 1]
    }
}
