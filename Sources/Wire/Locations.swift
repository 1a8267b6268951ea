/// Where the daemon listens and keeps its state when nobody says otherwise.
package enum Locations {
    /// The system service's socket.
    package static let systemSocket = "/run/likeness/likeness.sock"

    /// Sockets to try, in order: `LIKENESS_SOCKET` alone when set, else the user service's, then the system's.
    ///
    /// - Parameter environment: the process's variables.
    /// - Returns: absolute paths, at least one.
    package static func socketCandidates(environment: [String: String]) -> [String] {
        if let chosen = environment["LIKENESS_SOCKET"], !chosen.isEmpty { return [chosen] }
        var candidates: [String] = []
        if let runtime = environment["XDG_RUNTIME_DIR"], !runtime.isEmpty {
            candidates.append("\(runtime)/likeness/likeness.sock")
        }
        candidates.append(systemSocket)
        return candidates
    }
}
