internal import CServer
internal import Foundation
internal import Wire

/// Method, target and header fields of a request, as sent.
struct RequestHead: Sendable {
    let method: String
    let version: String
    /// The path's components, percent-decoded; empty for `/`.
    let path: [String]
    /// What follows `?`, as sent.
    let query: String
    /// Field names in lower case, repeated ones too.
    let fields: [(name: String, value: String)]
    /// Bytes of request line and fields as they were sent, near enough for a limit.
    let byteCount: Int

    /// Reads the target and the library's header fields. The target is kept even when it is malformed, for the log.
    init(request: OpaquePointer, method: String, version: String, target: String) throws(Problem) {
        let collector = Collector()
        CServer_each_header(request, Unmanaged.passUnretained(collector).toOpaque()) {
            context,
            name,
            nameCount,
            value,
            valueCount in
            let collector = Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue()
            let text = { (start: UnsafePointer<CChar>?, count: Int) in
                String(decoding: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count), as: UTF8.self)
            }
            collector.fields.append((text(name, nameCount).lowercased(), text(value, valueCount)))
        }
        try self.init(method: method, version: version, target: target, fields: collector.fields)
    }

    private final class Collector {
        var fields: [(name: String, value: String)] = []
    }

    init(
        method: String,
        version: String,
        target: String,
        fields: [(name: String, value: String)]
    ) throws(Problem) {
        self.method = method
        self.version = version
        self.fields = fields
        byteCount = fields.reduce(method.utf8.count + target.utf8.count + 12) {
            $0 + $1.name.utf8.count + $1.value.utf8.count + 4
        }
        var rest = Substring(target)
        // The absolute form of RFC 9112 3.2.2, which a server has to take too.
        for scheme in ["http://", "https://"] where rest.lowercased().hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count)
            rest = rest[(rest.firstIndex(where: { $0 == "/" || $0 == "?" }) ?? rest.endIndex)...]
            if rest.first != "/" { rest = "/" + rest }
        }
        guard rest.first == "/" else { throw Problem(.badRequest, "the request's target is not a path") }
        let parts = rest.dropFirst().split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        query = parts.count > 1 ? String(parts[1]) : ""
        var path: [String] = []
        for component in (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false) {
            guard let decoded = percentDecoded(component, plusIsSpace: false) else {
                throw Problem(.badRequest, "the path is not well-formed percent-encoded UTF-8")
            }
            path.append(decoded)
        }
        self.path = path == [""] ? [] : path
    }

    /// The values of a field, in order.
    func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// The first value of a field.
    func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// Whether a body follows in chunks.
    var isChunked: Bool { value("transfer-encoding") != nil }

    /// The body's length where the header says one.
    var contentLength: Int? { value("content-length").flatMap(Int.init) }

    /// The media type without its parameters, in lower case.
    var mediaType: String? {
        value("content-type")?.split(separator: ";").first.map { $0.trimming(" \t").lowercased() }
    }

    /// Whether the `Accept` field names this type itself.
    func accepts(_ mediaType: String) -> Bool {
        values("accept").joined(separator: ",").split(separator: ",").contains {
            $0.split(separator: ";").first?.trimming(" \t").lowercased() == mediaType
        }
    }

    /// Refuses what two readers could frame differently (RFC 9112 6.3, 3.2) and what is beyond the limits.
    func checkFraming(_ limits: ServerLimits) throws(Problem) {
        guard byteCount <= limits.headerByteCount else {
            throw Problem(.tooLarge, status: 431, "the header is longer than \(limits.headerByteCount) bytes")
        }
        guard fields.count <= limits.headerFieldCount else {
            throw Problem(.tooLarge, status: 431, "the header has more than \(limits.headerFieldCount) fields")
        }
        let lengths = values("content-length")
        let encodings = values("transfer-encoding")
        guard lengths.count <= 1 else { throw Problem(.badRequest, "Content-Length is given more than once") }
        guard lengths.isEmpty || encodings.isEmpty else {
            throw Problem(.badRequest, "Content-Length and Transfer-Encoding are given both")
        }
        guard encodings.count <= 1, encodings.first.map({ $0.lowercased() == "chunked" }) ?? true else {
            throw Problem(.badRequest, "the only Transfer-Encoding taken is chunked")
        }
        if let length = lengths.first {
            guard !length.isEmpty, length.utf8.allSatisfy({ (0x30...0x39).contains($0) }), Int(length) != nil else {
                throw Problem(.badRequest, "Content-Length is not a number")
            }
        }
        let hosts = values("host")
        guard hosts.count <= 1 else { throw Problem(.badRequest, "Host is given more than once") }
        guard hosts.count == 1 || version == "HTTP/1.0" else {
            throw Problem(.badRequest, "Host is missing; write an address such as http://d/v1/status")
        }
    }
}

extension StringProtocol {
    /// Without these characters at both ends.
    func trimming(_ characters: String) -> String {
        var text = self[...]
        while let first = text.first, characters.contains(first) { text.removeFirst() }
        while let last = text.last, characters.contains(last) { text.removeLast() }
        return String(text)
    }
}

/// Decodes `%XX`; nil for a malformed escape, a zero byte, or what is not UTF-8 afterwards.
func percentDecoded(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
    let spaced = plusIsSpace ? String(text).replacing("+", with: " ") : String(text)
    guard let decoded = spaced.removingPercentEncoding, !decoded.utf8.contains(0) else { return nil }
    return decoded
}
