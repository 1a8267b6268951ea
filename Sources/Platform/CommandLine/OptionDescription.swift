/// One option of a command, as the command line spells it without its dashes.
package struct OptionDescription: Sendable {
    package enum Value: Sendable {
        case flag
        case text(placeholder: String)
        /// May be given several times.
        case texts(placeholder: String)
        case integer(ClosedRange<Int>)
        case real(ClosedRange<Double>)
        case choice([String])
        /// Several with commas between them.
        case integers(ClosedRange<Int>)
        case reals(ClosedRange<Double>)
        case choices([String])
    }

    package let name: String
    package let value: Value
    package let help: String
    /// With one dash, as in `-0`; only flags have one.
    package let letter: Character?

    package init(_ name: String, _ value: Value, _ help: String, letter: Character? = nil) {
        self.letter = letter
        self.name = name
        self.value = value
        self.help = help
    }

    /// `--limit N`, as help shows it; `--exact` for a flag.
    package var spelling: String {
        switch value {
        case .flag: letter.map { "-\($0), --\(name)" } ?? "--\(name)"
        case .text(let placeholder), .texts(let placeholder): "--\(name) \(placeholder)"
        case .integer: "--\(name) N"
        case .real: "--\(name) X"
        case .choice(let words): "--\(name) \(words.joined(separator: "|"))"
        case .integers: "--\(name) N,..."
        case .reals: "--\(name) X,..."
        case .choices: "--\(name) WORD,..."
        }
    }

    /// What a text is not that this option does not take, such as `a whole number of 1 to 10`; nil where it does.
    func fault(of text: String) -> String? {
        switch value {
        case .flag, .text, .texts: text.isEmpty ? "a value" : nil
        case .integer(let range): Self.number(text, in: range) ? nil : "a whole number of \(Self.words(range))"
        case .real(let range): Self.number(text, in: range) ? nil : "a number of \(Self.words(range))"
        case .choice(let words): words.contains(text) ? nil : "one of \(words.joined(separator: ", "))"
        case .integers(let range):
            Self.all(text) { Self.number($0, in: range) } ? nil : "whole numbers of \(Self.words(range)), with commas"
        case .reals(let range):
            Self.all(text) { Self.number($0, in: range) } ? nil : "numbers of \(Self.words(range)), with commas"
        case .choices(let words):
            Self.all(text, words.contains) ? nil : "some of \(words.joined(separator: ", ")), with commas"
        }
    }

    private static func words(_ range: ClosedRange<some Comparable>) -> String {
        "\(range.lowerBound) to \(range.upperBound)"
    }

    private static func number<N: LosslessStringConvertible>(_ text: String, in range: ClosedRange<N>) -> Bool {
        N(text).map(range.contains) ?? false
    }

    private static func all(_ text: String, _ isRight: (String) -> Bool) -> Bool {
        text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { isRight(String($0)) }
    }
}
