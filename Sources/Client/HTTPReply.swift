/// A whole HTTP/1.1 reply.
struct HTTPReply: Equatable {
    /// 200...599, or 100 when the caller asked to stop there.
    let status: Int
    /// Values by lower-case name; repeated fields are joined by `, ` (RFC 9110 section 5.3).
    var fields: [String: String] = [:]
    var body: [UInt8] = []
}

/// Reads one reply from bytes as they arrive, strictly: RFC 9112 without the parts that servers should not send.
///
/// Bodies have a Content-Length or are chunked; a body that ends with the connection could be cut short unnoticed and is
/// refused, as are folded fields, both framings at once, two different lengths, and anything above the limits.
struct HTTPReplyReader {
    static let maximumHeaderByteCount = 64 << 10
    static let maximumBodyByteCount = 100 << 20
    /// Eight digits already say more than the body limit.
    private static let maximumChunkSizeDigitCount = 8

    private enum Expectation {
        case statusLine
        case field
        case body(left: Int)
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailer
        case nothing
    }

    private var expectation = Expectation.statusLine
    private var reply = HTTPReply(status: 0)
    private var buffer: [UInt8] = []
    private var position = 0
    private var headerByteCount = 0
    private let stopsAtContinue: Bool
    private let isStream: Bool

    /// - Parameters:
    ///   - stopsAtContinue: whether `100 Continue` is a reply of its own; otherwise interim replies are skipped.
    ///   - isStream: whether a body of status 200 is taken with `takeBody` as it comes, however long it is.
    init(stopsAtContinue: Bool = false, isStream: Bool = false) {
        self.stopsAtContinue = stopsAtContinue
        self.isStream = isStream
    }

    /// What has come of a stream's body since the last call; nothing of other replies.
    mutating func takeBody() -> [UInt8] {
        guard isStream, reply.status == 200 else { return [] }
        defer { reply.body = [] }
        return reply.body
    }

    /// Takes the next bytes of the stream, none meaning its end.
    ///
    /// - Returns: the reply once it is whole.
    /// - Throws: `ClientError` of kind `malformed-reply`.
    mutating func take(_ bytes: [UInt8]) throws -> HTTPReply? {
        guard !bytes.isEmpty else { throw ClientError.malformedReply("it ends in the middle") }
        buffer = position == buffer.count ? bytes : buffer[position...] + bytes
        position = 0
        while try step() {
            if case .nothing = expectation { return reply }
        }
        return nil
    }

    /// Reads one line or piece; false when more bytes are needed for it.
    private mutating func step() throws -> Bool {
        switch expectation {
        case .statusLine:
            guard let line = try nextLine() else { return false }
            reply = HTTPReply(status: try Self.status(of: line))
            expectation = .field
        case .field:
            guard let line = try nextLine() else { return false }
            if line.isEmpty { try endHead() } else { try addField(line) }
        case .body(let left):
            guard let rest = takeBody(left) else { return false }
            expectation = rest == 0 ? .nothing : .body(left: rest)
        case .chunkSize:
            guard let line = try nextLine() else { return false }
            let count = try Self.chunkSize(of: line)
            try checkBody(adding: count)
            expectation = count == 0 ? .trailer : .chunk(left: count)
        case .chunk(let left):
            guard let rest = takeBody(left) else { return false }
            expectation = rest == 0 ? .chunkEnd : .chunk(left: rest)
        case .chunkEnd:
            guard let line = try nextLine() else { return false }
            guard line.isEmpty else { throw ClientError.malformedReply("a chunk longer than it says") }
            headerByteCount = 0
            expectation = .chunkSize
        case .trailer:
            guard let line = try nextLine() else { return false }
            if line.isEmpty { expectation = .nothing }
        case .nothing: return false
        }
        return true
    }

    // MARK: - Head

    private static func status(of line: [UInt8]) throws -> Int {
        let digits = line.dropFirst(9).prefix(3)
        guard line.starts(with: "HTTP/1.1 ".utf8), digits.count == 3, digits.allSatisfy(isDigit),
            line.count == 12 || line[12] == UInt8(ascii: " "),
            let status = Int(String(decoding: digits, as: UTF8.self)), (100...599).contains(status)
        else {
            let start = String(decoding: line.prefix(40), as: UTF8.self)
            throw ClientError.malformedReply("it starts with \(Text.visible(start))")
        }
        return status
    }

    private mutating func addField(_ line: [UInt8]) throws {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0, line[..<colon].allSatisfy(Self.isTokenByte)
        else { throw ClientError.malformedReply("a header field without a name") }
        let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        var content = line[(colon + 1)...].drop(while: isBlank)
        while let last = content.last, isBlank(last) { content.removeLast() }
        let value = String(decoding: content, as: UTF8.self)
        guard let earlier = reply.fields[name] else {
            reply.fields[name] = value
            return
        }
        if name == "content-length" {
            guard earlier == value else { throw ClientError.malformedReply("two lengths, \(earlier) and \(value)") }
        } else {
            reply.fields[name] = "\(earlier), \(value)"
        }
    }

    private mutating func endHead() throws {
        headerByteCount = 0
        if reply.status < 200 {
            expectation = stopsAtContinue && reply.status == 100 ? .nothing : .statusLine
            return
        }
        if reply.status == 204 || reply.status == 304 {
            expectation = .nothing
            return
        }
        switch (reply.fields["content-length"], reply.fields["transfer-encoding"]) {
        case (let length?, nil):
            guard !length.isEmpty, length.utf8.allSatisfy(Self.isDigit), let count = Int(length) else {
                throw ClientError.malformedReply("a length of \(Text.visible(length))")
            }
            try checkBody(adding: count)
            expectation = count == 0 ? .nothing : .body(left: count)
        case (nil, let coding?) where coding.lowercased() == "chunked":
            expectation = .chunkSize
        case (nil, nil):
            throw ClientError.malformedReply("its body has no length")
        default:
            throw ClientError.malformedReply("its framing is ambiguous")
        }
    }

    // MARK: - Body

    private static func chunkSize(of line: [UInt8]) throws -> Int {
        let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
        guard !digits.isEmpty, digits.count <= maximumChunkSizeDigitCount,
            digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
            let count = Int(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw ClientError.malformedReply("a chunk of unknown size") }
        return count
    }

    private func checkBody(adding count: Int) throws {
        guard isStream && reply.status == 200 || count <= Self.maximumBodyByteCount - reply.body.count else {
            throw ClientError.malformedReply("its body is larger than \(Self.maximumBodyByteCount >> 20) MB")
        }
    }

    /// Moves up to `count` buffered bytes to the body and returns how many are still to come; nil when none is there.
    private mutating func takeBody(_ count: Int) -> Int? {
        let taken = min(count, buffer.count - position)
        guard taken > 0 else { return nil }
        reply.body += buffer[position..<(position + taken)]
        position += taken
        return count - taken
    }

    // MARK: - Lines

    /// The next line without its CR LF; nil while it is not whole.
    private mutating func nextLine() throws -> [UInt8]? {
        let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n"))
        let byteCount = (end.map { $0 + 1 } ?? buffer.count) - position
        guard headerByteCount + byteCount <= Self.maximumHeaderByteCount else {
            throw ClientError.malformedReply("its header is larger than \(Self.maximumHeaderByteCount >> 10) kB")
        }
        guard let end else { return nil }
        var line = Array(buffer[position..<end])
        guard line.last == UInt8(ascii: "\r") else { throw ClientError.malformedReply("a bare line feed") }
        line.removeLast()
        position = end + 1
        headerByteCount += byteCount
        return line
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: isDigit(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
