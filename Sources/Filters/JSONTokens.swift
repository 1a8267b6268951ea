/// Why bytes are not a JSON text: at which byte, and what is wrong there.
package struct JSONFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 0.
    package let offset: Int
    package let reason: String
    /// The text may be JSON, but it is nested deeper than allowed.
    package var isTooDeep = false

    package var description: String { "\(reason) at byte \(offset)" }

    /// The same for people who look at the text: lines and columns count from 1, columns in characters.
    package func description(in text: [UInt8]) -> String {
        let before = text.prefix(offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let column = String(decoding: before[start...], as: UTF8.self).unicodeScalars.count + 1
        return "\(reason) at line \(line), column \(column) (byte \(offset))"
    }
}

/// One piece of a JSON text. Names and strings are UTF-8 without their escapes.
package enum JSONToken: Hashable, Sendable {
    case beginObject
    case endObject
    case beginArray
    case endArray
    /// What stands before a colon.
    case name([UInt8])
    case string([UInt8])
    case number(Double)
    /// A whole number of 64 bits, signed or unsigned, beyond +-2^53: a double holds those up to there exactly, and this
    /// one all others. How a number was spelled does not matter: `1e17` is a whole number too.
    case integer(Int128)
    case bool(Bool)
    case null
}

/// The tokenizer of JSON texts (RFC 8259): takes one apart, piece by piece and in order.
///
/// Nothing recurses, so no text of whatever depth can exhaust a stack. A name that an object has twice is given twice:
/// what that means is the reader's to say. A byte order mark is passed over.
package struct JSONTokens {
    private enum Expected {
        case value
        case valueOrEnd
        case name
        case nameOrEnd
        case commaOrEnd
        case nothing
    }

    private let bytes: [UInt8]
    private let maximumDepth: Int
    private var at = 0
    /// How far it has read.
    package var offset: Int { at }
    private var expected = Expected.value
    /// Of each open container, whether it is an object.
    private var isObject: [Bool] = []

    /// - Parameters:
    ///   - bytes: the text.
    ///   - maximumDepth: containers that may be open at once.
    /// - Throws: when the bytes are not UTF-8; UTF-16 and UTF-32 are told by their byte order mark, or by the zero bytes
    ///   that no JSON text in UTF-8 begins with.
    package init(_ bytes: [UInt8], maximumDepth: Int) throws(JSONFault) {
        if let encoding = Self.wideEncoding(of: bytes) {
            throw JSONFault(offset: 0, reason: "the text is \(encoding) and has to be UTF-8")
        }
        do { _ = try UTF8Span(validating: bytes.span) } catch {
            throw JSONFault(offset: error.byteOffsets.lowerBound, reason: "the text is not UTF-8")
        }
        self.bytes = bytes
        self.maximumDepth = maximumDepth
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    }

    /// The next piece; nil after the last one of a whole text.
    ///
    /// - Throws: what breaks RFC 8259, a number beyond `Double`, or more depth than allowed.
    package mutating func next() throws(JSONFault) -> JSONToken? {
        skipBlanks()
        if expected == .nothing {
            guard at == bytes.count else { throw fault("there is more after the value") }
            return nil
        }
        if expected == .commaOrEnd, peek == UInt8(ascii: ",") {
            at += 1
            skipBlanks()
            expected = isObject.last == true ? .name : .value
        }
        switch (expected, peek) {
        case (_, nil): throw fault("the text ends early")
        case (.commaOrEnd, UInt8(ascii: "}")?), (.nameOrEnd, UInt8(ascii: "}")?): return try close(isObject: true)
        case (.commaOrEnd, UInt8(ascii: "]")?), (.valueOrEnd, UInt8(ascii: "]")?): return try close(isObject: false)
        case (.commaOrEnd, _):
            throw fault("a comma or the end of the \(isObject.last == true ? "object" : "array") is missing")
        case (.name, _), (.nameOrEnd, _): return try readName()
        default: return try readValue()
        }
    }

    /// Checks that the bytes are a JSON text whose containers are nested no deeper than allowed.
    ///
    /// - Returns: whether the text is an object.
    @discardableResult
    package static func check(_ text: [UInt8], maximumDepth: Int) throws(JSONFault) -> Bool {
        var tokens = try JSONTokens(text, maximumDepth: maximumDepth)
        let first = try tokens.next()
        while try tokens.next() != nil {}
        return first == .beginObject
    }

    private static func wideEncoding(of bytes: [UInt8]) -> String? {
        guard bytes.count >= 2 else { return nil }
        let isWide = bytes.count >= 4 && (bytes.starts(with: [0, 0]) || bytes[2...3].elementsEqual([0, 0]))
        switch (bytes[0], bytes[1]) {
        case (0xFE, 0xFF), (0xFF, 0xFE), (0, _), (_, 0): return isWide ? "UTF-32" : "UTF-16"
        default: return nil
        }
    }

    // MARK: Parts

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private func fault(_ reason: String) -> JSONFault { JSONFault(offset: at, reason: reason) }

    private mutating func skipBlanks() {
        while at < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[at]) { at += 1 }
    }

    private mutating func open(isObject opensObject: Bool) throws(JSONFault) -> JSONToken {
        guard isObject.count < maximumDepth else {
            throw JSONFault(offset: at, reason: "more than \(maximumDepth) levels of nesting", isTooDeep: true)
        }
        at += 1
        isObject.append(opensObject)
        expected = opensObject ? .nameOrEnd : .valueOrEnd
        return opensObject ? .beginObject : .beginArray
    }

    private mutating func close(isObject closesObject: Bool) throws(JSONFault) -> JSONToken {
        guard isObject.last == closesObject else { throw fault("the wrong bracket") }
        at += 1
        isObject.removeLast()
        endValue()
        return closesObject ? .endObject : .endArray
    }

    private mutating func endValue() { expected = isObject.isEmpty ? .nothing : .commaOrEnd }

    private mutating func readName() throws(JSONFault) -> JSONToken {
        guard peek == UInt8(ascii: "\"") else { throw fault("a name in quotes is missing") }
        let name = try readString()
        skipBlanks()
        guard peek == UInt8(ascii: ":") else { throw fault("a colon is missing") }
        at += 1
        expected = .value
        return .name(name)
    }

    private mutating func readValue() throws(JSONFault) -> JSONToken {
        let token: JSONToken
        switch bytes[at] {
        case UInt8(ascii: "{"): return try open(isObject: true)
        case UInt8(ascii: "["): return try open(isObject: false)
        case UInt8(ascii: "\""): token = .string(try readString())
        case UInt8(ascii: "t"): token = try readWord("true", .bool(true))
        case UInt8(ascii: "f"): token = try readWord("false", .bool(false))
        case UInt8(ascii: "n"): token = try readWord("null", .null)
        default: token = try readNumber()
        }
        endValue()
        return token
    }

    private mutating func readWord(_ word: StaticString, _ token: JSONToken) throws(JSONFault) -> JSONToken {
        let text = Array("\(word)".utf8)
        guard bytes[at...].starts(with: text) else { throw fault("no JSON value") }
        at += text.count
        return token
    }
}

