internal import Foundation
internal import Platform

/// The `likeness` command: parse, ask the daemon, print, and say by exit code how it went.
package enum CommandLineClient {
    static let commands: [CommandDescription] = [
        .search, .status, .watch, .unwatch, .list, .show, .remove, .rescan, .pause, .resume, .cancel, .failures,
        .retry, .exclusions,
        .collections, .collectionsCreate, .collectionsRemove,
        .modelList, .modelFetch, .modelImport, .modelUse, .modelWhiten, .backup, .verify, .rebuild, .open, .doctor,
        .version,
    ]

    /// Runs one command line to its end.
    ///
    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - environment: `LIKENESS_SOCKET` and `XDG_RUNTIME_DIR` say where the daemon may be.
    ///   - terminal: where data and messages go.
    /// - Returns: the process's exit code.
    package static func run(arguments: [String], environment: [String: String], terminal: Terminal) -> ExitCode {
        do {
            return try dispatch(arguments, environment, terminal)
        } catch {
            let error = ClientError(error)
            report(error, asJSON: arguments.contains("--json"), terminal)
            return error.exitCode
        }
    }

    private static func dispatch(
        _ arguments: [String],
        _ environment: [String: String],
        _ terminal: Terminal
    ) throws -> ExitCode {
        guard let first = arguments.first else {
            help.forEach(terminal.note)
            return .usage
        }
        if ["--help", "-h", "help"].contains(first) {
            return try printHelp(for: Array(arguments.dropFirst()), terminal)
        }
        if first == "--version" {
            return try dispatch(["version"] + arguments.dropFirst(), environment, terminal)
        }
        guard let (command, rest) = try command(named: arguments) else {
            return try printHelp(for: [first], terminal)
        }
        let parsed = try Arguments(parsing: rest, options: command.options + CommandDescription.commonOptions)
        if parsed.has("help") {
            command.help.forEach(terminal.print)
            return .ok
        }
        guard command.operandCounts.contains(parsed.operands.count) else {
            throw ClientError.usage(
                "usage: likeness \(command.name) \(command.usage)",
                fix: "examples: likeness \(command.name) --help"
            )
        }
        let sockets = SocketPath.candidates(
            flag: parsed.text("socket"),
            environment: environment,
            executable: SocketPath.ownExecutable
        )
        return try command.run(
            Invocation(
                arguments: parsed,
                client: DaemonClient(sockets: sockets),
                terminal: terminal,
                environment: environment
            )
        )
    }

    /// The command that the words start with, and the words after its name; nil for `model --help`.
    private static func command(named words: [String]) throws -> (CommandDescription, ArraySlice<String>)? {
        let one = commands.first { $0.name == words[0] }
        let hasSecond = words.count > 1 && !words[1].hasPrefix("-")
        // `collections` alone lists, and is the first word of other commands.
        if let one, !hasSecond || !commands.contains(where: { $0.name.hasPrefix("\(words[0]) ") }) {
            return (one, words.dropFirst())
        }
        if words[0].hasPrefix("-") {
            throw ClientError.usage("options follow the command", fix: "such as likeness status \(words[0])")
        }
        let subcommands = commands.filter { $0.name.hasPrefix("\(words[0]) ") }
        guard !subcommands.isEmpty else {
            let known = Set(commands.map { String($0.name.prefix { $0 != " " }) })
            throw unknownCommand(words[0], among: known.sorted(), prefix: "")
        }
        guard words.count > 1 else {
            throw ClientError.usage("usage: likeness \(subcommands.map(\.name).joined(separator: " | "))")
        }
        if words[1] == "--help" || words[1] == "-h" { return nil }
        let name = "\(words[0]) \(words[1])"
        if let two = subcommands.first(where: { $0.name == name }) { return (two, words.dropFirst(2)) }
        let known = subcommands.map { String($0.name.dropFirst(words[0].count + 1)) }
        throw unknownCommand(words[1], among: known, prefix: "\(words[0]) ")
    }

    private static func unknownCommand(_ word: String, among known: [String], prefix: String) -> ClientError {
        let near = nearestWord(to: word, among: known)
        return .usage(
            "unknown command \(prefix)\(Text.visible(word))",
            fix: near.map { "did you mean likeness \(prefix)\($0)?" } ?? "all commands: likeness --help"
        )
    }

    private static func report(_ error: ClientError, asJSON: Bool, _ terminal: Terminal) {
        if asJSON, let line = try? JSONEncoder().encode(ErrorReport(error)) {
            terminal.note(String(decoding: line, as: UTF8.self))
            return
        }
        terminal.note("likeness: \(Text.visible(error.detail))")
        if let fix = error.fix { terminal.note("  \(Text.visible(fix))") }
    }

    /// What `--json` prints on standard error.
    private struct ErrorReport: Encodable {
        let kind: String
        let detail: String
        let fix: String?

        init(_ error: ClientError) {
            kind = error.kind
            detail = error.detail
            fix = error.fix
        }
    }

    // MARK: - Help

    private static func printHelp(for words: [String], _ terminal: Terminal) throws -> ExitCode {
        if words.isEmpty {
            help.forEach(terminal.print)
            return .ok
        }
        let name = words.prefix(2).joined(separator: " ")
        let described = commands.filter { $0.name == name || $0.name == words[0] || $0.name.hasPrefix("\(name) ") }
        guard !described.isEmpty else {
            _ = try command(named: words)
            return .usage
        }
        for (index, command) in described.enumerated() {
            if index > 0 { terminal.print("") }
            command.help.forEach(terminal.print)
        }
        return .ok
    }

    private static var help: [String] {
        let examples = [
            CommandDescription.Example("watch ~/Pictures", "load a folder and keep up with it"),
            CommandDescription.Example("search photo.jpg", "what looks like this?"),
            CommandDescription.Example("status", "everything at a glance"),
        ]
        return CommandDescription.indented(examples.map { ["likeness \($0.command)", $0.meaning] })
            + ["", "usage: likeness COMMAND [OPTIONS]", ""]
            + CommandDescription.indented(commands.map { [$0.name, $0.brief] })
            + [""] + CommandDescription.help(of: CommandDescription.commonOptions)
            + ["", "exit codes: 0 ok, 1 no result, 2 usage, 3 no daemon, 4 refused, 5 failed"]
    }
}
