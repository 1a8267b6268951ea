internal import Foundation
internal import Glibc
internal import Platform

/// The secret that a browser page shows to the TCP listener: 256 random bits as hexadecimal digits.
enum AccessToken {
    /// The credential that the service manager passes, else the one kept in the state folder, made when missing.
    ///
    /// - Parameters:
    ///   - stateDirectory: keeps `http-token`, readable by the daemon's user only.
    ///   - environment: `CREDENTIALS_DIRECTORY` names the manager's credentials.
    /// - Returns: at least 32 characters.
    /// - Throws: `ConfigurationError` when the stored token cannot be read, is too short, or cannot be written.
    static func load(stateDirectory: String, environment: [String: String]) throws(ConfigurationError) -> String {
        let files = environment["CREDENTIALS_DIRECTORY"].map { ["\($0)/http-token"] } ?? []
        let kept = "\(stateDirectory)/http-token"
        for file in files + [kept] where FileManager.default.fileExists(atPath: file) {
            let token = (try? String(contentsOfFile: file, encoding: .utf8))?
                .trimmingCharacters(in: .whitespacesAndNewlines)
            guard let token, token.utf8.count >= 32 else {
                throw ConfigurationError("\(file) holds no token of 32 or more characters; delete it for a new one")
            }
            return token
        }
        var generator = SystemRandomNumberGenerator()
        let token = (0..<4).map { _ in
            let digits = String(generator.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
        let written = FileManager.default.createFile(
            atPath: kept,
            contents: Data((token + "\n").utf8),
            attributes: [.posixPermissions: 0o600]
        )
        guard written else { throw ConfigurationError("\(kept) cannot be written") }
        return token
    }
}
