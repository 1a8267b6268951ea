internal import Foundation
internal import Glibc
internal import Platform

/// What the command line asks for.
package enum Command: Sendable, Equatable {
    case run(Configuration)
    /// Read the stores in a folder and name what is damaged.
    case verify(folder: String)
    /// Try the Vulkan drivers and print what they offer, without the tiers of these names.
    case probeVulkan(VulkanTrial.Depth, Configuration, without: Set<String>)
    case help
    case version
}

/// Puts a configuration together from defaults, file, variables and flags.
package enum ConfigurationLoader {
    /// Reads all sources.
    ///
    /// - Parameters:
    ///   - arguments: without the program's name.
    ///   - environment: the process's variables.
    ///   - userID: decides the defaults: root uses `/var/lib` and `/run`, others their XDG folders.
    /// - Returns: what to do.
    /// - Throws: `ConfigurationError` naming the setting, its source and what would be right.
    package static func load(
        arguments: [String],
        environment: [String: String],
        userID: UInt32
    ) throws(ConfigurationError) -> Command {
        let flags = try parse(arguments)
        if flags.contains(where: { $0.name == "help" }) { return .help }
        if flags.contains(where: { $0.name == "version" }) { return .version }
        if let folder = flags.last(where: { $0.name == "verify" })?.text { return .verify(folder: folder) }
        // An empty variable is none: that is how a script takes one away.
        let environment = environment.filter { !$0.value.isEmpty }
        var configuration = defaults(environment: environment, userID: userID)
        let chosenFile = flags.last { $0.name == "config" }?.text ?? environment["LIKENESS_CONFIG"]
        if let chosenFile {
            try apply(file: chosenFile, to: &configuration)
        } else {
            for file in standardFiles(environment: environment, userID: userID)
            where FileManager.default.fileExists(atPath: file) {
                try apply(file: file, to: &configuration)
            }
        }
        for setting in Setting.all {
            guard let text = environment[setting.variable] else { continue }
            let values = setting.isList ? text.split(separator: ":").map(String.init) : [text]
            do throws(ConfigurationError) {
                for value in values { try setting.apply(&configuration, value) }
            } catch {
                throw ConfigurationError("variable \(setting.variable): \(error)")
            }
        }
        for flag in flags {
            guard let setting = Setting.all.first(where: { $0.name == flag.name }) else { continue }
            do { try setting.apply(&configuration, flag.text) } catch {
                throw ConfigurationError("--\(error)")
            }
        }
        guard configuration.weights == nil || configuration.model == nil else {
            throw ConfigurationError(
                "--weights and --model exclude each other: a file is used as it is"
            )
        }
        if let text = flags.last(where: { $0.name == "probe-vulkan" })?.text {
            guard let depth = VulkanTrial.Depth(rawValue: text) else {
                let list = VulkanTrial.Depth.allCases.map(\.rawValue).joined(separator: ", ")
                throw ConfigurationError("--probe-vulkan: '\(text)' is none of \(list)")
            }
            let without = flags.last { $0.name == "without-tiers" }?.text ?? ""
            return .probeVulkan(depth, configuration, without: Set(without.split(separator: ",").map(String.init)))
        }
        return .run(configuration)
    }

    /// The text of `likenessd --help`.
    package static var help: String {
        var text = """
            Watches image folders and answers "what looks like this?" on a Unix socket.

              likenessd --root ~/Pictures --http 127.0.0.1:8473
              likenessd --state /tmp/try --socket /tmp/try/likeness.sock --root ~/Pictures
              likenessd --weights vgg16.safetensors --head mean


            """
        let rows =
            Setting.all.map { ("\($0.flag) \($0.value ?? "")", $0.help) } + [
                ("--config FILE", "read settings from this JSON5 file (likeness.json5)"),
                (
                    "--verify DIR",
                    "name what is damaged in a backup or a state folder at rest; exit code 5 if anything is"
                ),
                ("--probe-vulkan all", "try every Vulkan device and print one line of JSON for each step"),
                ("--version", "print the version"),
                ("--help", "print this"),
            ]
        for (name, help) in rows {
            text += "  " + name.padding(toLength: 20, withPad: " ", startingAt: 0) + " \(help)\n"
        }
        text += """

            Each setting is also a variable (LIKENESS_HTTP) and a key of the file (http); flags win over variables, and
            variables over the file. Files read when --config is absent: /etc/likeness/likeness.json5 (as root), else
            $XDG_CONFIG_HOME/likeness/likeness.json5.

            """
        return text
    }

    private struct Flag {
        let name: String
        let text: String
    }

    private static func parse(_ arguments: [String]) throws(ConfigurationError) -> [Flag] {
        let switches = ["help", "version"] + Setting.all.filter { $0.value == nil }.map(\.name)
        let known = switches + Setting.all.map(\.name) + ["config", "verify", "probe-vulkan", "without-tiers"]
        var flags: [Flag] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else {
                throw ConfigurationError("'\(argument)' is not a flag; folders are given as --root \(argument)")
            }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard known.contains(name) else {
                throw ConfigurationError("unknown flag --\(name); " + hint(name, known, prefix: "--"))
            }
            if parts.count == 2 {
                flags.append(Flag(name: name, text: String(parts[1])))
            } else if switches.contains(name) {
                flags.append(Flag(name: name, text: "true"))
            } else if let text = rest.popFirst() {
                flags.append(Flag(name: name, text: text))
            } else {
                throw ConfigurationError("--\(name) needs a value")
            }
        }
        return flags
    }

    private static func defaults(environment: [String: String], userID: UInt32) -> Configuration {
        if userID == 0 {
            return Configuration(stateDirectory: "/var/lib/likeness", socketPath: "/run/likeness/likeness.sock")
        }
        let home = environment["HOME"] ?? "/"
        let state = (environment["XDG_STATE_HOME"] ?? "\(home)/.local/state") + "/likeness"
        let runtime = environment["XDG_RUNTIME_DIR"].map { "\($0)/likeness" } ?? state
        // systemd passes the folder of a system service that is not root's.
        let service = environment["STATE_DIRECTORY"]
        return Configuration(stateDirectory: service ?? state, socketPath: "\(runtime)/likeness.sock")
    }

    private static func standardFiles(environment: [String: String], userID: UInt32) -> [String] {
        if userID == 0 || environment["STATE_DIRECTORY"] != nil { return ["/etc/likeness/likeness.json5"] }
        let home = environment["HOME"] ?? "/"
        return [(environment["XDG_CONFIG_HOME"] ?? "\(home)/.config") + "/likeness/likeness.json5"]
    }

    private static func apply(file: String, to configuration: inout Configuration) throws(ConfigurationError) {
        let content: Data
        do { content = try Data(contentsOf: URL(filePath: file)) } catch {
            let cause = ((error as? CocoaError)?.underlying as? POSIXError)?.code
            throw ConfigurationError(
                "\(file): \(cause.map { unsafe String(cString: strerror($0.rawValue)) } ?? "cannot be read")"
            )
        }
        let object: [String: FileValue]
        do {
            let decoder = JSONDecoder()
            decoder.allowsJSON5 = true
            object = try decoder.decode([String: FileValue].self, from: content)
        } catch {
            throw ConfigurationError("\(file): cannot be read as one JSON5 object: \(error)")
        }
        for (key, value) in object.sorted(by: { $0.key < $1.key }) {
            guard let setting = Setting.all.first(where: { $0.name == key }) else {
                let names = Setting.all.map(\.name)
                throw ConfigurationError("\(file): unknown key '\(key)'; " + hint(key, names, prefix: ""))
            }
            guard setting.isList || value.texts.count == 1 else {
                throw ConfigurationError("\(file): '\(key)' takes one value, not a list")
            }
            do throws(ConfigurationError) {
                for text in value.texts { try setting.apply(&configuration, text) }
            } catch { throw ConfigurationError("\(file): \(error)") }
        }
    }

    private static func hint(_ word: String, _ known: [String], prefix: String) -> String {
        guard let near = nearestWord(to: word, among: known) else { return "see likenessd --help" }
        return "did you mean \(prefix)\(near)?"
    }

    /// A string, number, truth value, or list of them, as the flags would spell them.
    private struct FileValue: Decodable {
        let texts: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let value = try? container.decode(Bool.self) {
                texts = [String(value)]
            } else if let value = try? container.decode(Int.self) {
                texts = [String(value)]
            } else if let value = try? container.decode(String.self) {
                texts = [value]
            } else {
                texts = try container.decode([FileValue].self).flatMap(\.texts)
            }
        }
    }
}
