/// Names that both sides of the socket use. Unknown fields are ignored by both; fields are only ever added.
package enum WireProtocol {
    /// The path prefix of this major version.
    package static let prefix = "/v1"
    package static let defaultSearchLimit = 10
    package static let maximumSearchLimit = 1000
    package static let maximumPageLimit = 1000
    package static let maximumSearchBodyByteCount = 32 << 20
    /// Additive features, listed by `/v1/version`, so that a client need not guess from a version number.
    package static let capabilities = [
        "search.image", "search.id", "images.list", "images.content", "images.thumbnail", "images.delete",
        "failures.list", "exclusions.list", "filters", "roots", "rescan", "models", "whitening", "backup", "verify",
        "rebuild", "page", "collections",
    ]
}

/// The heads that a model can be used with, for clients; the daemon's tests hold them against the ones it computes.
package enum HeadNames {
    package static let all = ["max", "mean", "gem3", "rmac"]
}

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
