internal import Wire

extension CommandDescription {
    static let version = CommandDescription(
        name: "version",
        summary: "The daemon's version, what it can do and the libraries it uses.",
        usage: "",
        examples: [Example("version --json", "for a script")],
        operandCounts: 0...0,
        run: { invocation in
            let request = HTTPRequest(method: "GET", path: "\(WireProtocol.prefix)/version")
            return try invocation.ask(request) { (version: VersionResponse) in
                invocation.terminal.print("\(version.name) \(version.version), protocol \(version.api)")
                let libraries = version.libraries.sorted { $0.key < $1.key }.map { ["  \($0.key)", $0.value] }
                Text.table(libraries.map { $0.map(Text.visible) }).forEach(invocation.terminal.print)
            }
        }
    )
}
