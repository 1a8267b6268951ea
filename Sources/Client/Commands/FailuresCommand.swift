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
