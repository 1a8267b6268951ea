/// A glob in the syntax of gitignore(5), over bytes: `*`, `?`, `[...]`, and `**` between slashes.
///
/// It is matched in one pass that remembers the last `*` of the folder and the last `**`: a later one makes an earlier one
/// needless to go back to. So the time is O(length of the pattern x length of the path) whatever the pattern is.
struct GlobPattern: Sendable, Equatable {
    private enum Token: Sendable, Equatable {
        case byte(UInt8)
        /// `?`: one byte, and no slash.
        case any
        case oneOf(ByteSet)
        /// `*`: any bytes but slashes.
        case star
        /// `**/`: nothing, or whole folders with the slash behind the last.
        case folders
        /// `/**` at the end: everything below; the slash before it is a byte of its own.
        case rest
    }

    /// The line as it was written.
    let text: String
    /// `!`: what it matches is not excluded after all.
    let isNegated: Bool
    /// It ended in a slash: folders only.
    let matchesFoldersOnly: Bool
    /// It has a slash at its beginning or in its middle: it is matched with the whole path below its place, else with the
    /// name alone.
    private let isAnchored: Bool
    private let tokens: [Token]

    /// A line of an ignore file; nil for an empty one, a comment, and a pattern that cannot match anything.
    init?(line: some Collection<UInt8>) {
        var bytes = Self.withoutTrailingBlanks(Array(line))
        text = String(decoding: bytes, as: UTF8.self)
        guard let first = bytes.first, first != UInt8(ascii: "#") else { return nil }
        isNegated = first == UInt8(ascii: "!")
        if isNegated { bytes.removeFirst() }
        matchesFoldersOnly = bytes.last == slash
        if matchesFoldersOnly { bytes.removeLast() }
        isAnchored = bytes.contains(slash)
        if bytes.first == slash { bytes.removeFirst() }
        guard !bytes.isEmpty, let tokens = Self.tokens(of: bytes, isAnchored: isAnchored) else { return nil }
        self.tokens = tokens
    }

    /// Without blanks at the end, unless a backslash quotes them.
    private static func withoutTrailingBlanks(_ line: [UInt8]) -> [UInt8] {
        var end = line.count
        while end > 0, line[end - 1] == UInt8(ascii: " ") {
            let backslashes = line[..<(end - 1)].reversed().prefix { $0 == backslash }.count
            if backslashes % 2 == 1 { break }
            end -= 1
        }
        return Array(line[..<end])
    }

    private static func tokens(of bytes: [UInt8], isAnchored: Bool) -> [Token]? {
        var tokens: [Token] = []
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case backslash:
                // One at the end quotes nothing; such a pattern matches nothing.
                guard at + 1 < bytes.count else { return nil }
                tokens.append(.byte(bytes[at + 1]))
                at += 2
            case UInt8(ascii: "?"):
                tokens.append(.any)
                at += 1
            case UInt8(ascii: "*"):
                var end = at
                while end < bytes.count, bytes[end] == UInt8(ascii: "*") { end += 1 }
                let isWhole = end - at >= 2 && (at == 0 || bytes[at - 1] == slash)
                if isAnchored, isWhole, end == bytes.count {
                    tokens.append(.rest)
                } else if isAnchored, isWhole, bytes[end] == slash {
                    tokens.append(.folders)
                    end += 1
                } else if tokens.last != .star {
                    tokens.append(.star)
                }
                at = end
            case UInt8(ascii: "["):
                guard let (set, end) = ByteSet.parse(bytes, from: at) else { return nil }
                tokens.append(.oneOf(set))
                at = end
            default:
                tokens.append(.byte(bytes[at]))
                at += 1
            }
        }
        return tokens
    }

    /// Whether it matches a path, taken from the folder in which the pattern stands.
    ///
    /// - Parameters:
    ///   - path: below that folder.
    ///   - isFolder: of what lies there.
    /// - Returns: whether it does; `!` is not looked at.
    func matches(_ path: ArraySlice<UInt8>, isFolder: Bool) -> Bool {
        if matchesFoldersOnly, !isFolder { return false }
        if isAnchored { return matches(path) }
        guard let last = path.lastIndex(of: slash) else { return matches(path) }
        return matches(path[(last + 1)...])
    }

    private func matches(_ text: ArraySlice<UInt8>) -> Bool {
        var (token, at) = (0, text.startIndex)
        // Where to go on after a mismatch: the token behind the last `*` or `**/`, and the place that it was tried at.
        var star: (token: Int, at: Int)?
        var folders: (token: Int, at: Int)?
        while true {
            if token < tokens.count {
                switch tokens[token] {
                case .rest: return at < text.endIndex
                case .star:
                    star = (token + 1, at)
                    token += 1
                    continue
                case .folders:
                    folders = (token + 1, at)
                    star = nil
                    token += 1
                    continue
                case .byte(let byte):
                    if at < text.endIndex, text[at] == byte {
                        if byte == slash { star = nil }
                        (token, at) = (token + 1, at + 1)
                        continue
                    }
                case .any:
                    if at < text.endIndex, text[at] != slash {
                        (token, at) = (token + 1, at + 1)
                        continue
                    }
                case .oneOf(let set):
                    if at < text.endIndex, text[at] != slash, set.contains(text[at]) {
                        (token, at) = (token + 1, at + 1)
                        continue
                    }
                }
            } else if at == text.endIndex {
                return true
            }
            if let last = star, last.at < text.endIndex, text[last.at] != slash {
                star = (last.token, last.at + 1)
                (token, at) = (last.token, last.at + 1)
            } else if let last = folders, let next = text[last.at...].firstIndex(of: slash) {
                folders = (last.token, next + 1)
                star = nil
                (token, at) = (last.token, next + 1)
            } else {
                return false
            }
        }
    }
}

