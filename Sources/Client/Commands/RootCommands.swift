internal import Filters
internal import Foundation
internal import Platform
internal import Wire

extension CommandDescription {
    private static let wait = OptionDescription(
        "wait",
        .flag,
        "return when everything is loaded, also where standard error is no terminal"
    )

    private static let acceptMissing = OptionDescription(
        "accept-missing",
        .flag,
        "forget the images that are not in the folder, also where another one or a disk stands there now"
    )

    private static let anyCollection = OptionDescription(
        "collection",
        .text(placeholder: "NAME"),
        "only of this collection"
    )

    /// What is looked at below a folder, and what each option is called in JSON.
    private static let settings: [(member: String, option: OptionDescription)] = [
        (
            "exclude",
            OptionDescription("exclude", .texts(placeholder: "GLOB"), "leave out what matches, as in .gitignore")
        ),
        ("include", OptionDescription("include", .texts(placeholder: "GLOB"), "look only at what matches")),
        ("hidden", OptionDescription("hidden", .choice(["yes", "no"]), "names that begin with a dot too")),
        (
            "ignore_files",
            OptionDescription("ignore-files", .choice(["yes", "no"]), "heed .likenessignore and .nomedia")
        ),
        (
            "bins",
            OptionDescription("bins", .choice(["yes", "no"]), "leave out bins, thumbnails and unfinished files")
        ),
        ("minimum_bytes", OptionDescription("min-bytes", .integer(0...(1 << 40)), "bytes that a file must have")),
        ("minimum_pixels", OptionDescription("min-pixels", .integer(0...100_000), "pixels of an image's shorter side")),
        ("maximum_depth", OptionDescription("max-depth", .integer(1...1000), "folders inside each other")),
        (
            "other_file_systems",
            OptionDescription("other-file-systems", .choice(["yes", "no"]), "what is mounted below")
        ),
        (
            "document_required",
            OptionDescription("document-required", .choice(["yes", "no"]), "only images with a document beside them")
        ),
        (
            "rescan_interval_s",
            OptionDescription("rescan-interval", .integer(0...(366 * 86_400)), "seconds between looks at every file")
        ),
    ]
    private static let defaults = OptionDescription("defaults", .flag, "take every setting of the folder back first")

    /// The settings that the options name; nil where none does.
    private static func settings(_ arguments: Arguments) -> [String: JSONValue]? {
        var members: [String: JSONValue] = [:]
        for (member, option) in settings {
            if arguments.has(defaults.name) { members[member] = .null }
            switch option.value {
            case .texts: arguments.texts(option.name).map { members[member] = .array($0.map { .string($0) }) }
            case .integer: arguments.integer(option.name).map { members[member] = .number(Double($0)) }
            default: arguments.text(option.name).map { members[member] = .bool($0 == "yes") }
            }
        }
        return members.isEmpty ? nil : members
    }

    static let watch = CommandDescription(
        name: "watch",
        summary:
            "Loads a folder and keeps up with it: everything below it, and every later change. A folder that is watched already gets the settings that are given. On a terminal it shows the progress.",
        usage: "DIR [--wait] [--collection NAME] [--exclude GLOB]... [--min-pixels N]",
        examples: [
            Example("watch ~/Pictures", "load a folder; Ctrl-C only ends the display"),
            Example("watch --collection work ~/Work", "for a collection that was created before"),
            Example("watch --wait /photos && likeness search a.jpg", "in a script"),
            Example("watch /photos --exclude 'raw/' --exclude '*.png' --min-pixels 64", "what is left out"),
        ],
        operandCounts: 1...1,
        options: [wait, .collection] + settings.map(\.option) + [defaults],
        run: { invocation in
            let path = absolutePath(invocation.arguments.operands[0])
            let request = try request("POST", "roots", path, invocation.arguments, settings(invocation.arguments))
            let body = try invocation.client.send(request)
            let root: RootBody = try DaemonClient.decode(body)
            if !invocation.wantsJSON { invocation.terminal.note("watching \(Text.visible(root.path))") }
            try waitIfWanted(root.path, invocation)
            _ = invocation.printedJSON(body)
            return .ok
        }
    )

    static let unwatch = CommandDescription(
        name: "unwatch",
        summary: "Stops watching a folder and removes its images from the index. The files stay.",
        usage: "DIR [--collection NAME]",
        examples: [Example("unwatch ~/Pictures", "of whichever collection the folder is")],
        operandCounts: 1...1,
        options: [anyCollection],
        run: { invocation in
            let path = absolutePath(invocation.arguments.operands[0])
            let body = try invocation.client.send(try request("DELETE", "roots", path, invocation.arguments))
            if body.isEmpty || !invocation.printedJSON(body) {
                invocation.terminal.note("stopped watching \(Text.visible(path))")
                let answer: RootRemovalResponse? = body.isEmpty ? nil : try DaemonClient.decode(body)
                for warning in answer?.warnings ?? [] {
                    invocation.terminal.note("warning: \(Text.visible(warning.detail)) To change that: \(warning.fix)")
                }
            }
            return .ok
        }
    )

