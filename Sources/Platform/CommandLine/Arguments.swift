internal import Platform

/// One option of a command, as the command line spells it without its dashes.
struct OptionDescription: Sendable {
    enum Value: Sendable {
        case flag
        case text(placeholder: String)
        case integer(ClosedRange<Int>)
        case real(ClosedRange<Double>)
        case choice([String])

        /// How help shows it; empty for a flag.
        var placeholder: String {
            switch self {
            case .flag: ""
            case .text(let placeholder): placeholder
            case .integer: "N"
            case .real: "X"
            case .choice(let words): words.joined(separator: "|")
            }
        }
    }

    let name: String
    let value: Value
    let help: String
}

/// A command line after parsing: every value is of its option's kind and in its range.
struct Arguments: Equatable {
    private(set) var operands: [String] = []
    private var values: [String: String] = [:]

    func has(_ option: String) -> Bool { values[option] != nil }
    func text(_ option: String) -> String? { values[option] }
    func integer(_ option: String) -> Int? { values[option].flatMap { Int($0) } }
    func real(_ option: String) -> Double? { values[option].flatMap(Double.init) }

    /// Reads `--name value`, `--name=value`, `--flag`, `-h` and operands, in any order; after `--`, operands only.
    ///
    /// - Throws: `ClientError` of exit code 2 that names the nearest option.
    init(parsing words: some Sequence<String>, options: [OptionDescription]) throws {
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
            let name = word == "-h" ? "help" : String(parts[0].drop { $0 == "-" })
            guard word == "-h" || word.hasPrefix("--"), let option = options.first(where: { $0.name == name }) else {
                throw Self.unknown(parts[0], name, options)
            }
            if case .flag = option.value {
                guard parts.count == 1 else { throw ClientError.usage("--\(name) takes no value") }
                values[name] = ""
                continue
            }
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                throw ClientError.usage("--\(name) needs a value: --\(name) \(option.value.placeholder)")
            }
            try Self.check(value, option)
            values[name] = value
        }
    }

    private static func unknown(_ spelled: String, _ name: String, _ options: [OptionDescription]) -> ClientError {
        let near = nearestWord(to: name, among: options.map(\.name))
        return .usage("unknown option \(Text.visible(spelled))", fix: near.map { "did you mean --\($0)?" })
    }

    private static func check(_ value: String, _ option: OptionDescription) throws {
        let fault: String?
        switch option.value {
        case .flag, .text: fault = value.isEmpty ? "a value" : nil
        case .integer(let range):
            let fits = Int(value).map(range.contains) ?? false
            fault = fits ? nil : "a whole number of \(range.lowerBound) to \(range.upperBound)"
        case .real(let range):
            let fits = Double(value).map(range.contains) ?? false
            fault = fits ? nil : "a number of \(range.lowerBound) to \(range.upperBound)"
        case .choice(let words): fault = words.contains(value) ? nil : "one of \(words.joined(separator: ", "))"
        }
        if let fault { throw ClientError.usage("--\(option.name) wants \(fault), not \(Text.visible(value))") }
    }
}
