internal import Foundation
internal import Platform
internal import Server

/// Where the page's secret is kept between starts.
enum PageToken {
    /// The credential that the service manager passes, else the one kept in the state folder, made when missing.
    ///
    /// - Parameters:
    ///   - stateDirectory: keeps `http-token`, readable by the daemon's user only.
    ///   - environment: `CREDENTIALS_DIRECTORY` names the manager's credentials.
    /// - Returns: the secret.
    /// - Throws: `ConfigurationError` when a stored token is unfit, or a new one cannot be written.
    static func load(stateDirectory: String, environment: [String: String]) throws(ConfigurationError) -> AccessToken {
        let passed = environment["CREDENTIALS_DIRECTORY"].map { ["\($0)/http-token"] } ?? []
        let kept = "\(stateDirectory)/http-token"
        for file in passed + [kept] where FileManager.default.fileExists(atPath: file) {
            let text = (try? String(contentsOfFile: file, encoding: .utf8))?
                .trimmingCharacters(in: .whitespacesAndNewlines)
            guard let token = text.flatMap({ AccessToken($0) }) else {
                throw ConfigurationError(
                    "\(file) holds no token of 43 or more letters and digits; delete it for a new one"
                )
            }
            return token
        }
        let token = AccessToken.random()
        do { try DurableFile.replace(kept, with: Array((token.text + "\n").utf8)) } catch {
            throw ConfigurationError("\(kept) cannot be written: \(error)")
        }
        return token
    }
}
