internal import Wire

/// The parameters of a request, checked against the names that its route knows.
struct QueryParameters: Sendable {
    private let values: [String: String]

    static let none = QueryParameters(values: [:])

    private init(values: [String: String]) { self.values = values }

    /// Reads `a=1&b=2`.
    ///
    /// - Throws: a name that is not `known`, with the nearest one that is; a name given twice; a malformed escape.
    init(_ query: String, known: [String]) throws(Problem) {
        var values: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = percentDecoded(parts[0], plusIsSpace: true),
                let value = percentDecoded(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { throw Problem(.badRequest, "the query is not well-formed percent-encoded UTF-8") }
            guard known.contains(name) else {
                let shown = name.prefix(64)
                guard let nearest = nearestName(to: name, among: known) else {
                    throw Problem(.badRequest, "this route takes no parameters; `\(shown)` was given")
                }
                throw Problem(.badRequest, "unknown parameter `\(shown)`; did you mean `\(nearest)`?")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Problem(.badRequest, "parameter `\(name)` is given more than once")
            }
        }
        self.values = values
    }

    subscript(name: String) -> String? { values[name] }

    /// A whole number in `range`; nil when absent.
    func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = values[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw Problem(
                .badRequest,
                "`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }

    /// A number in `range`; nil when absent.
    func number(_ name: String, in range: ClosedRange<Double>) throws(Problem) -> Double? {
        guard let text = values[name] else { return nil }
        guard let value = Double(text), range.contains(value) else {
            throw Problem(.badRequest, "`\(name)` must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// `true` or `false`, also `1` or `0`; nil when absent.
    func flag(_ name: String) throws(Problem) -> Bool? {
        switch values[name] {
        case nil: nil
        case "true", "1": true
        case "false", "0": false
        default: throw Problem(.badRequest, "`\(name)` must be true or false")
        }
    }
}

/// The known name that needs the fewest edits to become `name`; nil when nothing is known.
func nearestName(to name: String, among known: [String]) -> String? {
    known.min { editDistance(name, $0) < editDistance(name, $1) }
}

/// Levenshtein distance, of at most the first 64 characters.
private func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.prefix(64)), Array(b.prefix(64)))
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let substituted = diagonal + (x == y ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[b.count]
}
