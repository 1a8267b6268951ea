internal import Platform
internal import Wire

extension CommandDescription {
    static let exclusions = CommandDescription(
        name: "exclusions",
        summary: "Lists what lies in watched folders and is left out, with the reason. A folder stands for all in it.",
        usage: "[--reason REASON] [--collection NAME]",
        examples: [
            Example("exclusions", "all of it"),
            Example("exclusions --reason unreadable_folder", "folders that the daemon may not read"),
        ],
        operandCounts: 0...0,
        options: [
            OptionDescription(
                "reason",
                .text(placeholder: "REASON"),
                "only this one, such as rule, hidden, link, other_file_system or unreadable_folder"
            ),
            .collection,
        ] + pathOptions,
        run: { try runExclusions($0) }
    )

    /// A page is printed as it comes: there may be many.
    private static func runExclusions(_ invocation: Invocation) throws -> ExitCode {
        var cursor: String?
        var all: [ExclusionBody] = []
        let printsJSON = invocation.wantsJSON
        _ = try invocation.wantsPaths
        var isEmpty = true
        repeat {
            var query = [(name: "limit", value: String(WireProtocol.maximumPageLimit))]
            query += invocation.arguments.collectionQuery
            if let reason = invocation.arguments.text("reason") { query.append(("reason", reason)) }
            if let cursor { query.append(("cursor", cursor)) }
            let page: ExclusionPage = try invocation.client.get("\(WireProtocol.prefix)/exclusions", query)
            isEmpty = isEmpty && page.exclusions.isEmpty
            if printsJSON {
                all += page.exclusions
            } else if try !invocation.printedPaths(of: page.exclusions) {
                let lines = Text.table(page.exclusions.map { [$0.reason, ""] })
                for (line, exclusion) in zip(lines, page.exclusions) { invocation.print(line, path: exclusion) }
            }
            cursor = page.next
        } while cursor != nil
        if try invocation.printedJSON(of: ExclusionPage(exclusions: all, next: nil)) { return .ok }
        if isEmpty { invocation.terminal.note("nothing is left out") }
        return .ok
    }
}
