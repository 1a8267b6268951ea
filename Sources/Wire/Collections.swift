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

/// `POST /v1/collections`.
package struct CollectionRequest: Codable, Sendable, Equatable {
    package var name: String

    package init(name: String) { self.name = name }
}

/// One collection at a glance.
package struct CollectionBody: Codable, Sendable, Equatable {
    package var name: String
    package var counts: StatusResponse.Counts
    /// Watched folders.
    package var roots: Int
    /// Bytes of its store.
    package var disk: UInt64
    /// Absent when its vectors are compared as the network gives them.
    package var whitening: WhiteningBody?
    /// Why it cannot be used; its counts are zeros then. Absent when it can.
    package var problem: String?

    package init(
        name: String,
        counts: StatusResponse.Counts,
        roots: Int,
        disk: UInt64,
        whitening: WhiteningBody? = nil,
        problem: String? = nil
    ) {
        self.name = name
        self.counts = counts
        self.roots = roots
        self.disk = disk
        self.whitening = whitening
        self.problem = problem
    }
}

/// `GET /v1/collections`: by name.
package struct CollectionList: Codable, Sendable, Equatable {
    package var collections: [CollectionBody]

    package init(collections: [CollectionBody]) { self.collections = collections }
}
