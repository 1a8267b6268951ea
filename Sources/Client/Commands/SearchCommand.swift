internal import Platform
internal import Wire

extension CommandDescription {
    static let search = CommandDescription(
        name: "search",
        summary:
            "Finds images that look like a photo, best first. Each line is a score and a path; 1 is the same picture.",
        usage: "PHOTO|- [--limit N] [--min-score X] [--exact] [--filter JSON] [--collection NAME] | --id N",
        examples: [
            Example("search photo.jpg", "the ten most similar images"),
            Example("search --limit 50 --min-score 0.8 photo.jpg", "only close ones"),
            Example("search --id 17", "more like a stored image"),
            Example(#"search photo.jpg --filter '{"year":{"$gte":2020}}'"#, "only images whose document says so"),
            Example("search -0 photo.jpg | xargs -0 open", "for other programs, whatever the names"),
            Example("search - --json < photo.jpg | jq -r '.results[0].path'", "in a script"),
        ],
        operandCounts: 0...1,
        options: [
            OptionDescription(
                "limit",
                .integer(1...WireProtocol.maximumSearchLimit),
                "how many results at most (\(WireProtocol.defaultSearchLimit))"
            ),
            OptionDescription("min-score", .real(-1...1), "leave out what is less similar"),
            OptionDescription("exact", .flag, "compare with every image: slower, misses none"),
            OptionDescription("id", .integer(0...Int.max), "search by the stored image with this id"),
            filterOption, .collection,
        ] + pathOptions,
        run: { try runSearch($0) }
    )

    private static func runSearch(_ invocation: Invocation) throws -> ExitCode {
        let wantsPaths = try invocation.wantsPaths
        let body = try invocation.client.send(try searchRequest(invocation.arguments))
        let response: SearchResponse = try DaemonClient.decode(body)
        if wantsPaths {
            _ = try invocation.printedPaths(of: response.results)
        } else if !invocation.printedJSON(body) {
            for warning in response.warnings ?? [] {
                invocation.terminal.note("warning: \(Text.visible(warning.detail))")
                invocation.terminal.note("  \(Text.visible(warning.fix))")
            }
            if response.results.isEmpty {
                let isFiltered = invocation.arguments.has("filter")
                let none = isFiltered ? "no image matches the filter" : "no image is loaded yet"
                let reason = response.total == 0 ? none : "nothing similar enough"
                invocation.terminal.note("\(reason) (\(Text.count(response.total, "image")))")
            }
            print(response.results, invocation)
        }
        return response.results.isEmpty ? .noResult : .ok
    }

    private static func searchRequest(_ arguments: Arguments) throws -> HTTPRequest {
        var request = HTTPRequest(method: "POST", path: "\(WireProtocol.prefix)/search")
        if let id = arguments.integer("id") {
            let filter = try filter(in: arguments)
            guard arguments.operands.isEmpty else { throw ClientError.usage("a photo and --id exclude each other") }
            request.body = try DaemonClient.json(
                SearchRequest(
                    id: UInt64(id),
                    limit: arguments.integer("limit"),
                    minScore: arguments.real("min-score"),
                    exact: arguments.has("exact") ? true : nil,
                    collection: arguments.text("collection"),
                    filter: filter
                )
            )
            return request
        }
        guard let photo = arguments.operands.first else {
            throw ClientError.usage("no photo is named", fix: "likeness search photo.jpg, or likeness search --id N")
        }
        try filter(in: arguments)
        let bytes = try LocalFile.read(photo, limit: WireProtocol.maximumSearchBodyByteCount)
        // The daemon tells the format by content, so the type says no more than "an image".
        request.body = .bytes(bytes, type: "application/octet-stream")
        if let limit = arguments.text("limit") { request.query.append(("limit", limit)) }
        if let score = arguments.text("min-score") { request.query.append(("min_score", score)) }
        if arguments.has("exact") { request.query.append(("exact", "true")) }
        request.query += arguments.collectionQuery
        if let filter = arguments.text("filter") { request.query.append(("filter", filter)) }
        return request
    }

    private static func print(_ results: [SearchResultBody], _ invocation: Invocation) {
        let scores = results.map { Text.number($0.score, digits: 4) }
        let width = scores.map(\.count).max() ?? 0
        for (result, score) in zip(results, scores) {
            let color: Terminal.Color = result.score >= 0.9 ? .green : result.score >= 0.5 ? .yellow : .faint
            let blanks = String(repeating: " ", count: width - score.count)
            invocation.print("\(blanks)\(invocation.terminal.colored(score, color))  ", path: result)
        }
    }
}
