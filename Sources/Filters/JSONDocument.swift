/// The acceptance test of documents: the one place that says which bytes are one.
///
/// Whoever meets a document asks here, or reads with the same tokenizer and the same depth: what lies beside an image is
/// checked once, and what passed is stored, shown, indexed and found alike.
package enum JSONDocument {
    /// Objects and arrays inside each other. Writing JSON recurses, and a connection's stack is small.
    package static let maximumDepth = 32

    /// Checks that bytes are a document: an object in JSON (RFC 8259) in UTF-8, with or without a byte order mark, whose
    /// numbers a double or 64 bits can hold, and in which no object has a name twice (nobody could say which counts).
    ///
    /// - Throws: the first thing that is wrong, with its place.
    package static func check(_ text: [UInt8]) throws(JSONFault) {
        var tokens = try JSONTokens(text, maximumDepth: maximumDepth)
        guard try tokens.next() == .beginObject else {
            throw JSONFault(
                offset: 0,
                reason: "a document is an object such as {\"camera\":\"X100\"}, and this is none"
            )
        }
        // Of each open container, the names so far.
        var names: [Set<[UInt8]>] = [[]]
        while let token = try tokens.next() {
            switch token {
            case .beginObject, .beginArray: names.append([])
            case .endObject, .endArray: names.removeLast()
            case .name(let name):
                guard names[names.count - 1].insert(name).inserted else {
                    let text = String(decoding: name.prefix(64), as: UTF8.self)
                    throw JSONFault(offset: tokens.offset, reason: "`\(text)` stands twice in one object")
                }
            case .string, .number, .integer, .bool, .null: break
            }
        }
    }

    /// A stored document as a tree; nil when there is none, or when an older program stored what `check` refuses.
    package static func value(of text: [UInt8]) -> JSONValue? {
        text.isEmpty ? nil : try? JSONValue(text, maximumDepth: maximumDepth, duplicates: .firstCounts)
    }
}
