internal import Platform
internal import Wire

extension OptionDescription {
    static let collection = OptionDescription(
        "collection",
        .text(placeholder: "NAME"),
        "which collection (\(CollectionName.standard)); see likeness collections"
    )
}

extension Arguments {
    /// What `--collection` means as a parameter of a request.
    var collectionQuery: [(name: String, value: String)] { text("collection").map { [("collection", $0)] } ?? [] }
}

extension CommandDescription {
    private static let path = "\(WireProtocol.prefix)/collections"

    static let collections = CommandDescription(
        name: "collections",
        summary: "Lists the collections. Each has folders and images of its own and is searched by itself.",
        usage: "",
        examples: [
            Example("collections", "all of them"),
            Example("search --collection work photo.jpg", "search one"),
        ],
        operandCounts: 0...0,
        run: { invocation in
            try invocation.ask(HTTPRequest(method: "GET", path: path)) { (list: CollectionList) in
                Text.table(list.collections.map(row)).forEach(invocation.terminal.print)
            }
        }
    )

    private static func row(of collection: CollectionBody) -> [String] {
        if let problem = collection.problem { return [collection.name, "cannot be used", problem].map(Text.visible) }
        let counts = collection.counts
        var details = ["\(Text.count(collection.roots, "folder")), \(Text.bytes(collection.diskBytes))"]
        if counts.waiting > 0 { details.append("\(Text.count(counts.waiting)) waiting") }
        if counts.failed > 0 { details.append("\(Text.count(counts.failed)) failed") }
        if collection.whitening != nil { details.append("whitened") }
        return [Text.visible(collection.name), Text.count(counts.images, "image"), details.joined(separator: ", ")]
    }

    static let collectionsCreate = CommandDescription(
        name: "collections create",
        summary: "Creates an empty collection.",
        usage: "NAME",
        examples: [
            Example(
                "collections create work && likeness watch --collection work ~/Work",
                "a folder that is searched by itself"
            )
        ],
        operandCounts: 1...1,
        run: { invocation in
            let name = invocation.arguments.operands[0]
            let content = try DaemonClient.json(CollectionRequest(name: name))
            let body = try invocation.client.send(HTTPRequest(method: "POST", path: path, body: content))
            if invocation.printedJSON(body) { return .ok }
            invocation.terminal.note("created collection \(Text.visible(name))")
            invocation.terminal.note("  give it a folder: likeness watch --collection \(Text.visible(name)) DIR")
            return .ok
        }
    )

    static let collectionsRemove = CommandDescription(
        name: "collections remove",
        summary: "Removes a collection with everything that was loaded into it. The files in its folders stay.",
        usage: "NAME --yes",
        examples: [Example("collections remove work --yes", "this cannot be undone")],
        operandCounts: 1...1,
        options: [OptionDescription("yes", .flag, "confirm; without it, nothing is removed")],
        run: { invocation in
            let name = invocation.arguments.operands[0]
            guard invocation.arguments.has("yes") else {
                throw ClientError.usage(
                    "nothing was removed: removing collection \(Text.visible(name)) cannot be undone",
                    fix: "to remove it: likeness collections remove \(Text.visible(name)) --yes"
                )
            }
            // A large one has many files to delete.
            let request = HTTPRequest(method: "DELETE", path: "\(path)/\(HTTPRequest.encode(name))", timeout: 600)
            try invocation.client.send(request)
            if try !invocation.printedJSON(of: ["removed": name]) {
                invocation.terminal.note("removed collection \(Text.visible(name))")
            }
            return .ok
        }
    )
}
