/// Any JSON value, for documents.
package enum JSONValue: Codable, Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    /// A whole number as `JSONToken.integer` has it.
    case integer(Int128)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
            // A double may have rounded it.
            guard value.magnitude >= 0x1p53 else { return }
            let exact =
                (try? container.decode(Int64.self)).map { Int128($0) }
                ?? (try? container.decode(UInt64.self)).map { Int128($0) }
            if let large = exact ?? value.largeInteger, large.isLargeInteger { self = .integer(large) }
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .integer(let value):
            if let value = Int64(exactly: value) {
                try container.encode(value)
            } else {
                try container.encode(UInt64(clamping: value))
            }
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension JSONValue {
    /// What a name that stands twice in one object means.
    package enum DuplicateNames: Sendable {
        /// A mistake: for texts that people write.
        case refused
        /// The first counts, as in Foundation's decoder.
        case firstCounts
    }

    /// Reads a JSON text.
    ///
    /// - Parameters:
    ///   - text: UTF-8.
    ///   - maximumDepth: containers inside each other; reading recurses as deep.
    ///   - duplicates: what is done about a name that stands twice in one object.
    /// - Throws: what breaks RFC 8259, more depth than allowed, or a name that stands twice where that is refused.
    package init(_ text: [UInt8], maximumDepth: Int, duplicates: DuplicateNames) throws(JSONFault) {
        var reader = JSONTreeReader(
            tokens: try JSONTokens(text, maximumDepth: maximumDepth),
            duplicates: duplicates
        )
        self = try reader.read()
    }
}

/// Puts the tokens of a JSON text together as a tree.
private struct JSONTreeReader {
    var tokens: JSONTokens
    let duplicates: JSONValue.DuplicateNames

    mutating func read() throws(JSONFault) -> JSONValue {
        let value = try value(of: try tokens.next())
        _ = try tokens.next()
        return value
    }

    private mutating func value(of token: JSONToken?) throws(JSONFault) -> JSONValue {
        switch token {
        case .beginObject:
            var members: [String: JSONValue] = [:]
            while case .name(let bytes)? = try tokens.next() {
                let name = String(decoding: bytes, as: UTF8.self)
                let isNew = members[name] == nil
                if !isNew, duplicates == .refused {
                    throw JSONFault(offset: tokens.offset, reason: "`\(name)` stands twice in one object")
                }
                let member = try value(of: try tokens.next())
                if isNew { members[name] = member }
            }
            return .object(members)
        case .beginArray:
            var values: [JSONValue] = []
            while let token = try tokens.next(), token != .endArray { values.append(try value(of: token)) }
            return .array(values)
        case .string(let bytes): return .string(String(decoding: bytes, as: UTF8.self))
        case .number(let number): return .number(number)
        case .integer(let integer): return .integer(integer)
        case .bool(let bool): return .bool(bool)
        case .null, .endObject, .endArray, .name, nil: return .null
        }
    }
}
