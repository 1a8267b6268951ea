internal import Platform

/// A list of globs as in a `.gitignore`: the last one that matches decides.
struct GlobList: Sendable, Equatable {
    private let patterns: [GlobPattern]

    var isEmpty: Bool { patterns.isEmpty }

    init(_ patterns: [GlobPattern] = []) { self.patterns = patterns }

    /// What it says of a path below the place where it stands; nil when no pattern matches.
    func excludes(_ path: ArraySlice<UInt8>, isFolder: Bool) -> Bool? {
        patterns.last { $0.matches(path, isFolder: isFolder) }.map { !$0.isNegated }
    }
}

/// A `.likenessignore`: a text file in the syntax of gitignore(5) that holds for its folder and all below.
struct IgnoreFile: Sendable, Equatable {
    static let name = ".likenessignore"
    /// Its folder and everything below is left out, as Android's media scanner does.
    static let markerName = ".nomedia"
    /// Names of files that change what their folder's rules are.
    static let names: Set<[UInt8]> = [Array(name.utf8), Array(markerName.utf8)]
    static let maximumByteCount = 64 << 10
    private static let maximumPatternCount = 4096

    let patterns: GlobList

    /// - Throws: `RuleError` for a file with too many patterns.
    init(_ bytes: [UInt8]) throws(RuleError) {
        // Some editors mark UTF-8 by a U+FEFF, which git does not take for a part of the first pattern either.
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        let lines = text.split(whereSeparator: { $0 == UInt8(ascii: "\n") })
        let patterns = lines.compactMap { line in
            GlobPattern(line: line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
        }
        guard patterns.count <= Self.maximumPatternCount else {
            throw RuleError(
                member: Self.name,
                detail: "it has \(patterns.count) patterns; at most \(Self.maximumPatternCount) are used"
            )
        }
        self.patterns = GlobList(patterns)
    }
}

/// The ignore files that hold in a folder: its own and those of the folders above, up to the root.
struct IgnoreStack: Sendable {
    private struct Level: Sendable {
        /// Bytes of the folder's path, and of the slash behind it.
        var prefixCount: Int
        var patterns: GlobList
    }

    /// Folders without an ignore file have none, so that most stacks cost nothing.
    private var levels: [Level] = []

    /// The stack of a folder whose ignore file is `file`, from that of the folder above.
    func entering(_ folder: RelativePath, _ file: IgnoreFile?) -> IgnoreStack {
        guard let file, !file.patterns.isEmpty else { return self }
        var stack = self
        let prefixCount = folder.bytes.isEmpty ? 0 : folder.bytes.count + 1
        stack.levels.append(Level(prefixCount: prefixCount, patterns: file.patterns))
        return stack
    }

    /// Whether a path below the root is left out; the deepest file that says something of it decides.
    func excludes(_ path: RelativePath, isFolder: Bool) -> Bool {
        for level in levels.reversed() {
            if let verdict = level.patterns.excludes(path.bytes[level.prefixCount...], isFolder: isFolder) {
                return verdict
            }
        }
        return false
    }
}
