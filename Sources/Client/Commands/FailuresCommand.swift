internal import Platform
internal import Wire

extension CommandDescription {
    static let failures = CommandDescription(
        name: "failures",
        summary: "Lists the files that could not be loaded, with the reason and the time of the next attempt.",
        usage: "[--collection NAME]",
        examples: [
            Example("failures", "all of them"),
            Example("failures --json | jq -r '.failures[].path'", "their paths"),
        ],
        operandCounts: 0...0,
        options: [.collection] + pathOptions,
        run: { try runFailures($0) }
    )

    static let retry = CommandDescription(
        name: "retry",
        summary: "Tries files that failed again: all of them, those of a kind, or what lies at a path.",
        usage: "[PATH] [--kind KIND] [--collection NAME]",
        examples: [
            Example("retry", "all of them"),
            Example("retry --kind unreadable /photos/2024", "after their rights were mended"),
        ],
        operandCounts: 0...1,
        options: [
            OptionDescription("kind", .text(placeholder: "KIND"), "only failures of this kind, such as unreadable"),
            .collection,
        ],
        run: { invocation in
            let arguments = invocation.arguments
            let request = RetryRequest(
                kind: arguments.text("kind"),
                path: arguments.operands.first.map(absolutePath),
                collection: arguments.text("collection")
            )
            return try invocation.ask(
                HTTPRequest(
                    method: "POST",
                    path: "\(WireProtocol.prefix)/failures/retry",
                    body: try DaemonClient.json(request)
                )
            ) { (answer: RetryResponse) in
                invocation.terminal.note("trying \(Text.count(answer.queued, "file")) again")
            }
        }
    )

    private static func runFailures(_ invocation: Invocation) throws -> ExitCode {
        _ = try invocation.wantsPaths
        var failures: [FailureBody] = []
        var cursor: String?
        repeat {
            var query = [(name: "limit", value: String(WireProtocol.maximumPageLimit))]
            query += invocation.arguments.collectionQuery
            if let cursor { query.append(("cursor", cursor)) }
            let page: FailurePage = try invocation.client.get("\(WireProtocol.prefix)/failures", query)
            failures += page.failures
            cursor = page.next
        } while cursor != nil
        if try invocation.printedJSON(of: FailurePage(failures: failures, next: nil)) { return .ok }
        if try invocation.printedPaths(of: failures) { return .ok }
        let rows = failures.map { failure in
            let next = failure.nextAttempt.map { "again at \($0)" } ?? "again when it changes"
            return [Text.visible(failure.kind), Text.visible(next), ""]
        }
        for (line, failure) in zip(Text.table(rows), failures) {
            invocation.print(line, path: failure, ": \(Text.visible(failure.message))")
        }
        if failures.isEmpty { invocation.terminal.note("no file has failed") }
        return .ok
    }
}
