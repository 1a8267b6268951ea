internal import Filters
internal import Foundation
internal import Inference
internal import Ingestion
internal import Platform

/// One setting under its three names: `--http`, `LIKENESS_HTTP`, and `http` in `likeness.json5`.
struct Setting: Sendable {
    /// As in the file; the flag is the same with dashes, the variable upper case with underscores.
    let name: String
    /// What stands behind the flag in the help; nil for a switch.
    let value: String?
    let help: String
    /// May be given several times; variable and file: a list.
    var isList = false
    let apply: @Sendable (inout Configuration, String) throws(ConfigurationError) -> Void

    var flag: String { "--\(name)" }
    var variable: String { "LIKENESS_" + name.uppercased().replacing("-", with: "_") }

    /// All settings, in the order of the help.
    static let all: [Setting] = [
        Setting(
            name: "root",
            value: "[NAME=]DIR",
            help: "watch this folder, for the collection NAME (repeatable; variable: separated by ':')",
            isList: true
        ) { $0.roots.append($1) },
        Setting(
            name: "exclude",
            value: "GLOB",
            help: "leave out what matches, as in a .gitignore (repeatable)",
            isList: true
        ) { (configuration, text) throws(ConfigurationError) in
            let patterns = configuration.rootSettings.exclude + [text]
            try set("exclude", "exclude", .array(patterns.map { .string($0) }), &configuration)
        },
        Setting(
            name: "include",
            value: "GLOB",
            help: "look only at what matches (repeatable)",
            isList: true
        ) { (configuration, text) throws(ConfigurationError) in
            let patterns = configuration.rootSettings.include + [text]
            try set("include", "include", .array(patterns.map { .string($0) }), &configuration)
        },
        Setting(name: "hidden", value: nil, help: "look at names that begin with a dot too") {
            (configuration, text) throws(ConfigurationError) in
            configuration.rootSettings.hidden = try flag("hidden", text)
        },
        choice("ignore-files", \.ignoreFiles, "heed .likenessignore and .nomedia (yes)"),
        choice("bins", \.bins, "leave out bins, snapshots, thumbnails and unfinished files of other programs (yes)"),
        choice("document-required", \.requiresDocument, "only images with a document beside them (no)"),
        number("min-bytes", "minimum_bytes", "bytes that a file must have"),
        number("min-pixels", "minimum_pixels", "pixels that the shorter side of an image must have"),
        number("max-depth", "maximum_depth", "folders inside each other that are entered (64)"),
        Setting(name: "other-file-systems", value: nil, help: "enter folders where another file system is mounted") {
            (configuration, text) throws(ConfigurationError) in
            configuration.rootSettings.otherFileSystems = try flag("other-file-systems", text)
        },
        number("rescan-interval", "rescan_interval_s", "seconds between looks at every file (21600; 0: never)"),
        Setting(name: "state", value: "DIR", help: "where the index and the models live") { $0.stateDirectory = $1 },
        Setting(name: "socket", value: "PATH", help: "the Unix socket to listen on") { $0.socketPath = $1 },
        Setting(name: "http", value: "HOST:PORT", help: "serve the page on loopback, such as 127.0.0.1:8473") {
            $0.http = $1.isEmpty ? nil : $1
        },
        Setting(name: "weights", value: "FILE", help: "use this weight file instead of a model of the library") {
            $0.weights = $1
        },
        Setting(name: "model", value: "NAME", help: "use this model of the library (see `likeness model list`)") {
            $0.model = $1
        },
        Setting(
            name: "head",
            value: "HEAD",
            help: "how the last map becomes a vector: \(Head.allCases.map(\.rawValue).joined(separator: ", "))"
        ) { $0.head = $1 },
        Setting(name: "backend", value: "NAME", help: "auto, cpu or vulkan (auto: a real GPU if there is one)") {
            (configuration, text) throws(ConfigurationError) in
            configuration.backend = try choice("backend", text, among: Configuration.Backend.allCases) { $0.rawValue }
        },
        Setting(
            name: "device",
            value: "DEVICE",
            help: "index, name or UUID of a Vulkan device; several with commas; all"
        ) { $0.device = $1 },
        Setting(name: "software-vulkan", value: nil, help: "accept a Vulkan device that is a program on the CPU") {
            (configuration, text) throws(ConfigurationError) in
            configuration.allowsSoftwareDevice = try flag("software-vulkan", text)
        },
        Setting(name: "threads", value: "N", help: "threads that compute and decode (all cores)") {
            (configuration, text) throws(ConfigurationError) in
            guard let count = Int(text), (1...1024).contains(count) else {
                throw ConfigurationError("threads: '\(text)' is not a number in 1...1024")
            }
            configuration.threads = count
        },
        Setting(
            name: "admin",
            value: "UID",
            help: "let this user change roots, models and images (repeatable)",
            isList: true
        ) { (configuration, text) throws(ConfigurationError) in
            guard let uid = UInt32(text), uid != 65_534, uid != .max else {
                throw ConfigurationError("admin: '\(text)' is not a user number")
            }
            configuration.admins.append(uid)
        },
        Setting(name: "log-level", value: "LEVEL", help: "error, warning, notice, info or debug") {
            (configuration, text) throws(ConfigurationError) in
            configuration.logLevel = try choice("log-level", text, among: Log.Level.allCases) { $0.name }
        },
    ]

    /// A number among the settings of folders.
    private static func number(_ name: String, _ member: String, _ help: String) -> Setting {
        Setting(name: name, value: "N", help: help) { (configuration, text) throws(ConfigurationError) in
            guard let value = Double(text) else { throw ConfigurationError("\(name): '\(text)' is not a number") }
            try set(name, member, .number(value), &configuration)
        }
    }

    /// Yes or no among the settings of folders.
    private static func choice(
        _ name: String,
        _ member: any WritableKeyPath<RootSettings, Bool> & Sendable,
        _ help: String
    ) -> Setting {
        Setting(name: name, value: "yes|no", help: help) { (configuration, text) throws(ConfigurationError) in
            configuration.rootSettings[keyPath: member] = try flag(name, text)
        }
    }

    private static func set(
        _ name: String,
        _ member: String,
        _ value: JSONValue,
        _ configuration: inout Configuration
    ) throws(ConfigurationError) {
        do throws(RuleError) { try configuration.rootSettings.apply([member: value]) } catch {
            throw ConfigurationError("\(name): \(error.detail)")
        }
    }

    private static func choice<Value>(
        _ name: String,
        _ text: String,
        among values: [Value],
        spelling: (Value) -> String
    ) throws(ConfigurationError) -> Value {
        if let value = values.first(where: { spelling($0) == text }) { return value }
        let list = values.map(spelling).joined(separator: ", ")
        throw ConfigurationError("\(name): '\(text)' is none of \(list)")
    }

    private static func flag(_ name: String, _ text: String) throws(ConfigurationError) -> Bool {
        switch text {
        case "true", "1", "yes": return true
        case "false", "0", "no": return false
        default: throw ConfigurationError("\(name): '\(text)' is neither true nor false")
        }
    }
}
