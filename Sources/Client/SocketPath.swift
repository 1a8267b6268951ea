internal import Foundation
internal import Wire

/// Where to look for the daemon's socket.
enum SocketPath {
    /// Below the folder above the client's own: written by `systemd/install.sh`, one line, the path of the socket that
    /// this installation's daemon listens on. So a client in `DIR/bin` finds the daemon of `--prefix DIR`.
    static let installedFile = "etc/likeness/socket"

    /// Paths to try, in order: the flag alone, else `LIKENESS_SOCKET` alone, else this installation's, the user
    /// service's and the system's.
    ///
    /// - Parameters:
    ///   - flag: the value of `--socket`.
    ///   - environment: the process's variables.
    ///   - executable: the client's own path, nil when unknown.
    /// - Returns: at least one path, none twice.
    static func candidates(flag: String?, environment: [String: String], executable: String?) -> [String] {
        if let flag { return [flag] }
        var candidates = Locations.socketCandidates(environment: environment)
        if environment["LIKENESS_SOCKET"]?.isEmpty ?? true, let executable, let path = installed(beside: executable) {
            candidates.removeAll { $0 == path }
            candidates.insert(path, at: 0)
        }
        return candidates
    }

    private static func installed(beside executable: String) -> String? {
        let prefix = URL(filePath: executable).deletingLastPathComponent().deletingLastPathComponent()
        guard let text = try? String(contentsOf: prefix.appending(path: installedFile), encoding: .utf8) else {
            return nil
        }
        let path = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return path.hasPrefix("/") ? path : nil
    }

    /// The running program's file.
    static var ownExecutable: String? { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") }
}
