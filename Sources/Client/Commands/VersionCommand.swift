internal import Wire

extension CommandDescription {
    static let version = CommandDescription(
        name: "version",
        summary: "The daemon's version, what it can do and the libraries it uses.",
        usage: "",
        examples: [Example("version --json", "for a script")],
        operandCounts: 0...0,
        run: { invocation in
            let body = try invocation.client.send(HTTPRequest(method: "GET", path: "\(WireProtocol.prefix)/version"))
            if invocation.printedJSON(body) { return .ok }
            let version: VersionResponse = try DaemonClient.decode(body)
            invocation.terminal.print("\(version.name) \(version.version), protocol \(version.api)")
            let libraries = version.libraries.sorted { $0.key < $1.key }.map { ["  \($0.key)", $0.value] }
            Text.table(libraries.map { $0.map(Text.visible) }).forEach(invocation.terminal.print)
            return .ok
        }
    )
}
