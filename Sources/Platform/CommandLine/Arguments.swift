/// A command line that makes no sense, and what would.
package struct UsageError: Error, Equatable, CustomStringConvertible {
    package let detail: String
    /// The next step, when there is one.
    package let fix: String?

    package init(_ detail: String, fix: String? = nil) {
        self.detail = detail
        self.fix = fix
    }

    package var description: String { fix.map { "\(detail); \($0)" } ?? detail }
}

/// A command line after parsing: every value is of its option's kind and in its range.
package struct Arguments: Equatable, Sendable {
    package private(set) var operands: [String] = []
    private var values: [String: String] = [:]
    /// Of options that may be given several times, in order.
    private var lists: [String: [String]] = [:]

    package func has(_ option: String) -> Bool { values[option] != nil }
    package func text(_ option: String) -> String? { values[option] }
    package func texts(_ option: String) -> [String]? { lists[option] }
    package func integer(_ option: String) -> Int? { values[option].flatMap { Int($0) } }
    package func real(_ option: String) -> Double? { values[option].flatMap(Double.init) }
    package func words(_ option: String) -> [String]? { values[option]?.split(separator: ",").map(String.init) }
    package func integers(_ option: String) -> [Int]? { words(option)?.compactMap { Int($0) } }
    package func reals(_ option: String) -> [Double]? { words(option)?.compactMap(Double.init) }

    /// Reads `--name value`, `--name=value`, `--flag`, `-h` and other letters of flags, and operands, in any order; after `--`, operands only.
    ///
    /// - Throws: `UsageError`, which names the nearest option where one is unknown.
    package init(
        parsing words: some Sequence<String>,
        options: [OptionDescription]
    ) throws(UsageError) {
        var rest = Array(words)[...]
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                return
            }
            guard word.hasPrefix("-"), word != "-" else {
                operands.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let isLetter = word.count == 2 && !word.hasPrefix("--")
            let lettered = isLetter ? options.first { $0.letter == word.last } : nil
            let name = word == "-h" ? "help" : lettered?.name ?? String(parts[0].drop { $0 == "-" })
            guard word == "-h" || lettered != nil || word.hasPrefix("--"),
                let option = options.first(where: { $0.name == name })
            else {
                let near = nearestWord(to: name, among: options.map(\.name))
                throw UsageError("unknown option \(parts[0])", fix: near.map { "did you mean --\($0)?" })
            }
            if case .flag = option.value {
                guard parts.count == 1 else { throw UsageError("--\(name) takes no value") }
                values[name] = ""
                continue
            }
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                throw UsageError("--\(name) needs a value: \(option.spelling)")
            }
            if let fault = option.fault(of: value) { throw UsageError("--\(name) takes \(fault), not \(value)") }
            values[name] = value
            if case .texts = option.value { lists[name, default: []].append(value) }
        }
    }
}
