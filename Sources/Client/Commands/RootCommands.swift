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

    static let watch = CommandDescription(
        name: "watch",
        summary:
            "Loads a folder and keeps up with it: everything below it, and every later change. On a terminal it shows the progress.",
        usage: "DIR [--wait] [--collection NAME]",
        examples: [
            Example("watch ~/Pictures", "load a folder; Ctrl-C only ends the display"),
            Example("watch --collection work ~/Work", "for a collection that was created before"),
            Example("watch --wait /photos && likeness search a.jpg", "in a script"),
        ],
        operandCounts: 1...1,
        options: [wait, .collection],
        run: { invocation in
            let path = absolutePath(invocation.arguments.operands[0])
            let body = try invocation.client.send(try request("POST", "roots", path, invocation.arguments))
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
        summary: "Scans a folder, or all of them, for changes that were not noticed.",
        usage: "[DIR] [--wait] [--accept-missing] [--collection NAME]",
        examples: [
            Example("rescan", "all folders"),
            Example("rescan --wait /photos", "one folder, and wait until it is loaded"),
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

    private static func request(
        _ method: String,
        _ route: String,
        _ path: String?,
        _ arguments: Arguments
    ) throws -> HTTPRequest {
        let accepts = route == "rescan" && arguments.has("accept-missing") ? true : nil
        let body = RootRequest(path: path, collection: arguments.text("collection"), acceptMissing: accepts)
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
