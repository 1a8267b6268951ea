internal import Platform
internal import Wire

extension CommandDescription {
    static let modelList = CommandDescription(
        name: "model list",
        summary: "The models that the daemon has; `*` marks the one in use.",
        usage: "",
        examples: [Example("model list", "all models")],
        operandCounts: 0...0,
        run: { invocation in
            let body = try invocation.client.send(HTTPRequest(method: "GET", path: "\(WireProtocol.prefix)/models"))
            if invocation.printedJSON(body) { return .ok }
            let list: ModelList = try DaemonClient.decode(body)
            let rows = list.models.map { model in
                let kind = model.untrained ? "untrained: finds copies, not kinship" : model.licence ?? "licence unknown"
                let cells = [
                    model.inUse ? "*" : " ", model.name, model.architecture, "\(model.dimension) dimensions",
                    "head \(model.defaultHead)", kind,
                ]
                return cells.map(Text.visible)
            }
            Text.table(rows).forEach(invocation.terminal.print)
            return .ok
        }
    )

    static let modelImport = CommandDescription(
        name: "model import",
        summary: "Gives the daemon a file of trained VGG weights (safetensors).",
        usage: "FILE [--name N] [--preprocessing P] [--head H]",
        examples: [
            Example("model import vgg16.safetensors && likeness model use vgg16", "find kinship, not only copies"),
            Example("model import w.safetensors --name art --preprocessing keras", "weights from Keras"),
        ],
        operandCounts: 1...1,
        options: [
            OptionDescription(
                name: "name",
                value: .text(placeholder: "N"),
                help: "how to call it (the file's name without its ending)"
            ),
            OptionDescription(
                name: "preprocessing",
                value: .choice(["keras", "torchvision"]),
                help: "what the network was trained on; the file may say it itself"
            ),
            OptionDescription(name: "head", value: .choice(HeadNames.all), help: "its default head"),
        ],
        run: { invocation in
            let file = invocation.arguments.operands[0]
            let name = invocation.arguments.text("name") ?? modelName(of: file)
            var request = HTTPRequest(
                method: "PUT",
                path: "\(WireProtocol.prefix)/models/\(HTTPRequest.encode(name))",
                body: .file(file, type: "application/octet-stream"),
                timeout: 600
            )
            for option in ["preprocessing", "head"] {
                if let value = invocation.arguments.text(option) { request.query.append((option, value)) }
            }
            let body = try invocation.client.send(request)
            if invocation.printedJSON(body) { return .ok }
            let model: ModelBody = try DaemonClient.decode(body)
            invocation.terminal.note("imported \(Text.visible("\(model.name): \(model.architecture)"))")
            invocation.terminal.note("use it: likeness model use \(Text.visible(model.name))")
            return .ok
        }
    )

    static let modelUse = CommandDescription(
        name: "model use",
        summary: "Switches to a model; all images are loaded anew with it.",
        usage: "NAME [--head H]",
        examples: [Example("model use vgg16", "with its default head")],
        operandCounts: 1...1,
        options: [
            OptionDescription(name: "head", value: .choice(HeadNames.all), help: "which head (the model's default)")
        ],
        run: { try runModelUse($0) }
    )

    private static func runModelUse(_ invocation: Invocation) throws -> ExitCode {
        let name = invocation.arguments.operands[0]
        let head = invocation.arguments.text("head")
        try invocation.client.send(
            HTTPRequest(
                method: "POST",
                path: "\(WireProtocol.prefix)/models/\(HTTPRequest.encode(name))/use",
                body: try DaemonClient.json(ModelUseRequest(head: head))
            )
        )
        let change = ModelChange(client: invocation.client, terminal: invocation.terminal, name: name, head: head)
        let status = try change.wait()
        if invocation.wantsJSON {
            guard case .bytes(let body, _) = try DaemonClient.json(status.model) else { return .failed }
            _ = invocation.printedJSON(body)
        } else {
            let waiting = status.counts.waiting > 0 ? "; \(Text.count(status.counts.waiting, "image")) to load" : ""
            invocation.terminal.note("using \(Text.visible(status.model.name)), head \(status.head)\(waiting)")
        }
        return .ok
    }

    /// `vgg16.safetensors` is `vgg16`.
    private static func modelName(of file: String) -> String {
        let last = file.split(separator: "/").last ?? ""
        let stem = last.lastIndex(of: ".").map { last[..<$0] } ?? last
        return String(stem.isEmpty ? last : stem)
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
    var patience = 120.0
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
                if elapsed > patience { throw error }
            }
            if elapsed > patience {
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
