internal import Platform
internal import Wire

/// Switches to a model and waits until the daemon works with it.
struct ModelUse {
    let invocation: Invocation
    let name: String

    func run() throws -> ExitCode {
        let head = invocation.arguments.text("head")
        let name = try ask(head: head)
        let change = ModelChange(client: invocation.client, terminal: invocation.terminal, name: name, head: head)
        let status = try change.wait()
        if try !invocation.printedJSON(of: status.model) {
            let waiting = status.counts.waiting > 0 ? "; \(Text.count(status.counts.waiting, "image")) to load" : ""
            invocation.terminal.note("using \(Text.visible(status.model.name)), head \(status.head)\(waiting)")
        }
        return .ok
    }

    /// Asks for the model by its name, else by the name that a manifest gives it as a short one.
    ///
    /// - Returns: the name of the model that the daemon changes to.
    private func ask(head: String?) throws -> String {
        do {
            try ask(name, head: head)
            return name
        } catch let error as ClientError where error.kind == Problem.Kind.notFound.rawValue {
            let list: ModelList = try invocation.client.get("\(WireProtocol.prefix)/models")
            let known = list.fetchable?.first { $0.isCalled(name) }
            guard let meant = known, list.models.contains(where: { $0.name == meant.name }) else {
                let fix =
                    known == nil ? "all models: likeness model list" : "fetch it: likeness model fetch \(name) --use"
                // A wrong name is a mistake, as that of a collection, not a search without results.
                throw ClientError(.refused, kind: error.kind, error.detail, fix: fix)
            }
            try ask(meant.name, head: head)
            return meant.name
        }
    }

    private func ask(_ name: String, head: String?) throws {
        try invocation.client.send(
            HTTPRequest(
                method: "POST",
                path: "\(WireProtocol.prefix)/models/\(HTTPRequest.encode(name))/use",
                body: try DaemonClient.json(ModelUseRequest(head: head))
            )
        )
    }
}

/// The daemon restarts in place with another model: waits until it answers again.
struct ModelChange {
    let client: DaemonClient
    let terminal: Terminal
    let name: String
    /// The model's default when nil.
    let head: String?
    /// Seconds until the wait is given up.
    var timeout = 120.0
    /// Seconds after which a daemon that already works as wanted is taken to need no restart.
    var settleTime = 2.0

    /// Returns the status of the daemon that uses the model.
    ///
    /// - Throws: `ClientError` when it does not come back, or comes back with another model.
    func wait() throws -> StatusResponse {
        let start = Instant.now
        defer { terminal.endProgress() }
        while true {
            let elapsed = Instant.now - start
            var last: StatusResponse?
            do {
                let readiness = try client.exchange(HTTPRequest(method: "GET", path: "/readyz"))
                if readiness.status == 200 {
                    let status: StatusResponse = try client.get("\(WireProtocol.prefix)/status")
                    let hasRestarted = status.uptime < elapsed || elapsed > settleTime
                    if isWanted(status), hasRestarted { return status }
                    last = status
                }
            } catch let error as ClientError where [.noDaemon, .failed].contains(error.exitCode) {
                // It is between stop and start.
                if elapsed > timeout { throw error }
            }
            if elapsed > timeout {
                let state = last.map { "it uses \($0.model.name), head \($0.head)" } ?? "it is not ready"
                throw ClientError.failed("the daemon did not change to \(name): \(state)", fix: "likeness doctor")
            }
            terminal.draw("waiting for the daemon to start with \(Text.visible(name))")
            sleep(seconds: 0.2)
        }
    }

    private func isWanted(_ status: StatusResponse) -> Bool {
        status.model.name == name && (head ?? status.head) == status.head
    }
}
