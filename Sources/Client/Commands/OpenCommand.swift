internal import Foundation
internal import Platform
internal import Wire

extension CommandDescription {
    static let open = CommandDescription(
        name: "open",
        summary: "Opens the page in a browser, or prints its address where there is none. The address holds a secret.",
        usage: "",
        examples: [Example("open", "search with a browser"), Example("open --json", "the address for a script")],
        operandCounts: 0...0,
        run: { invocation in
            let request = HTTPRequest(method: "GET", path: "\(WireProtocol.prefix)/page")
            return try invocation.ask(request) { (link: PageLink) in
                let hasDesktop = ["DISPLAY", "WAYLAND_DISPLAY"].contains { !(invocation.environment[$0] ?? "").isEmpty }
                if !hasDesktop || !startBrowser(link.url) { invocation.terminal.print(Text.visible(link.url)) }
            }
        }
    )

    /// Hands the address to the desktop's chosen browser; false where there is no such program.
    private static func startBrowser(_ url: String) -> Bool {
        let opener = "/usr/bin/xdg-open"
        guard FileManager.default.isExecutableFile(atPath: opener) else { return false }
        return (try? Process.run(URL(filePath: opener), arguments: [url])) != nil
    }
}
