package import Filters

/// What is looked at below a root, as a user sets it.
package struct RootSettings: Sendable, Equatable {
    /// Globs of gitignore(5); when there are any, only files that one of them matches, or that lie in a folder that one of
    /// them matches, are looked at.
    package var include: [String] = []
    /// Globs of gitignore(5) of what is left out. They have the last word over ignore files.
    package var exclude: [String] = []
    /// Look at names that begin with a dot too.
    package var hidden = false
    /// Heed `.likenessignore` and `.nomedia`.
    package var ignoreFiles = true
    /// Leave out what other programs keep for themselves or have not finished: bins, snapshots, thumbnails, copies.
    package var bins = true
    /// Bytes that a file must have.
    package var minimumBytes = 0
    /// Pixels that the shorter side of an image must have.
    package var minimumPixels = 0
    /// Enter folders on which another file system is mounted.
    package var otherFileSystems = false
    /// Folders between the root and a file, at most.
    package var maximumDepth = 64
    /// Images without a good document beside them are failed files.
    package var requiresDocument = false
    /// Seconds from one look at every file of a watched root to the next; 0: never.
    package var rescanInterval = 6 * 3600

    package init() {}

    private static let maximumPatternCount = 256
    private static let maximumPatternByteCount = 4096

    /// The type of a member, and where it is kept.
    private enum Member: Sendable {
        case patterns(any WritableKeyPath<RootSettings, [String]> & Sendable)
        case flag(any WritableKeyPath<RootSettings, Bool> & Sendable)
        case number(any WritableKeyPath<RootSettings, Int> & Sendable, in: ClosedRange<Int>)
    }

    /// Every member by its name in JSON.
    private static let members: [(name: String, member: Member)] = [
        ("include", .patterns(\.include)), ("exclude", .patterns(\.exclude)), ("hidden", .flag(\.hidden)),
        ("ignore_files", .flag(\.ignoreFiles)), ("bins", .flag(\.bins)),
        ("document_required", .flag(\.requiresDocument)),
        ("minimum_bytes", .number(\.minimumBytes, in: 0...(1 << 40))),
        ("minimum_pixels", .number(\.minimumPixels, in: 0...100_000)),
        ("other_file_systems", .flag(\.otherFileSystems)), ("maximum_depth", .number(\.maximumDepth, in: 1...1000)),
        ("rescan_interval_s", .number(\.rescanInterval, in: 0...(366 * 86_400))),
    ]

    /// The members' names in JSON.
    package static let memberNames = members.map(\.name)

    /// Sets members from JSON.
    ///
    /// - Parameter object: members by name.
    /// - Throws: `RuleError` that names the first member that is unknown, or has a value that cannot be used.
    package mutating func apply(_ object: [String: JSONValue]) throws(RuleError) {
        for (name, value) in object.sorted(by: { $0.key < $1.key }) {
            guard let member = Self.members.first(where: { $0.name == name })?.member else {
                throw RuleError(unknown: name)
            }
            switch (member, value) {
            case (.patterns(let path), .array(let values)):
                self[keyPath: path] = try Self.patterns(values, name)
            case (.flag(let path), .bool(let value)):
                self[keyPath: path] = value
            case (.number(let path, let range), .number(let value)):
                guard let number = Int(exactly: value), range.contains(number) else {
                    throw RuleError(
                        member: name,
                        detail: "\(value) is not in \(range.lowerBound)...\(range.upperBound)"
                    )
                }
                if name == "rescan_interval_s", (1..<60).contains(number) {
                    throw RuleError(member: name, detail: "60 s is the shortest; 0 is never")
                }
                self[keyPath: path] = number
            case (.patterns, _): throw RuleError(member: name, detail: "a list of patterns is wanted")
            case (.flag, _): throw RuleError(member: name, detail: "true or false is wanted")
            case (.number, _): throw RuleError(member: name, detail: "a whole number is wanted")
            }
        }
    }

    private static func patterns(_ values: [JSONValue], _ name: String) throws(RuleError) -> [String] {
        guard values.count <= maximumPatternCount else {
            throw RuleError(member: name, detail: "at most \(maximumPatternCount) patterns are taken")
        }
        var patterns: [String] = []
        for value in values {
            guard case .string(let text) = value, text.utf8.count <= maximumPatternByteCount,
                !text.contains("\n"), GlobPattern(line: text.utf8) != nil
            else { throw RuleError(member: name, detail: "an item is no pattern of gitignore(5)") }
            patterns.append(text)
        }
        return patterns
    }

    /// The members that differ from those of other settings, as JSON.
    package func differences(from other: RootSettings = RootSettings()) -> [String: JSONValue] {
        var object: [String: JSONValue] = [:]
        for (name, member) in Self.members {
            switch member {
            case .patterns(let path):
                guard self[keyPath: path] != other[keyPath: path] else { continue }
                object[name] = .array(self[keyPath: path].map { .string($0) })
            case .flag(let path):
                guard self[keyPath: path] != other[keyPath: path] else { continue }
                object[name] = .bool(self[keyPath: path])
            case .number(let path, _):
                guard self[keyPath: path] != other[keyPath: path] else { continue }
                object[name] = .number(Double(self[keyPath: path]))
            }
        }
        return object
    }
}
