/// A collection's name: a letter or digit, then letters, digits, `_` and `-`, 63 characters at most, no capitals. It stands in
/// addresses, and names a folder, as it is.
package struct CollectionName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The collection that is meant where none is named; it is always there.
    package static let standard = CollectionName(trusted: "default")
    /// What a name must be, for people.
    package static let rule =
        "a name is of a...z, 0...9, _ and -, begins with a letter or digit and has at most 63 characters"
    private static let maximumByteCount = 63

    package let description: String

    /// Nil for anything that is no name.
    package init?(_ text: String) {
        let bytes = text.utf8
        guard 1...Self.maximumByteCount ~= bytes.count, let first = bytes.first, Self.isLetterOrDigit(first),
            bytes.allSatisfy({ Self.isLetterOrDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") })
        else { return nil }
        description = text
    }

    private init(trusted text: String) { description = text }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }

    package static func < (a: CollectionName, b: CollectionName) -> Bool { a.description < b.description }
}
