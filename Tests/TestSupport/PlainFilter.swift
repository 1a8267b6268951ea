package import Filters

/// Filters as `Sources/Filters/README.md` describes them, without parsing, intervals or indexes: what the real ones are compared with.
package struct PlainFilter {
    package static let builtInNames = ["path", "root", "format", "width", "height", "bytes", "modified", "added"]

    /// The image's document; nil without one.
    package let document: JSONValue?
    /// What every image has.
    package let builtIns: [String: JSONValue]

    package init(document: JSONValue?, builtIns: [String: JSONValue]) {
        self.document = document
        self.builtIns = builtIns
    }

    package func matches(_ filter: JSONValue) -> Bool {
        guard case .object(let members) = filter else { return false }
        return members.allSatisfy { name, value in
            switch (name, value) {
            case ("$and", .array(let parts)): parts.allSatisfy(matches)
            case ("$or", .array(let parts)): parts.contains(where: matches)
            case ("$not", _): !matches(value)
            case (_, .object(let operators)): holds(operators, of: name)
            default: holds(["$eq": value], of: name)
            }
        }
    }

    private func holds(_ operators: [String: JSONValue], of name: String) -> Bool {
        var (exists, values) = (false, [JSONValue]())
        if let builtIn = builtIns[name] {
            (exists, values) = (true, [builtIn])
        } else if let document {
            var names = name.split(separator: ".").map(String.init)
            if names.first == "document" { names.removeFirst() }
            collect(document, names[...], &exists, &values)
        }
        let comparisons = operators.filter { !["$ne", "$not", "$exists"].contains($0.key) }
        let isMet =
            comparisons.isEmpty
            || values.contains { value in comparisons.allSatisfy { meets(self.value(value, name, $1), $0, $1) } }
        return isMet
            && operators.allSatisfy { operation, operand in
                switch (operation, operand) {
                case ("$ne", _): !values.contains { equals(value($0, name, operand), operand) }
                case ("$exists", .bool(let isWanted)): exists == isWanted
                case ("$not", .object(let inner)): !holds(inner, of: name)
                default: true
                }
            }
    }

    /// Absolute where an absolute path is compared with.
    private func value(_ value: JSONValue, _ name: String, _ operand: JSONValue) -> JSONValue {
        guard name == "path", case .string(let text) = operand, text.hasPrefix("/"), case .string(let path) = value,
            case .string(let root)? = builtIns["root"]
        else { return value }
        return .string("\(root)/\(path)")
    }

    private func collect(
        _ value: JSONValue,
        _ names: ArraySlice<String>,
        _ exists: inout Bool,
        _ values: inout [JSONValue]
    ) {
        switch value {
        case .array(let elements):
            if names.isEmpty { exists = true }
            for element in elements { collect(element, names, &exists, &values) }
        case .object(let members):
            guard let name = names.first else {
                exists = true
                return
            }
            if let member = members[name] { collect(member, names.dropFirst(), &exists, &values) }
        default:
            if names.isEmpty {
                exists = true
                values.append(value)
            }
        }
    }

    private func equals(_ a: JSONValue, _ b: JSONValue) -> Bool {
        switch (a, b) {
        case (.string(let a), .string(let b)): Array(a.utf8) == Array(b.utf8)
        default: a == b
        }
    }

    private func meets(_ value: JSONValue, _ operation: String, _ operand: JSONValue) -> Bool {
        switch (operation, operand, value) {
        case ("$eq", _, _): equals(value, operand)
        case ("$in", .array(let operands), _): operands.contains { equals(value, $0) }
        case ("$prefix", .string(let prefix), .string(let text)): text.utf8.starts(with: prefix.utf8)
        case (_, .number(let bound), .number(let number)):
            meets(number < bound, number == bound, operation)
        case (_, .integer(let bound), .number(let number)):
            meets(isLess(number, bound), number == Double(exactly: bound), operation)
        case (_, .number(let bound), .integer(let number)):
            meets(
                !isLess(bound, number) && Double(exactly: number) != bound,
                Double(exactly: number) == bound,
                operation
            )
        case (_, .integer(let bound), .integer(let number)): meets(number < bound, number == bound, operation)
        case (_, .string(let bound), .string(let text)):
            meets(
                text.utf8.lexicographicallyPrecedes(bound.utf8),
                Array(text.utf8) == Array(bound.utf8),
                operation
            )
        default: false
        }
    }

    /// A double beyond 2^53 has no fraction, and every other one lies between whole numbers that are doubles.
    private func isLess(_ number: Double, _ integer: Int128) -> Bool {
        Int128(exactly: number).map { $0 < integer } ?? (number < Double(integer))
    }

    private func meets(_ isLess: Bool, _ isEqual: Bool, _ operation: String) -> Bool {
        switch operation {
        case "$lt": isLess
        case "$lte": isLess || isEqual
        case "$gt": !isLess && !isEqual
        case "$gte": !isLess
        default: false
        }
    }
}
