internal import Platform
internal import Wire

extension CommandDescription {
    static let modelWhiten = CommandDescription(
        name: "model whiten",
        summary:
            "Learns a whitening of the vectors from a collection: what all its images share counts less. No image is read again; "
            + "the daemon rewrites the collection and restarts in place.",
        usage: "[--off] [--collection NAME]",
        examples: [
            Example("model whiten", "learn, or learn again after many more photos"),
            Example("model whiten --off", "back to exactly the vectors before"),
        ],
        operandCounts: 0...0,
        options: [OptionDescription("off", .flag, "remove the whitening"), .collection],
        run: { invocation in
            let isOff = invocation.arguments.has("off")
            let path = "\(WireProtocol.prefix)/whitening"
            // A million images take about a minute.
            let query = invocation.arguments.collectionQuery
            let request = HTTPRequest(method: isOff ? "DELETE" : "PUT", path: path, query: query, timeout: 1800)
            let body = try invocation.client.send(request)
            let wanted: WhiteningBody? = isOff ? nil : try DaemonClient.decode(body)
            let change = WhiteningChange(
                client: invocation.client,
                terminal: invocation.terminal,
                query: query,
                wanted: wanted
            )
            let status = try change.wait()
            if try invocation.printedJSON(of: status) { return .ok }
            if let wanted {
                invocation.terminal.note("whitening is on, learned from \(Text.count(wanted.vectors, "vector"))")
            } else {
                invocation.terminal.note("whitening is off")
            }
            return .ok
        }
    )
}

/// Waits until the daemon answers again, with the whitening that it was asked for.
struct WhiteningChange {
    let client: DaemonClient
    let terminal: Terminal
    /// Names the collection.
    let query: [(name: String, value: String)]
    /// nil: none.
    let wanted: WhiteningBody?
    /// Seconds until the wait is given up: a large collection takes a while to load.
    var timeout = 300.0

    /// - Throws: `ClientError` when it does not come back so.
    func wait() throws -> StatusResponse {
        let start = Instant.now
        defer { terminal.endProgress() }
        while true {
            do {
                let readiness = try client.exchange(HTTPRequest(method: "GET", path: "/readyz"))
                if readiness.status == 200 {
                    let status: StatusResponse = try client.get("\(WireProtocol.prefix)/status", query)
                    if status.whitening == wanted { return status }
                }
            } catch let error as ClientError where [.noDaemon, .failed].contains(error.exitCode) {
                // It is between stop and start.
                if Instant.now - start > timeout { throw error }
            }
            if Instant.now - start > timeout {
                throw ClientError.failed("the daemon did not change its whitening", fix: "likeness doctor")
            }
            terminal.draw("waiting for the daemon to start again")
            sleep(seconds: 0.2)
        }
    }
}
