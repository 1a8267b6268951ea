/// A value that filters compare: null, false, true, a number or a string, in this order.
///
/// Its bytes say what comes before what within a kind, by plain comparison of bytes, so that an ordered store of bytes
/// can answer ranges: strings are their UTF-8; numbers 8 bytes, the IEEE 754 double big-endian with the sign bit
/// inverted, and all bits of a negative one. -0 is 0. Two more follow for numbers from 2^53 to 2^64 and their negatives,
/// where whole numbers lie between neighbouring doubles: how far the number is above the nearest double, plus 2^15,
/// big-endian. So numbers compare as what they are, whether they were whole or not.
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

    /// What of a number's bytes the nearest double has.
    package static let doubleByteCount = 8

    package static let null = FilterValue(kind: .null, bytes: [])

    package init(_ value: Bool) { self.init(kind: value ? .yes : .no, bytes: []) }

    /// - Parameter value: any number but NaN.
    package init(_ value: Double) { self.init(kind: .number, bytes: Self.bytes(of: value, offset: 0)) }

    /// - Parameter value: of 64 bits, signed or unsigned.
    package init(integer value: Int128) {
        let nearest = Double(value)
        self.init(kind: .number, bytes: Self.bytes(of: nearest, offset: Int(value - Int128(nearest))))
    }

    private static func bytes(of value: Double, offset: Int) -> [UInt8] {
        let bits = (value == 0 ? 0 : value).bitPattern
        let ordered = bits >> 63 == 0 ? bits | 1 << 63 : ~bits
        let bytes = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: ordered >> UInt64($0)) }
        guard 0x1p53...0x1p64 ~= value.magnitude else { return bytes }
        // At most half of 2,048, the distance of doubles before 2^64.
        let biased = offset + 1 << 15
        return bytes + [UInt8(truncatingIfNeeded: biased >> 8), UInt8(truncatingIfNeeded: biased)]
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

    /// Whether it compares with absolute paths, where it is about paths: an end of it begins with a slash, which no path
    /// below a root does.
    package var isOfAbsolutePaths: Bool {
        let slash = UInt8(ascii: "/")
        return kind == .string && (start.first == slash || end?.first == slash)
    }

    /// The strings that lie in it once `prefix` stands before them; nil when there are none.
    package func without(prefix: [UInt8]) -> FilterInterval? {
        let first: [UInt8]
        if start.starts(with: prefix) {
            first = Array(start[prefix.count...])
        } else if start.lexicographicallyPrecedes(prefix) {
            first = []
        } else {
            return nil
        }
        guard let end else { return FilterInterval(kind: kind, start: first) }
        if end.starts(with: prefix) {
            let last = Array(end[prefix.count...])
            return first.lexicographicallyPrecedes(last) ? FilterInterval(kind: kind, start: first, end: last) : nil
        }
        return prefix.lexicographicallyPrecedes(end) ? FilterInterval(kind: kind, start: first) : nil
    }

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
