internal import Platform
internal import Wire

/// Waits until folders are loaded, with progress on standard error.
struct LoadingWait {
    let client: DaemonClient
    let terminal: Terminal
    /// Seconds between two looks at the status.
    var interval = 0.5
    /// Seconds for which nothing must be left to do: a rescan that was just asked for has not begun yet.
    var quietTime = 1.0
    /// Seconds between two lines where standard error is no terminal.
    private static let lineInterval = 5.0

    /// Returns when the folder, or every folder, has been scanned and nothing of it waits any more.
    ///
    /// - Parameter path: a watched folder's path; all of them when nil.
    /// - Returns: the status at the end.
    /// - Throws: `ClientError`, also when the folder is not watched any more.
    func run(root path: String?) throws -> StatusResponse {
        var quietSince: Instant?
        var lineAt = Instant.now + Self.lineInterval
        defer { terminal.endProgress() }
        while true {
            let status: StatusResponse = try client.get("\(WireProtocol.prefix)/status")
            if try isLoaded(status, path) {
                let since = quietSince ?? .now
                quietSince = since
                if Instant.now - since >= quietTime { return status }
            } else {
                quietSince = nil
                let line = Progress(status).line ?? "scanning the folder"
                terminal.draw(line)
                if !terminal.drawsProgress, Instant.now >= lineAt {
                    terminal.note(line)
                    lineAt = .now + Self.lineInterval
                }
            }
            sleep(seconds: min(interval, quietTime))
        }
    }

    private func isLoaded(_ status: StatusResponse, _ path: String?) throws -> Bool {
        let roots = path.map { path in status.roots.filter { $0.path == path } } ?? status.roots
        if let path, roots.isEmpty { throw ClientError.failed("\(path) is not watched any more") }
        return roots.allSatisfy { $0.state == "offline" || ($0.state != "scanning" && $0.waitingFiles == 0) }
    }
}
