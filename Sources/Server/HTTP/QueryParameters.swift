internal import Filters
internal import Platform
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
                guard !known.isEmpty else {
                    throw Problem(.badRequest, "this route takes no parameters; `\(shown)` was given")
                }
                let hint =
                    if let nearest = nearestWord(to: name, among: known) {
                        "did you mean `\(nearest)`?"
                    } else {
                        "this route takes \(known.map { "`\($0)`" }.joined(separator: ", "))"
                    }
                throw Problem(.badRequest, "unknown parameter `\(shown)`; \(hint)")
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

    /// A filter in JSON; nil when absent.
    func filter(_ name: String = "filter") throws(Problem) -> Filter? {
        guard let text = values[name] else { return nil }
        do throws(FilterError) { return try Filter(text: Array(text.utf8)) } catch { throw Problem(error) }
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
