internal import Foundation
internal import Platform
internal import Wire

extension CommandDescription {
    private static let defaultListLimit = 50

    static let list = CommandDescription(
        name: "list",
        summary: "Lists searchable images in the order of their ids.",
        usage: "[--limit N | --all] [--filter JSON] [--collection NAME]",
        examples: [
            Example("list", "the first \(defaultListLimit)"),
            Example("list --all --json | jq -r '.images[].path'", "every path"),
            Example("list --all -0 | xargs -0 ls -l", "for other programs, whatever the names"),
            Example(#"list --filter '{"path":{"$prefix":"2021/"}}'"#, "those below a folder"),
        ],
        operandCounts: 0...0,
        options: [
            OptionDescription(
                "limit",
                .integer(1...Int(Int32.max)),
                "how many at most (\(defaultListLimit))"
            ),
            OptionDescription("all", .flag, "all of them"),
            filterOption, .collection,
        ] + pathOptions,
        run: { try runList($0) }
    )

    static let show = CommandDescription(
        name: "show",
        summary: "Shows one image: its file, size, digest and document.",
        usage: "ID [--collection NAME]",
        examples: [Example("show 17", "the image with that id")],
        operandCounts: 1...1,
        options: [.collection],
        run: { invocation in
            let id = try imageID(invocation.arguments.operands[0])
            let path = "\(WireProtocol.prefix)/images/\(id)"
            let query = invocation.arguments.collectionQuery
            return try invocation.ask(HTTPRequest(method: "GET", path: path, query: query)) { (image: ImageBody) in
                try details(of: image).forEach(invocation.terminal.print)
            }
        }
    )

    static let remove = CommandDescription(
        name: "remove",
        summary: "Removes images from the index. Their files stay; a file that changes later is loaded again.",
        usage: "ID... | --filter JSON --yes [--collection NAME]",
        examples: [
            Example("remove 17 18", "remove two images"),
            Example(#"remove --filter '{"rating":{"$lt":2}}' --yes"#, "all that match; without --yes, how many do"),
        ],
        operandCounts: 0...Int.max,
        options: [
            filterOption, OptionDescription("yes", .flag, "remove what the filter matches"),
            .collection,
        ],
        run: { try runRemove($0) }
    )

    // MARK: - What they do

    private static func runList(_ invocation: Invocation) throws -> ExitCode {
        let arguments = invocation.arguments
        if arguments.has("all"), arguments.has("limit") {
            throw ClientError.usage("--limit and --all exclude each other")
        }
        try filter(in: arguments)
        let wantsPaths = try invocation.wantsPaths
        let wanted = arguments.has("all") ? Int.max : arguments.integer("limit") ?? defaultListLimit
        var printed = 0
        var cursor: String?
        if invocation.wantsJSON { invocation.terminal.printRaw(Array("{\"images\":[".utf8)) }
        repeat {
            var query = [(name: "limit", value: String(min(WireProtocol.maximumPageLimit, wanted - printed)))]
            query += arguments.collectionQuery
            if let cursor { query.append(("cursor", cursor)) }
            if let filter = arguments.text("filter") { query.append(("filter", filter)) }
            let page: ImagePage = try invocation.client.get("\(WireProtocol.prefix)/images", query)
            cursor = page.next
            try print(page.images, isFirst: printed == 0, invocation)
            printed += page.images.count
        } while cursor != nil && printed < wanted
        if invocation.wantsJSON {
            let next = try cursor.map { ",\"next\":\(String(decoding: try JSONEncoder().encode($0), as: UTF8.self))" }
            invocation.terminal.printRaw(Array("]\(next ?? "")}\n".utf8))
        } else if printed == 0 {
            invocation.terminal.note(
                arguments.has("filter") ? "no image matches the filter" : "no image is loaded yet"
            )
        } else if cursor != nil, !wantsPaths {
            invocation.terminal.note("there are more: likeness list --all")
        }
        return printed == 0 ? .noResult : .ok
    }

    private static func print(_ images: [ImageBody], isFirst: Bool, _ invocation: Invocation) throws {
        if invocation.wantsJSON {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            for (index, image) in images.enumerated() {
                let comma = isFirst && index == 0 ? "" : ","
                invocation.terminal.printRaw(Array(comma.utf8) + [UInt8](try encoder.encode(image)))
            }
            return
        }
        if try invocation.printedPaths(of: images) { return }
        let rows = images.map { [String($0.id), "\($0.width)x\($0.height)", Text.bytes($0.bytes), ""] }
        for (line, image) in zip(Text.table(rows, right: [0, 1, 2]), images) { invocation.print(line, path: image) }
    }

    private static func details(of image: ImageBody) throws -> [String] {
        var rows = [
            ["id", String(image.id)],
            ["path", image.path], ["path_bytes", image.pathBytes ?? ""],
            ["root", image.root],
            ["format", "\(image.format), \(image.width) x \(image.height) pixels, \(Text.bytes(image.bytes))"],
            ["sha256", image.sha256],
            ["modified", image.modified],
            ["added", image.added],
        ]
        if let document = image.document {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            rows.append(["document", String(decoding: try encoder.encode(document), as: UTF8.self)])
        }
        return Text.table(rows.filter { !$0[1].isEmpty }.map { $0.map(Text.visible) })
    }

    private static func runRemove(_ invocation: Invocation) throws -> ExitCode {
        if invocation.arguments.has("filter") { return try removeMatches(invocation) }
        if invocation.arguments.operands.isEmpty {
            throw ClientError.usage("no image is named", fix: "likeness remove 17, or likeness remove --filter JSON")
        }
        let ids = try invocation.arguments.operands.map(imageID)
        var missing: [UInt64] = []
        for id in ids {
            do {
                let path = "\(WireProtocol.prefix)/images/\(id)"
                let query = invocation.arguments.collectionQuery
                try invocation.client.send(HTTPRequest(method: "DELETE", path: path, query: query))
            } catch let error as ClientError where error.exitCode == .noResult {
                missing.append(id)
            }
        }
        let removed = ids.filter { !missing.contains($0) }
        if invocation.wantsJSON {
            let report = try JSONEncoder().encode(["removed": removed, "missing": missing])
            invocation.terminal.print(String(decoding: report, as: UTF8.self))
        } else {
            for id in missing { invocation.terminal.note("there is no image \(id)") }
            invocation.terminal.note("removed \(Text.count(removed.count, "image"))")
        }
        return missing.isEmpty ? .ok : .noResult
    }

    private static func imageID(_ text: String) throws -> UInt64 {
        guard let id = UInt64(text) else {
            throw ClientError.usage(
                "\(Text.visible(text)) is not an image id",
                fix: "the first column of likeness list has the ids"
            )
        }
        return id
    }
}