// MARK: Strings and numbers

extension JSONTokens {
    private mutating func readString() throws(JSONFault) -> [UInt8] {
        at += 1
        var text: [UInt8] = []
        var plain = at
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                text += bytes[plain..<at]
                at += 1
                return text
            case UInt8(ascii: "\\"):
                text += bytes[plain..<at]
                at += 1
                try readEscape(into: &text)
                plain = at
            case ..<0x20: throw fault("a control character in a string")
            default: at += 1
            }
        }
        throw fault("a string has no end")
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(JSONFault) {
        guard let letter = peek else { throw fault("a string has no end") }
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try readCodeUnit()
            if 0xD800..<0xDC00 ~= code {
                guard bytes[at...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
                    throw fault("half a surrogate pair")
                }
                at += 2
                let low = try readCodeUnit()
                guard 0xDC00..<0xE000 ~= low else { throw fault("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("half a surrogate pair") }
            text += Array(String(Character(scalar)).utf8)
        default:
            at -= 1
            throw fault("an unknown escape")
        }
    }

    private mutating func readCodeUnit() throws(JSONFault) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = peek.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                throw fault("four hexadecimal digits are missing")
            }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }

    private mutating func readNumber() throws(JSONFault) -> JSONToken {
        let start = at
        if peek == UInt8(ascii: "-") { at += 1 }
        let first = at
        let digitCount = try skipDigits()
        if digitCount > 1, bytes[first] == UInt8(ascii: "0") { throw fault("a number begins with 0") }
        var isInteger = true
        if peek == UInt8(ascii: ".") {
            at += 1
            isInteger = false
            _ = try skipDigits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            at += 1
            isInteger = false
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { at += 1 }
            _ = try skipDigits()
        }
        if isInteger, digitCount <= 15 {
            // Exact as a Double, and much quicker than text.
            let value = bytes[first..<at].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            return .number(start == first ? Double(value) : -Double(value))
        }
        if isInteger, digitCount <= 20 {
            let magnitude = bytes[first..<at].reduce(Int128(0)) { $0 * 10 + Int128($1 - UInt8(ascii: "0")) }
            let value = start == first ? magnitude : -magnitude
            if value.isLargeInteger { return .integer(value) }
        }
        guard let value = Double(String(decoding: bytes[start..<at], as: UTF8.self)), value.isFinite else {
            at = start
            throw fault("a number that is too large")
        }
        // What is too small to tell from nothing would be shown as another number than it is.
        let mantissa = bytes[first..<at].prefix { $0 | 0x20 != UInt8(ascii: "e") }
        if value == 0, mantissa.contains(where: { UInt8(ascii: "1")...UInt8(ascii: "9") ~= $0 }) {
            at = start
            throw fault("a number that is too small")
        }
        return value.largeInteger.map(JSONToken.integer) ?? .number(value)
    }

    private mutating func skipDigits() throws(JSONFault) -> Int {
        let start = at
        while let byte = peek, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { at += 1 }
        guard at > start else { throw fault(start == bytes.count ? "the text ends early" : "no JSON value") }
        return at - start
    }
}

// MARK: Whole numbers that are no doubles

extension Int128 {
    /// Beyond what doubles hold without gaps, and of 64 bits, signed or unsigned.
    package var isLargeInteger: Bool {
        magnitude > 1 << 53 && self >= Int128(Int64.min) && self <= Int128(UInt64.max)
    }
}

extension Double {
    /// The same number where it is a large integer: a double beyond +-2^53 has no fraction.
    package var largeInteger: Int128? {
        guard let value = Int128(exactly: self), value.isLargeInteger else { return nil }
        return value
    }
}
