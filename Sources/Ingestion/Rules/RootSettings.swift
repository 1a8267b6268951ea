/// What is looked at below a root, as a user sets it. A member that is not given has its default.
package struct RootSettings: Codable, Sendable, Equatable {
    /// Globs of gitignore(5); when there are any, only files that one of them matches, or that lie in a folder that one of
    /// them matches, are looked at.
    package var include: [String] = []
    /// Globs of gitignore(5) of what is left out. They have the last word over ignore files.
    package var exclude: [String] = []
    /// Look at names that begin with a dot too.
    package var hidden = false
    /// Heed `.likenessignore` and `.nomedia`.
    package var ignoreFiles = true
    /// Bytes that a file must have.
    package var minimumBytes = 0
    /// Pixels that the shorter side of an image must have.
    package var minimumPixels = 0
    /// Enter folders on which another file system is mounted.
    package var otherFileSystems = false
    /// Folders between the root and a file, at most.
    package var maximumDepth = 64
    /// Seconds from one look at every file of a watched root to the next; 0: never.
    package var rescanInterval = 6 * 3600

    package init() {}

    private static let maximumPatternCount = 256
    private static let maximumPatternByteCount = 4096

    enum CodingKeys: String, CodingKey, CaseIterable {
        case include, exclude, hidden
        case ignoreFiles = "ignore_files"
        case minimumBytes = "minimum_bytes"
        case minimumPixels = "minimum_pixels"
        case otherFileSystems = "other_file_systems"
        case maximumDepth = "maximum_depth"
        case rescanInterval = "rescan_interval_s"
    }

    /// The members' names in JSON.
    package static let memberNames = CodingKeys.allCases.map(\.rawValue)

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        include = try values.decodeIfPresent([String].self, forKey: .include) ?? include
        exclude = try values.decodeIfPresent([String].self, forKey: .exclude) ?? exclude
        hidden = try values.decodeIfPresent(Bool.self, forKey: .hidden) ?? hidden
        ignoreFiles = try values.decodeIfPresent(Bool.self, forKey: .ignoreFiles) ?? ignoreFiles
        minimumBytes = try values.decodeIfPresent(Int.self, forKey: .minimumBytes) ?? minimumBytes
        minimumPixels = try values.decodeIfPresent(Int.self, forKey: .minimumPixels) ?? minimumPixels
        otherFileSystems = try values.decodeIfPresent(Bool.self, forKey: .otherFileSystems) ?? otherFileSystems
        maximumDepth = try values.decodeIfPresent(Int.self, forKey: .maximumDepth) ?? maximumDepth
        rescanInterval = try values.decodeIfPresent(Int.self, forKey: .rescanInterval) ?? rescanInterval
    }

    /// Checks every member.
    ///
    /// - Throws: `RuleError` that names the first one that cannot be used.
    package func validate() throws(RuleError) {
        for (member, patterns) in [("include", include), ("exclude", exclude)] {
            guard patterns.count <= Self.maximumPatternCount else {
                throw RuleError(member: member, detail: "at most \(Self.maximumPatternCount) patterns are taken")
            }
            for pattern in patterns {
                guard pattern.utf8.count <= Self.maximumPatternByteCount, GlobPattern(line: pattern.utf8) != nil else {
                    throw RuleError(member: member, detail: "'\(pattern.prefix(80))' is no pattern of gitignore(5)")
                }
            }
        }
        try Self.check("minimum_bytes", minimumBytes, in: 0...(1 << 40))
        try Self.check("minimum_pixels", minimumPixels, in: 0...100_000)
        try Self.check("maximum_depth", maximumDepth, in: 1...1000)
        if rescanInterval != 0 { try Self.check("rescan_interval_s", rescanInterval, in: 60...(366 * 86_400)) }
    }

    private static func check(_ member: String, _ value: Int, in range: ClosedRange<Int>) throws(RuleError) {
        guard range.contains(value) else {
            throw RuleError(member: member, detail: "\(value) is not in \(range.lowerBound)...\(range.upperBound)")
        }
    }
}
