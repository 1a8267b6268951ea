/// What the client needs of a reply's head (RFC 9110), read line by line.
struct ReplyHead: Equatable {
    /// 0 before the first line.
    private(set) var status = 0
    private(set) var contentLength: UInt64?
    /// Whether the body comes in chunks, the last of which says that it is whole.
    private(set) var isChunked = false
    /// Of `Content-Range`: the first byte that follows, and the whole file's size where it is said.
    private(set) var rangeStart: UInt64?
    private(set) var fullLength: UInt64?

    /// Whether a body that was cut short would be noticed: one that ends with its connection could be.
    var saysWhereBodyEnds: Bool { contentLength != nil || isChunked || status == 204 || status == 304 }

    /// Takes the next line; a status line begins a new head, as after a redirect.
    mutating func take(_ line: String) {
        if line.hasPrefix("HTTP/") {
            let words = line.split(separator: " ", maxSplits: 2)
            self = ReplyHead()
            status = words.count > 1 ? Int(words[1].prefix { $0.isNumber }) ?? 0 : 0
            return
        }
        guard let colon = line.firstIndex(of: ":") else { return }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }.prefix { !$0.isWhitespace }
        switch line[..<colon].lowercased() {
        case "content-length": contentLength = UInt64(value)
        case "transfer-encoding": isChunked = value.lowercased() == "chunked"
        case "content-range": takeRange(line[line.index(after: colon)...])
        default: break
        }
    }

    /// `bytes 100-199/200`, `bytes 100-199/*` or `bytes */200`.
    private mutating func takeRange(_ value: Substring) {
        let words = value.split { $0.isWhitespace }
        guard words.count == 2, words[0].lowercased() == "bytes" else { return }
        let parts = words[1].split(separator: "/")
        guard parts.count == 2 else { return }
        rangeStart = UInt64(parts[0].prefix { $0 != "-" })
        fullLength = UInt64(parts[1])
    }
}
