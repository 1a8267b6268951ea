internal import Foundation
internal import Glibc
package import Platform

/// A program of benchmarks or campaigns: its commands, with their options.
package struct CommandTable {
    package struct Command: Sendable {
        let name: String
        let options: [OptionDescription]
        let operandCount: Int
        let run: @Sendable (Arguments) throws -> Void

        package init(
            _ name: String,
            _ options: [OptionDescription] = [],
            operandCount: Int = 0,
            run: @escaping @Sendable (Arguments) throws -> Void
        ) {
            self.name = name
            self.options = options
            self.operandCount = operandCount
            self.run = run
        }
    }

    private let program: String
    private let commands: [Command]
    private static let columnCount = 120
    private static let help = OptionDescription("help", .flag, "this text")

    package init(program: String, commands: [Command]) {
        self.program = program
        self.commands = commands
    }

    /// Runs one command line to its end.
    ///
    /// - Returns: the process's exit code: 0, 2 when the command line makes no sense, 5 when the command failed.
    package func run(_ arguments: [String]) -> Int32 {
        do {
            guard let name = arguments.first, !["help", "--help", "-h"].contains(name) else {
                commands.flatMap(usage).forEach(printNote)
                return 2
            }
            guard let command = commands.first(where: { $0.name == name }) else {
                let near = nearestWord(to: name, among: commands.map(\.name))
                throw UsageError("unknown command \(name)", fix: near.map { "did you mean \($0)?" })
            }
            let parsed = try Arguments(parsing: arguments.dropFirst(), options: command.options + [Self.help])
            if parsed.has("help") {
                (usage(command) + command.options.map { "  \($0.spelling)  \($0.help)" }).forEach(printNote)
                return 0
            }
            guard parsed.operands.count == command.operandCount else {
                throw UsageError("\(name) takes \(command.operandCount) operands, not \(parsed.operands.count)")
            }
            try command.run(parsed)
            return 0
        } catch let error as UsageError {
            printNote("\(program): \(error)")
            return 2
        } catch let error as CocoaError {
            let cause = (error.underlying as? POSIXError).map { String(cString: strerror($0.code.rawValue)) }
            printNote("\(program): \(error.filePath ?? ""): \(cause ?? error.localizedDescription)")
            return 5
        } catch {
            printNote("\(program): \(error)")
            return 5
        }
    }

    /// `program command [--option VALUE] ...` in lines of at most 120 columns.
    private func usage(_ command: Command) -> [String] {
        var lines = ["\(program) \(command.name)"]
        for option in command.options {
            let word = " [\(option.spelling)]"
            if lines[lines.count - 1].count + word.count <= Self.columnCount {
                lines[lines.count - 1] += word
            } else {
                lines.append("   \(word)")
            }
        }
        return lines
    }
}

extension Arguments {
    /// The text of an option without which a command cannot run.
    package func needed(_ option: String) throws(UsageError) -> String {
        guard let text = text(option) else { throw UsageError("--\(option) is needed") }
        return text
    }
}
