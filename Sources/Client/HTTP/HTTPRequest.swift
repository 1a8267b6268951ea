internal import Platform

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
    /// Seconds that the daemon may take between two pieces of the exchange, such as the request's end and the reply.
    var timeout = 60

    /// Path and query, encoded.
    var target: String {
        let parameters = query.map { "\(Self.encode($0.name))=\(Self.encode($0.value))" }.joined(separator: "&")
        return parameters.isEmpty ? path : "\(path)?\(parameters)"
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

    /// The body from its first byte on.
    ///
    /// - Throws: `ClientError` when a file cannot be read.
    func openBody() throws -> Transfer.Body? {
        switch body {
        case .none:
            // A length for every method with a meaning for bodies, so that no proxy or library waits for one.
            return method == "GET" ? nil : Transfer.Body(byteCount: 0, type: nil) { _ in [] }
        case .bytes(let bytes, let type):
            var rest = bytes[...]
            return Transfer.Body(byteCount: UInt64(bytes.count), type: type) { limit in
                let piece = Array(rest.prefix(limit))
                rest = rest.dropFirst(piece.count)
                return piece
            }
        case .file(let path, let type):
            let byteCount = try LocalFile.byteCount(of: path)
            let file = try LocalFile.Reader(path)
            var left = byteCount
            return Transfer.Body(byteCount: UInt64(byteCount), type: type) { limit in
                let piece = try file.next(limit)
                guard !piece.isEmpty || left == 0 else { throw ClientError.failed("\(path) shrank while it was sent") }
                left -= piece.count
                guard try left > 0 || (left == 0 && file.next(1).isEmpty) else {
                    throw ClientError.failed("\(path) grew while it was sent")
                }
                return piece
            }
        }
    }
}

/// A whole reply.
struct HTTPReply: Equatable {
    let status: Int
    let body: [UInt8]
}
