internal import DeviceReports
internal import Filters
internal import Platform
internal import Wire

extension CommandDescription {
    static let status = CommandDescription(
        name: "status",
        summary:
            "Shows everything at a glance: images, loading, model, device, folders, warnings and what to do about them.",
        usage: "[--collection NAME] [--verbose]",
        examples: [
            Example("status", "one screen"),
            Example("status --verbose", "with what is left out of each folder, by reason"),
            Example("status --json | jq .counts.images", "a figure for a script"),
        ],
        operandCounts: 0...0,
        options: [
            OptionDescription("collection", .text(placeholder: "NAME"), "only this collection (all of them)"),
            OptionDescription("verbose", .flag, "how the entries of each folder add up"),
        ],
        run: { invocation in
            let request = HTTPRequest(
                method: "GET",
                path: "\(WireProtocol.prefix)/status",
                query: invocation.arguments.collectionQuery
            )
            return try invocation.ask(request) { (status: StatusResponse) in
                StatusScreen(
                    status: status,
                    terminal: invocation.terminal,
                    isVerbose: invocation.arguments.has("verbose")
                )
                .lines.forEach(invocation.terminal.print)
            }
        }
    )
}

/// The status as one screen of text.
struct StatusScreen {
    let status: StatusResponse
    let terminal: Terminal
    var isVerbose = false

    var lines: [String] {
        var rows = [["images", images]]
        if collections.count > 1 { rows.append(["collections", collectionCounts]) }
        if let loading = Progress(status).line { rows.append(["loading", loading]) }
        rows.append(["model", model])
        let device = status.device
        let threads = device.threads > 0 ? ", \(Text.count(device.threads, "thread"))" : ""
        rows.append(["device", "\(device.backend): \(device.device), \(device.tier)\(threads) (\(device.reason))"])
        rows += (device.graphics ?? []).map { ["GPU", Self.text($0)] }
        let resources = status.resources
        rows.append([
            "memory", "\(Text.bytes(resources.memoryBytes)), at most \(Text.bytes(resources.memoryPeakBytes)) so far",
        ])
        rows.append(["disk", "\(Text.bytes(resources.diskBytes)) used, \(Text.bytes(resources.diskFreeBytes)) free"])
        let title = terminal.colored("likeness \(status.version)", .bold)
        let fields = Text.table(rows.map { ["  \($0[0])", Text.visible($0[1])] })
        return ["\(title), up \(Text.duration(status.uptime))"] + fields + roots + warnings
    }

    /// State, tier and what befell a graphics device; counts of zero say nothing.
    private static func text(_ health: DeviceHealth) -> String {
        let name = health.device.isEmpty ? "graphics device" : health.device
        var parts = ["\(name) \(health.state.rawValue)\(health.tier.isEmpty ? "" : ", tier \(health.tier)")"]
        let counts = [
            (health.lossCount, "lost"), (health.hangCount, "of them hung"), (health.outOfMemoryCount, "out of memory"),
            (health.nonFiniteCount, "recomputed for overflow"), (health.returnCount, "returned"),
        ]
        parts += counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        if let open = health.openSeconds { parts.append("opened in \(Int((open * 1000).rounded())) ms") }
        if health.state != .serving { parts.append(health.reason) }
        return parts.joined(separator: ", ")
    }

    private var collections: [CollectionBody] { status.collections ?? [] }

    private var collectionCounts: String {
        guard collections.count <= 6 else { return "\(collections.count), see likeness collections" }
        return collections.map { "\($0.name) \($0.problem == nil ? Text.count($0.counts.images) : "cannot be used")" }
            .joined(separator: ", ")
    }

    private var images: String {
        let counts = status.counts
        var parts = ["\(Text.count(counts.images)) searchable"]
        if counts.vectors != counts.images { parts.append("\(Text.count(counts.vectors)) distinct") }
        if counts.waiting > 0 { parts.append("\(Text.count(counts.waiting)) waiting") }
        if counts.failed > 0 { parts.append("\(Text.count(counts.failed)) failed (likeness failures)") }
        return parts.joined(separator: ", ")
    }

    private var model: String {
        let model = status.model
        let kind = model.untrained ? "; untrained: finds copies, not similar pictures (likeness model import)" : ""
        let whitening = status.whitening.map { ", whitened (learned from \(Text.count($0.vectors, "vector")))" } ?? ""
        let vectors = "head \(status.head), \(model.dimension) dimensions\(whitening)"
        return "\(model.name): \(model.architecture), \(vectors)\(kind)"
    }

    private var roots: [String] {
        guard !status.roots.isEmpty else { return ["  no folder is watched: likeness watch DIR"] }
        let rows = status.roots.map { root in
            var counts = "\(Text.count(root.indexedFiles)) searchable"
            if root.failedFiles > 0 { counts += ", \(Text.count(root.failedFiles)) failed" }
            if root.waitingFiles > 0 { counts += ", \(Text.count(root.waitingFiles)) waiting" }
            let leftOut = root.excludedFiles.values.reduce(0, +)
            if leftOut > 0 { counts += ", \(Text.count(leftOut)) left out" }
            let detail = root.detail.isEmpty ? "" : "  (\(root.detail))"
            let collection = collections.count > 1 ? [root.collection ?? ""] : []
            return ["    \(root.state)"] + collection + [counts, Text.visible(root.path + detail)]
        }
        return ["  folders"] + Text.table(rows) + (isVerbose ? status.roots.flatMap(Self.account) : [])
    }

    /// How the entries of a folder add up.
    private static func account(of root: RootBody) -> [String] {
        let reasons = root.excludedFiles.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let parts =
            [(root.indexedFiles, "searchable"), (root.failedFiles, "failed"), (root.waitingFiles, "waiting")]
            + reasons.map { ($0.value, $0.key.replacing("_", with: " ")) }
        let rows = parts.filter { $0.0 > 0 }.map { ["      \(Text.count($0.0))", $0.1] }
        let settings = (root.settings ?? [:]).sorted { $0.key < $1.key }.map { name, value in
            ["      \(name.replacing("_", with: " "))", Text.visible(text(of: value))]
        }
        return ["    \(Text.visible(root.path)): \(Text.count(root.entries)) entries"] + Text.table(rows)
            + Text.table(settings)
    }

    private static func text(of setting: JSONValue) -> String {
        switch setting {
        case .array(let values): values.map(text).joined(separator: ", ")
        case .string(let text): text
        case .bool(let isOn): isOn ? "yes" : "no"
        case .number(let value): "\(Int(value))"
        default: ""
        }
    }

    private var warnings: [String] {
        status.warnings.flatMap { warning in
            [
                "  \(terminal.colored("warning", .yellow)) \(Text.visible(warning.kind)): \(Text.visible(warning.detail))",
                "    \(Text.visible(warning.fix))",
            ]
        }
    }
}
