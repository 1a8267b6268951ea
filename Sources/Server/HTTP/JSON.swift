internal import Filters
internal import Foundation
internal import Wire

/// JSON bodies by Foundation's coders, bounded in depth: both directions recurse, and a connection's stack is small.
enum JSON {
    /// Objects and arrays inside each other.
    static let maximumDepth = JSONDocument.maximumDepth

    static func encode(_ value: some Encodable) throws(Problem) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return [UInt8](try encoder.encode(value))
        } catch {
            throw Problem(.internal, "the reply could not be written: \(error)")
        }
    }

    static func decode<Value: Decodable>(_: Value.Type, from bytes: [UInt8]) throws(Problem) -> Value {
        do throws(JSONFault) { try JSONTokens.check(bytes, maximumDepth: maximumDepth) } catch {
            guard !error.isTooDeep else {
                throw Problem(.badRequest, "the JSON is nested deeper than \(maximumDepth) levels")
            }
            throw Problem(.badRequest, "the body is not JSON: \(error)")
        }
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw Problem(.badRequest, "the JSON value \(path.isEmpty ? "itself" : "`\(path)`") is of the wrong type")
        } catch {
            throw Problem(.badRequest, "the body is not the JSON that this route takes")
        }
    }
}
