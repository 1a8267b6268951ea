extension Filter {
    /// Reads a filter from JSON text, in which no object has a name twice.
    package init(text: [UInt8]) throws(FilterError) {
        guard text.count <= FilterLimits.byteCount else {
            throw FilterError(place: "", reason: "it has more than \(FilterLimits.byteCount) bytes")
        }
        let value: JSONValue
        do throws(JSONFault) {
            value = try JSONValue(text, maximumDepth: FilterLimits.jsonDepth, duplicates: .refused)
        } catch {
            throw FilterError(place: "", reason: "it is not JSON: \(error)")
        }
        try self.init(value)
    }

    /// Reads a filter from JSON that was taken apart before.
    package init(_ value: JSONValue) throws(FilterError) {
        var parser = FilterParser()
        self = try parser.filter(value, "", depth: 0)
    }
}

/// Makes a filter of JSON, within `FilterLimits`.
private struct FilterParser {
    private static let logical = "`$and`, `$or`, `$not`"
    private static let comparisons = "`$eq`, `$ne`, `$in`, `$gt`, `$gte`, `$lt`, `$lte`, `$prefix`, `$exists`, `$not`"

    private var termCount = 0
    /// The strings behind the present field are bytes in percent-encoding.
    private var isPercentEncoded = false

    mutating func filter(_ value: JSONValue, _ place: String, depth: Int) throws(FilterError) -> Filter {
        guard case .object(let members) = value else {
            throw FilterError(place: place, reason: "a filter is an object such as {\"camera\":\"X100\"}")
        }
        try check(depth: depth, place)
        var parts: [Filter] = []
        for (name, value) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            let place = place.isEmpty ? name : "\(place).\(name)"
            switch name {
            case "$and": parts.append(.all(try filters(value, place, depth: depth + 1)))
            case "$or": parts.append(.any(try filters(value, place, depth: depth + 1)))
            case "$not": parts.append(.not(try filter(value, place, depth: depth + 1)))
            default: parts.append(try condition(name, value, place, depth: depth))
            }
        }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func filters(_ value: JSONValue, _ place: String, depth: Int) throws(FilterError) -> [Filter] {
        guard case .array(let values) = value, !values.isEmpty else {
            throw FilterError(place: place, reason: "a list of filters, at least one")
        }
        var parts: [Filter] = []
        for (index, value) in values.enumerated() {
            parts.append(try filter(value, "\(place)[\(index)]", depth: depth))
        }
        return parts
    }

    private mutating func condition(
        _ name: String,
        _ value: JSONValue,
        _ place: String,
        depth: Int
    ) throws(FilterError) -> Filter {
        guard !name.hasPrefix("$") else {
            let reason =
                Self.comparisons.contains("`\(name)`")
                ? "it stands behind a field, such as {\"year\":{\"\(name)\":...}}"
                : "there is no such operator; here are \(Self.logical), and a field such as `document.\(name)`"
            throw FilterError(place: place, reason: reason)
        }
        let field: FilterField
        do throws(FilterError.Reason) { field = try FilterField(name) } catch {
            throw FilterError(place: place, reason: error.text)
        }
        isPercentEncoded = name == FilterField.pathBytesName
        guard case .object(let operators) = value else {
            return .within(field, [FilterInterval(try self.value(value, for: field, place))])
        }
        return try conditions(operators, on: field, place, depth: depth)
    }

