/// One request to the daemon.
struct HTTPRequest {
    enum Body {
        case none
        case bytes([UInt8], type: String)
        /// A local file, sent piece by piece.
        case file(String, type: String)
    }

    var method: String
    /// Absolute path, already encoded.
    var path: String
    /// Values are encoded here.
    var query: [(name: String, value: String)] = []
    var body: Body = .none
    /// Seconds that the daemon may take once it has the whole request.
    var timeout: Double = 60

    /// The request line and fields, up to and with the empty line.
    func head(bodyByteCount: Int?) -> [UInt8] {
        let parameters = query.map { "\(Self.encode($0.name))=\(Self.encode($0.value))" }.joined(separator: "&")
        var lines = ["\(method) \(path)\(parameters.isEmpty ? "" : "?\(parameters)") HTTP/1.1", "Host: likeness"]
        lines.append("Accept: application/json")
        switch body {
        case .none:
            // A length for every method with a meaning for bodies, so that no proxy or library waits for one.
            if method != "GET" { lines.append("Content-Length: 0") }
        case .bytes(_, let type), .file(_, let type):
            lines.append("Content-Type: \(type)")
            lines.append("Content-Length: \(bodyByteCount ?? 0)")
        }
        if case .file = body { lines.append("Expect: 100-continue") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// Percent-encodes all but RFC 3986's unreserved characters, so that the result fits a path segment or a query value.
    static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
