internal import Filters
internal import Foundation
internal import Platform
internal import Wire

/// `--filter`, and what removes by it.
extension CommandDescription {
    static let filterOption = OptionDescription(
        "filter",
        .text(placeholder: "JSON"),
        "only images that match, such as {\"camera\":\"X100\",\"width\":{\"$gte\":2000}}"
    )

    /// The filter of a command line as JSON; nil without one.
    ///
    /// - Throws: `ClientError` of exit code 2 where it is none: before the daemon is asked.
    @discardableResult
    static func filter(in arguments: Arguments) throws -> JSONValue? {
        guard let text = arguments.text("filter") else { return nil }
        do throws(FilterError) { _ = try Filter(text: Array(text.utf8)) } catch {
            throw ClientError.usage(
                Text.visible("\(error)"),
                fix: "likeness list --filter '{\"path\":{\"$prefix\":\"2021/\"}}'"
            )
        }
        return try JSONValue(Array(text.utf8), maximumDepth: JSONDocument.maximumDepth, duplicates: .refused)
    }

    /// Removes what a filter matches once `--yes` says so; before, says how many images that would be.
    static func removeMatches(_ invocation: Invocation) throws -> ExitCode {
        let arguments = invocation.arguments
        guard arguments.operands.isEmpty else { throw ClientError.usage("ids and --filter exclude each other") }
        try filter(in: arguments)
        let query = [(name: "filter", value: arguments.text("filter") ?? "")] + arguments.collectionQuery
        let path = "\(WireProtocol.prefix)/images"
        guard arguments.has("yes") else {
            let page: ImagePage = try invocation.client.get(path, query + [(name: "limit", value: "1")])
            let count = Text.count(page.total ?? page.images.count, "image")
            throw ClientError.usage("the filter matches \(count); nothing was removed", fix: "add --yes to remove them")
        }
        // A hundred thousand images take some seconds.
        let request = HTTPRequest(method: "DELETE", path: path, query: query, timeout: 1800)
        let body = try invocation.client.send(request)
        let response: RemovalResponse = try DaemonClient.decode(body)
        if !invocation.printedJSON(body) {
            invocation.terminal.note("removed \(Text.count(response.removed, "image"))")
        }
        return response.removed == 0 ? .noResult : .ok
    }
}
