internal import Foundation

/// Where a weight file may come from: `https:`, or `http:` on this very machine.
struct SourceAddress: Equatable {
    let text: String
    /// For messages: without user, path and query.
    let host: String
    let isLoopback: Bool

    /// - Throws: `ClientError` of exit code 2 for anything else.
    init(_ text: String) throws {
        let parts = URLComponents(string: text)
        guard let scheme = parts?.scheme?.lowercased(), let host = parts?.host, !host.isEmpty else {
            throw ClientError.usage("\(text) is not an address", fix: "such as https://example.org/vgg16.safetensors")
        }
        isLoopback = Self.isLoopback(host)
        guard scheme == "https" || (scheme == "http" && isLoopback) else {
            throw ClientError.usage(
                "\(text): weights are downloaded over https, and over http from this machine only",
                fix: "download it yourself, then: likeness model fetch NAME --from FILE"
            )
        }
        self.text = text
        self.host = host
    }

    private static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "[::1]", "::1"].contains(host.lowercased()) { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil)
    }
}
