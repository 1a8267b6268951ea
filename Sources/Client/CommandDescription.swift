internal import Platform

/// One command: what help says of it, what it takes, what it does.
struct CommandDescription: Sendable {
    struct Example: Sendable {
        let command: String
        let meaning: String

        init(_ command: String, _ meaning: String) {
            self.command = command
            self.meaning = meaning
        }
    }

    /// One word, or two as in `model use`.
    let name: String
    /// Its first sentence stands in the overview.
    let summary: String
    /// What follows the name, such as `DIR [--wait]`.
    let usage: String
    let examples: [Example]
    /// How many operands it takes.
    let operandCounts: ClosedRange<Int>
    var options: [OptionDescription] = []
    let run: @Sendable (Invocation) throws -> ExitCode

    /// Understood by every command.
    static let commonOptions = [
        OptionDescription("json", .flag, "the daemon's reply as JSON on standard output"),
        OptionDescription(
            "socket",
            .text(placeholder: "PATH"),
            "the daemon's socket; else LIKENESS_SOCKET, else the installed daemon's"
        ),
        OptionDescription("help", .flag, "this text"),
    ]

    /// The summary's first sentence without its stop. A stop within a sentence, as in `.h5`, has no blank behind it.
    var brief: String {
        let end = summary.firstRange(of: ". ")?.lowerBound ?? summary.endIndex
        let sentence = summary[..<end]
        return String(sentence.last == "." ? sentence.dropLast() : sentence)
    }

    /// Help, examples first.
    var help: [String] {
        var lines = Self.indented(examples.map { ["likeness \($0.command)", $0.meaning] })
        lines += ["", "usage: likeness \(name) \(usage)".trimmed, "", summary, ""]
        return lines + Self.help(of: options + Self.commonOptions)
    }

    static func help(of options: [OptionDescription]) -> [String] {
        indented(options.map { [$0.spelling, $0.help] })
    }

    static func indented(_ rows: [[String]]) -> [String] { Text.table(rows).map { "  " + $0 } }
}

/// A command about to run.
struct Invocation {
    let arguments: Arguments
    let client: DaemonClient
    let terminal: Terminal
    let environment: [String: String]

    var wantsJSON: Bool { arguments.has("json") }

    /// Asks the daemon, prints its reply as it came when JSON is wanted, else hands it to `show`.
    func ask<Reply: Decodable>(_ request: HTTPRequest, _ show: (Reply) throws -> Void) throws -> ExitCode {
        let body = try client.send(request)
        if !printedJSON(body) { try show(try DaemonClient.decode(body)) }
        return .ok
    }

    /// Prints a value when JSON is wanted.
    ///
    /// - Returns: whether it did.
    func printedJSON(of value: some Encodable) throws -> Bool {
        guard wantsJSON else { return false }
        return printedJSON(try DaemonClient.encode(value))
    }

    /// Prints a reply as it came when JSON is wanted.
    ///
    /// - Returns: whether it did.
    func printedJSON(_ body: [UInt8]) -> Bool {
        guard wantsJSON else { return false }
        terminal.printRaw(body.last == UInt8(ascii: "\n") ? body : body + [UInt8(ascii: "\n")])
        return true
    }
}

extension String {
    /// Without blanks at the end.
    fileprivate var trimmed: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