    static let rescan = CommandDescription(
        name: "rescan",
        summary: "Looks at a folder, a file, or everything again, for changes that were not noticed.",
        usage: "[PATH] [--wait] [--accept-missing] [--collection NAME]",
        examples: [
            Example("rescan", "all folders"),
            Example("rescan --wait /photos/2024", "what lies there, and wait until it is loaded"),
            Example("rescan --accept-missing /photos", "what is not there any more is gone for good"),
        ],
        operandCounts: 0...1,
        options: [wait, acceptMissing, anyCollection],
        run: { invocation in
            let path = invocation.arguments.operands.first.map(absolutePath)
            guard path != nil || !invocation.arguments.has("accept-missing") else {
                throw UsageError("--accept-missing needs a folder")
            }
            let body = try invocation.client.send(try request("POST", "rescan", path, invocation.arguments))
            if !invocation.wantsJSON {
                invocation.terminal.note("scanning \(path.map(Text.visible) ?? "all folders")")
            }
            try waitIfWanted(path, invocation)
            if !body.isEmpty { _ = invocation.printedJSON(body) }
            return .ok
        }
    )

    static let pause = loading(
        "pause",
        "Loads nothing for now. Folders are watched all the same, and the pause outlasts a restart of the daemon.",
        example: "for all folders; likeness resume ends it",
        note: "loading is paused"
    )

    static let cancel = loading(
        "cancel",
        "Pauses loading and forgets what waits; `likeness resume` looks for it again.",
        example: "what was loaded so far stays searchable",
        note: "loading is cancelled"
    )

    static let resume = loading(
        "resume",
        "Goes on with loading after pause or cancel.",
        example: "for all folders",
        note: "loading goes on"
    )

    private static func loading(
        _ verb: String,
        _ summary: String,
        example: String,
        note: String
    ) -> CommandDescription {
        CommandDescription(
            name: verb,
            summary: summary,
            usage: "[DIR] [--collection NAME]",
            examples: [Example(verb, example), Example("\(verb) /photos", "of one folder")],
            operandCounts: 0...1,
            options: [anyCollection],
            run: { invocation in
                let path = invocation.arguments.operands.first.map(absolutePath)
                let request = try request("POST", "loading/\(verb)", path, invocation.arguments)
                let body = try invocation.client.send(request)
                if body.isEmpty || !invocation.printedJSON(body) { invocation.terminal.note(note) }
                return .ok
            }
        )
    }

    private static func request(
        _ method: String,
        _ route: String,
        _ path: String?,
        _ arguments: Arguments,
        _ settings: [String: JSONValue]? = nil
    ) throws -> HTTPRequest {
        let accepts = route == "rescan" && arguments.has("accept-missing") ? true : nil
        let body = RootRequest(
            path: path,
            collection: arguments.text("collection"),
            settings: settings,
            acceptMissing: accepts
        )
        return HTTPRequest(
            method: method,
            path: "\(WireProtocol.prefix)/\(route)",
            body: try DaemonClient.json(body)
        )
    }

    /// With `--wait`, or on a terminal, waits until the folder is loaded and says what came of it.
    private static func waitIfWanted(_ path: String?, _ invocation: Invocation) throws {
        let terminal = invocation.terminal
        guard invocation.arguments.has("wait") || (terminal.drawsProgress && !invocation.wantsJSON) else { return }
        let status = try LoadingWait(client: invocation.client, terminal: terminal).run(root: path)
        guard !invocation.wantsJSON else { return }
        let roots = path.map { path in status.roots.filter { $0.path == path } } ?? status.roots
        let failed = roots.map(\.failedFiles).reduce(0, +)
        var line = "\(Text.count(roots.map(\.indexedFiles).reduce(0, +), "image")) searchable"
        if failed > 0 { line += ", \(Text.count(failed)) failed (likeness failures)" }
        terminal.note(line)
        for root in roots where ["offline", "replaced"].contains(root.state) {
            terminal.note("warning: \(Text.visible(root.path)) is \(root.state): \(Text.visible(root.detail))")
        }
    }

    /// The folder as the daemon must name it, whose working directory is another: absolute, with the links in it as they are.
    static func absolutePath(_ path: String) -> String {
        URL(filePath: path, directoryHint: .isDirectory).standardizedFileURL
            .path(percentEncoded: false).droppingFinalSlash
    }
}

extension String {
    fileprivate var droppingFinalSlash: String { count > 1 && hasSuffix("/") ? String(dropLast()) : self }
}