private let slash = UInt8(ascii: "/")
private let backslash = UInt8(ascii: "\\")

/// A set of bytes: a bracket expression of a glob.
private struct ByteSet: Sendable, Equatable {
    private var words = SIMD4<UInt64>()

    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }

    private mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

    /// Reads a bracket expression that begins at `start`; nil when it does not end.
    static func parse(_ bytes: [UInt8], from start: Int) -> (set: ByteSet, end: Int)? {
        var set = ByteSet()
        var at = start + 1
        let isNegated = at < bytes.count && (bytes[at] == UInt8(ascii: "!") || bytes[at] == UInt8(ascii: "^"))
        if isNegated { at += 1 }
        var isFirst = true
        var last: UInt8?
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "]"), !isFirst {
                if isNegated { set.words = ~set.words }
                return (set, at + 1)
            }
            isFirst = false
            if byte == UInt8(ascii: "["), at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: ":"),
                let end = bytes[(at + 2)...].firstIndex(of: UInt8(ascii: "]")), bytes[end - 1] == UInt8(ascii: ":"),
                end - 1 >= at + 2
            {
                let name = String(decoding: bytes[(at + 2)..<(end - 1)], as: UTF8.self)
                guard let members = classes[name] else { return nil }
                for member in UInt8.min...UInt8.max where members(member) { set.insert(member) }
                last = nil
                at = end + 1
                continue
            }
            if byte == UInt8(ascii: "-"), let first = last, at + 1 < bytes.count, bytes[at + 1] != UInt8(ascii: "]") {
                at += 1
                guard let end = literal(bytes, &at) else { return nil }
                if first <= end { for member in first...end { set.insert(member) } }
                last = nil
                continue
            }
            guard let member = literal(bytes, &at) else { return nil }
            set.insert(member)
            last = member
        }
        return nil
    }

    private static func literal(_ bytes: [UInt8], _ at: inout Int) -> UInt8? {
        if bytes[at] == backslash {
            at += 1
            guard at < bytes.count else { return nil }
        }
        defer { at += 1 }
        return bytes[at]
    }

    /// The character classes of POSIX, in ASCII.
    private static let classes: [String: @Sendable (UInt8) -> Bool] = [
        "alnum": { isAlpha($0) || isDigit($0) },
        "alpha": { isAlpha($0) },
        "blank": { $0 == 32 || $0 == 9 },
        "cntrl": { $0 < 32 || $0 == 127 },
        "digit": { isDigit($0) },
        "graph": { (33...126).contains($0) },
        "lower": { (97...122).contains($0) },
        "print": { (32...126).contains($0) },
        "punct": { (33...126).contains($0) && !isAlpha($0) && !isDigit($0) },
        "space": { $0 == 32 || (9...13).contains($0) },
        "upper": { (65...90).contains($0) },
        "xdigit": { isDigit($0) || (65...70).contains($0) || (97...102).contains($0) },
    ]

    private static func isAlpha(_ byte: UInt8) -> Bool { (97...122).contains(byte | 0x20) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