    /// What stands behind a field: comparisons, which one value has to satisfy together, and conditions on the field as
    /// a whole.
    private mutating func conditions(
        _ operators: [String: JSONValue],
        on field: FilterField,
        _ place: String,
        depth: Int
    ) throws(FilterError) -> Filter {
        guard !operators.isEmpty else {
            throw FilterError(place: place, reason: "an operator is missing: \(Self.comparisons)")
        }
        var parts: [Filter] = []
        var intervals: [FilterInterval]?
        for (name, value) in operators.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            let place = "\(place).\(name)"
            switch name {
            case "$ne": parts.append(.not(.within(field, [FilterInterval(try self.value(value, for: field, place))])))
            case "$exists":
                guard case .bool(let isWanted) = value else {
                    throw FilterError(place: place, reason: "true or false")
                }
                try count(place)
                parts.append(isWanted ? .exists(field) : .not(.exists(field)))
            case "$not":
                guard case .object(let operators) = value else {
                    throw FilterError(place: place, reason: "comparisons such as {\"$gte\":2020}")
                }
                try check(depth: depth + 1, place)
                parts.append(.not(try conditions(operators, on: field, place, depth: depth + 1)))
            default:
                let wanted = try comparison(name, value, on: field, at: place)
                intervals = intervals.map { $0.flatMap { one in wanted.compactMap(one.intersection) } } ?? wanted
            }
        }
        if let intervals { parts.append(.within(field, intervals)) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private mutating func comparison(
        _ name: String,
        _ value: JSONValue,
        on field: FilterField,
        at place: String
    ) throws(FilterError) -> [FilterInterval] {
        switch name {
        case "$eq": return [FilterInterval(try self.value(value, for: field, place))]
        case "$in":
            guard case .array(let values) = value, !values.isEmpty else {
                throw FilterError(place: place, reason: "a list of values, at least one")
            }
            var intervals: [FilterInterval] = []
            for (index, value) in values.enumerated() {
                intervals.append(FilterInterval(try self.value(value, for: field, "\(place)[\(index)]")))
            }
            return intervals
        case "$prefix":
            let value = try self.value(value, for: field, place)
            guard value.kind == .string else { throw FilterError(place: place, reason: "it takes a string") }
            return [FilterInterval(prefix: value.bytes)]
        case "$gt", "$gte", "$lt", "$lte":
            let value = try self.value(value, for: field, place)
            guard value.kind == .number || value.kind == .string else {
                throw FilterError(place: place, reason: "it takes a number or a string")
            }
            let after = value.bytes + [0]
            switch name {
            case "$gt": return [FilterInterval(kind: value.kind, start: after)]
            case "$gte": return [FilterInterval(kind: value.kind, start: value.bytes)]
            case "$lt": return [FilterInterval(kind: value.kind, end: value.bytes)]
            default: return [FilterInterval(kind: value.kind, end: after)]
            }
        default:
            let reason =
                name.hasPrefix("$")
                ? "there is no such operator; behind a field stand \(Self.comparisons)"
                : "a member of a member is named with a dot, such as {\"exif.iso\":100}; behind a field stand "
                    + Self.comparisons
            throw FilterError(place: place, reason: reason)
        }
    }

    private mutating func value(
        _ value: JSONValue,
        for field: FilterField,
        _ place: String
    ) throws(FilterError) -> FilterValue {
        try count(place)
        let found: FilterValue
        switch value {
        case .null: found = .null
        case .bool(let bool): found = FilterValue(bool)
        case .number(let number) where number.isFinite: found = FilterValue(number)
        case .number: throw FilterError(place: place, reason: "the number is too large")
        case .integer(let integer): found = FilterValue(integer: integer)
        case .string(let text):
            let bytes = isPercentEncoded ? [UInt8](percentEncoded: text) : Array(text.utf8)
            guard let bytes else {
                throw FilterError(place: place, reason: "a percent sign stands before two hexadecimal digits")
            }
            guard bytes.count <= FilterLimits.valueByteCount else {
                throw FilterError(place: place, reason: "the string has more than \(FilterLimits.valueByteCount) bytes")
            }
            found = FilterValue(string: bytes)
        case .array: throw FilterError(place: place, reason: "one value, no list; `$in` takes several")
        case .object: throw FilterError(place: place, reason: "one value, no object")
        }
        // Otherwise it would match nothing, and not say why.
        if case .builtIn(let builtIn) = field, builtIn.kind != found.kind {
            throw FilterError(
                place: place,
                reason: "`\(builtIn.rawValue)` is \(builtIn.kind == .number ? "a number" : "text"); "
                    + "the document's is `document.\(builtIn.rawValue)`"
            )
        }
        return found
    }

    private func check(depth: Int, _ place: String) throws(FilterError) {
        guard depth <= FilterLimits.depth else {
            throw FilterError(place: place, reason: "more than \(FilterLimits.depth) filters inside each other")
        }
    }

    private mutating func count(_ place: String) throws(FilterError) {
        termCount += 1
        guard termCount <= FilterLimits.termCount else {
            throw FilterError(place: place, reason: "more than \(FilterLimits.termCount) comparisons")
        }
    }
}

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
